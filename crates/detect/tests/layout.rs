//! The whole way from picture to detections with a model whose answers are known by thinking: `testdata/make_yolox.py`.

#![allow(clippy::unwrap_used, reason = "tests: what fails is a failure")]

mod support;

use matthon_detect::{DetectError, Detector, Picture, Runtime};
use vision::protocol::{ChannelOrder, Layout, ModelSpec};

const MODEL: &[u8] = include_bytes!("../testdata/yolox-cells.onnx");
// Saturated colours, limited range.
const BLUE: [u8; 3] = [41, 240, 110];
const RED: [u8; 3] = [81, 90, 240];
const BLACK: [u8; 3] = [16, 128, 128];

fn spec() -> ModelSpec {
    ModelSpec {
        name: "cells".to_owned(),
        layout: Layout::Yolox,
        input: (96, 64),
        channels: ChannelOrder::Bgr,
        mean: [0.0; 3],
        scale: [1.0; 3],
        pad: 114,
        labels: ["blue", "green", "red"].map(|w| Some(w.to_owned())).into(),
        threshold: 0.6,
        nms: 0.5,
    }
}

fn detector(test: &str, spec: &ModelSpec) -> Option<Detector> {
    Some(Detector::new(support::runtime(test)?, spec, MODEL).unwrap())
}

fn refused(runtime: &Runtime, change: impl FnOnce(&mut ModelSpec)) -> DetectError {
    let mut spec = spec();
    change(&mut spec);
    Detector::new(runtime, &spec, MODEL).unwrap_err()
}

/// Black, with blocks of colour: x, y, width, height in pixels, all even.
fn picture(width: u32, height: u32, blocks: &[([usize; 4], [u8; 3])]) -> Picture {
    let (w, h) = (width as usize, height as usize);
    let mut planes = [vec![BLACK[0]; w * h], vec![BLACK[1]; w * h / 4], vec![BLACK[2]; w * h / 4]];
    for ([x, y, bw, bh], colour) in blocks {
        for (plane, (value, half)) in planes.iter_mut().zip(colour.iter().zip([1, 2, 2])) {
            for row in y / half..(y + bh) / half {
                plane[row * (w / half) + x / half..][..bw / half].fill(*value);
            }
        }
    }
    Picture { width, height, data: planes.concat() }
}

fn seen(detector: &mut Detector, picture: &Picture) -> Vec<(String, [f64; 4])> {
    detector.detect(picture).unwrap().into_iter().map(|d| (d.class.to_string(), d.bbox.into())).collect()
}

fn close(is: [f64; 4], pixels: [f64; 4], width: f64, height: f64) -> bool {
    is.iter().zip(pixels).zip([width, height, width, height]).all(|((is, want), by)| (is - want / by).abs() < 1e-5)
}

#[test]
fn a_cell_of_each_stride_is_where_it_should_be() {
    let Some(mut detector) = detector("a_cell_of_each_stride_is_where_it_should_be", &spec()) else { return };
    // stride 8, column 3, row 2; sure although the stride 16 and 32 cells around it are mostly black
    let found = seen(&mut detector, &picture(96, 64, &[([24, 16, 8, 8], BLUE)]));
    assert!(found.len() == 1 && found[0].0 == "blue" && close(found[0].1, [24.0, 16.0, 32.0, 24.0], 96.0, 64.0), "{found:?}");

    // a block of 32 × 32 in the second column: sixteen cells, four, and one; the large ones overlap nothing by more than half
    let found = seen(&mut detector, &picture(96, 64, &[([32, 0, 32, 32], RED)]));
    assert!(found.iter().all(|(class, _)| class == "red"), "{found:?}");
    let has = |pixels| found.iter().any(|(_, b)| close(*b, pixels, 96.0, 64.0));
    assert!(has([32.0, 0.0, 40.0, 8.0]) && has([56.0, 24.0, 64.0, 32.0]), "stride 8: {found:?}");
    assert!(has([28.0, 0.0, 52.0, 16.0]) && has([44.0, 16.0, 68.0, 32.0]), "stride 16, 1.5 cells wide: {found:?}");
    assert!(has([32.0, 0.0, 64.0, 48.0]), "stride 32, two cells high, cut at the picture's edge: {found:?}");
}

#[test]
fn boxes_are_fractions_of_the_picture_not_of_the_input() {
    let Some(mut detector) = detector("boxes_are_fractions_of_the_picture_not_of_the_input", &spec()) else { return };
    let found = seen(&mut detector, &picture(96, 32, &[([8, 24, 8, 8], BLUE)]));
    assert!(found.len() == 1 && close(found[0].1, [8.0, 24.0, 16.0, 32.0], 96.0, 32.0), "{found:?}");
    let found = seen(&mut detector, &picture(48, 64, &[([40, 0, 8, 8], BLUE)]));
    assert!(found.len() == 1 && close(found[0].1, [40.0, 0.0, 48.0, 8.0], 48.0, 64.0), "{found:?}");
}

