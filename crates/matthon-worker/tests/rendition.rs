//! Renditions: the real program, one encoded stream in, the same pictures in H.264 out, covered.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod support;

use domain::{VideoCodec, geometry::Point, mask::Mask};
use support::{
    clip::{Clip, Wanted, samples as clip},
    rendering::{Made, Planes, Rendition, brightest},
};
use vision::protocol::{StillSource, rendition::Spec};

const PLAIN: Spec = Spec { fit: (1280, 1280), kbit: 3000, masks: Vec::new() };

fn mask(corners: &[[f64; 2]]) -> Mask {
    corners.iter().map(|c| Point::from(*c)).collect()
}

fn shown(clip: &Clip) -> Vec<i64> {
    let mut all: Vec<i64> = clip.samples.iter().map(|(head, _)| head.pts).collect();
    all.sort_unstable();
    all
}

fn times(made: &[Made]) -> Vec<i64> {
    made.iter().map(|m| m.pts).collect()
}

#[test]
fn every_picture_comes_in_the_order_of_showing_and_looks_like_itself() {
    for (h265, b_frames) in [(false, 0), (true, 0), (true, 2)] {
        let clip = clip(&Wanted { h265, b_frames, pattern: "smpte", ..Wanted::default() });
        let mut rendition = Rendition::start(&PLAIN);
        rendition.feed(&clip);
        let made = rendition.end();
        // The decoder holds the last ones back: they come with the next samples.
        let (want, held) = (shown(&clip), b_frames as usize + 1);
        assert!(made.len() >= want.len() - held, "{} of {} (h265 {h265}, b {b_frames})", made.len(), want.len());
        assert_eq!(times(&made), want[..made.len()], "h265 {h265} b {b_frames}");
        assert!(made.iter().all(|m| m.capture == support::capture(m.pts)), "each with its own capture time");
        let config = made[0].config.clone().expect("a format before the first");
        let format = media::params::video_format(VideoCodec::H264, &config).unwrap();
        assert_eq!((format.width, format.height, config[1], config[3]), (640, 360, 100, 41), "{}", format.codecs);
        // A key frame a second, by the pictures' times.
        let keys: Vec<i64> = made.iter().filter(|m| m.random_access).map(|m| m.pts / 90_000).collect();
        assert_eq!(keys, [0, 1, 2, 3], "h265 {h265} b {b_frames}");
        let (before, after) = (clip.pictures(), support::rendering::luma(&made));
        for (n, (before, after)) in before.iter().zip(&after).enumerate() {
            let alike = before.psnr(after, 0..360);
            assert!(alike > 30.0, "picture {n}: {alike} dB");
        }
    }
}

#[test]
fn a_stream_that_changes_its_size_goes_on_at_a_key_frame_with_a_new_format_and_large_ones_are_made_smaller() {
    let small = clip(&Wanted { pictures: 15, ..Wanted::default() });
    let large = clip(&Wanted { pictures: 15, width: 1920, height: 1080, h265: true, ..Wanted::default() }).later(90_000);
    let mut rendition = Rendition::start(&PLAIN);
    rendition.feed(&small);
    rendition.feed(&large);
    let made = rendition.end();
    let sizes: Vec<_> = made
        .iter()
        .filter_map(|m| m.config.as_ref().map(|c| (m.random_access, media::params::video_format(VideoCodec::H264, c).unwrap())))
        .map(|(key, f)| (key, f.width, f.height))
        .collect();
    assert_eq!(sizes, [(true, 640, 360), (true, 1280, 720)]);
    assert!(times(&made).is_sorted());
}

#[test]
fn noise_costs_its_pictures_and_no_more_and_after_a_hole_it_begins_at_a_key_frame() {
    let good = clip(&Wanted { pictures: 30, gop: 10, ..Wanted::default() });
    let mut broken = good.later(180_000);
    broken.samples.iter_mut().for_each(|(_, data)| data.iter_mut().skip(4).for_each(|b| *b = 0x55));
    let mut again = good.later(20_000);
    again.samples[0].0.loss_before = true;
    let mut rendition = Rendition::start(&PLAIN);
    for part in [&good, &broken, &again] {
        rendition.feed(part);
    }
    let made = rendition.end();
    let hole = made.windows(2).position(|m| m[1].pts < m[0].pts).expect("times went back") + 1;
    assert!(hole >= 25 && made.len() - hole >= 25, "{hole} and {}", made.len() - hole);
    assert!(made[hole].random_access, "whoever shows it begins anew");
}

#[test]
fn nothing_in_a_mask_is_left_in_a_rendition_or_a_still() {
    // White and red shine through wherever something is left open; at the border, pointed inwards, thin.
    let masks = [
        mask(&[[0.0, 0.0], [0.31, 0.0], [0.27, 0.42], [0.0, 0.36]]),
        mask(&[[0.5, 0.5], [0.9, 0.55], [0.6, 0.6], [0.62, 0.98], [0.55, 0.62]]),
        mask(&[[0.72, 0.03], [0.731, 0.04], [0.99, 0.33], [0.98, 0.335]]),
    ];
    let open = mask(&[[0.1, 0.8], [0.3, 0.8], [0.2, 0.95]]);
    let plain = |picture: &Planes, pattern: &str| match (pattern, brightest(picture, &open)) {
        ("white", (luma, _)) => luma > 220,
        (_, (_, chroma)) => chroma > 90,
    };
    for (width, height, h265, pattern) in [(640, 360, false, "white"), (352, 288, true, "red"), (1920, 1080, false, "white")] {
        let clip = clip(&Wanted { width, height, h265, pictures: 20, gop: 20, pattern, ..Wanted::default() });
        let mut rendition = Rendition::start(&Spec { masks: masks.to_vec(), ..PLAIN });
        rendition.feed(&clip);
        let made = rendition.end();
        let pictures = support::rendering::pictures(&made);
        assert!(pictures.len() > 15);
        for picture in &pictures {
            for (n, mask) in masks.iter().enumerate() {
                let (luma, chroma) = brightest(picture, mask);
                assert!(luma < 40 && chroma < 16, "mask {n} at {width} × {height}: luma {luma}, chroma off by {chroma}");
            }
            assert!(plain(picture, pattern), "the rest is as it was");
        }
        let mut worker = support::Worker::start(None);
        worker.masks = masks.to_vec();
        let (_, jpeg) = worker.still(StillSource::Samples { pts: 0 }, 500, 20_000, Some(&clip.memfd())).unwrap();
        let picture = support::rendering::jpeg(&jpeg);
        for (n, mask) in masks.iter().enumerate() {
            let (luma, chroma) = brightest(&picture, mask);
            // What JPEG lets ring into a block from the red beside it, which is off by 127; where there is none, it is black.
            assert!(luma < 40 && chroma < 40, "mask {n} of a still: luma {luma}, chroma off by {chroma}");
        }
        assert!(plain(&picture, pattern));
        worker.end();
    }
}

#[test]
fn what_cannot_be_is_refused() {
    for masks in [vec![mask(&[[0.0, 0.0], [1.0, 1.0]])], vec![mask(&[[0.0, 0.0], [1.5, 0.0], [0.0, 1.0]])]] {
        let why = Rendition::start(&Spec { masks, ..PLAIN }).refused();
        assert!(why.contains("cannot be"), "{why}");
    }
}