#[test]
fn what_lies_in_the_padding_is_not_told() {
    let name = "what_lies_in_the_padding_is_not_told";
    let Some(mut detector) = detector(name, &ModelSpec { pad: 255, ..spec() }) else { return };
    // white padding fills the cells below the picture; those of stride 32 at its edge are half black
    assert_eq!(seen(&mut detector, &picture(96, 16, &[])), []);
}

#[test]
fn planes_go_in_the_order_the_manifest_says() {
    let name = "planes_go_in_the_order_the_manifest_says";
    let labels = ["first", "second", "third"].map(|w| Some(w.to_owned()));
    let Some(mut bgr) = detector(name, &ModelSpec { labels: labels.clone().into(), ..spec() }) else { return };
    let mut rgb = detector(name, &ModelSpec { channels: ChannelOrder::Rgb, labels: labels.into(), ..spec() }).unwrap();
    let blue = picture(96, 64, &[([0, 0, 8, 8], BLUE)]);
    assert!(seen(&mut bgr, &blue)[0].0 == "first" && seen(&mut rgb, &blue)[0].0 == "third");
    let red = picture(96, 64, &[([0, 0, 8, 8], RED)]);
    assert!(seen(&mut bgr, &red)[0].0 == "third" && seen(&mut rgb, &red)[0].0 == "first");
}

#[test]
fn unwanted_classes_are_left_out_and_the_surest_comes_first() {
    let name = "unwanted_classes_are_left_out_and_the_surest_comes_first";
    let labels = vec![Some("cold".to_owned()), None, None];
    let Some(mut detector) = detector(name, &ModelSpec { labels, ..spec() }) else { return };
    let darker = [38, 224, 112];
    let shown = picture(96, 64, &[([8, 8, 8, 8], darker), ([40, 40, 8, 8], BLUE), ([80, 0, 8, 8], RED)]);
    let found = detector.detect(&shown).unwrap();
    assert!(found.len() == 2 && found.iter().all(|d| d.class.as_str() == "cold"), "{found:?}");
    assert!(found[0].score > found[1].score && found[0].bbox.y1 > 0.5, "{found:?}");
    // the same picture, the same answer; also from another session, and after other pictures
    let again = Detector::new(support::runtime(name).unwrap(), detector.spec(), MODEL).unwrap().detect(&shown).unwrap();
    detector.detect(&picture(48, 48, &[([0, 0, 48, 48], RED)])).unwrap();
    assert!(again == found && detector.detect(&shown).unwrap() == found);
    assert!(detector.spent().infer.as_nanos() > 0);
}

#[test]
fn what_does_not_belong_together_is_named() {
    let Some(runtime) = support::runtime("what_does_not_belong_together_is_named") else { return };
    assert!(runtime.version().starts_with("ONNX Runtime 1."), "{}", runtime.version());
    let refused = |change: fn(&mut ModelSpec)| refused(runtime, change).to_string();
    let e = refused(|s| s.labels.push(None));
    assert!(e.contains("model cells") && e.contains("output \"output\" is [1, 126, 8]") && e.contains("[1, 126, 9]"), "{e}");
    let e = refused(|s| s.input = (64, 64));
    assert!(e.contains("input \"images\" is [1, 3, 64, 96]") && e.contains("[1, 3, 64, 64]"), "{e}");
    let e = refused(|s| s.input = (100, 64));
    assert!(e.contains("input 100×64") && e.contains("multiple of 32"), "{e}");
    for change in [
        (|s| s.input = (1 << 31, 1 << 31)) as fn(&mut ModelSpec),
        |s| s.scale[1] = 0.0,
        |s| s.mean[0] = f32::NAN,
        |s| s.threshold = f32::NAN,
        |s| s.nms = 1.5,
        |s| s.labels = vec![None; 3],
    ] {
        let e = refused(change);
        assert!(e.contains("model cells: its manifest says"), "{e}");
    }
    let e = Detector::new(runtime, &spec(), &MODEL[..700]).unwrap_err();
    assert!(matches!(&e, DetectError::Model { model, .. } if model == "cells") && e.to_string().contains("models pull"), "{e}");
    assert!(matches!(Detector::new(runtime, &spec(), b"").unwrap_err(), DetectError::Model { .. }));
}

#[test]
fn a_picture_that_does_not_fit_is_refused_and_the_next_one_is_looked_at() {
    let name = "a_picture_that_does_not_fit_is_refused_and_the_next_one_is_looked_at";
    let Some(mut detector) = detector(name, &spec()) else { return };
    for wrong in [
        picture(98, 64, &[]),
        picture(96, 66, &[]),
        Picture { width: 96, height: 64, data: vec![0; 100] },
        Picture { width: 0, height: 0, data: vec![] },
        Picture { width: u32::MAX, height: u32::MAX, data: vec![] },
    ] {
        let e = detector.detect(&wrong).unwrap_err();
        assert!(matches!(e, DetectError::Picture { input_width: 96, input_height: 64, .. }), "{e}");
    }
    assert_eq!(seen(&mut detector, &picture(96, 64, &[([24, 16, 8, 8], BLUE)])).len(), 1);
}
