//! Viewing copies: the real program, encoded clips in, marked pictures out.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod support;

use domain::{WallTime, geometry::Point, mask::Mask};
use support::{
    capture,
    clip::{Clip, Wanted, samples as clip},
    viewing::{self, Film, TITLE, copy, font, samples, whole},
};
use vision::CopyError;

/// As the worker does: letters of a thirtieth of the height in a strip of at most twice that.
fn strip(height: usize) -> usize {
    (height / 30).max(10) * 2
}

/// Every picture is there, marked at the top and at the bottom, and between them as it was.
fn assert_marked(film: &Film, clip: &Clip, first: usize) {
    let (made, original) = (film.luma(), clip.pictures());
    assert_eq!(made.len(), film.pictures.len());
    for (made, original) in made.iter().zip(&original[first..]) {
        let (height, strip) = (made.height, strip(made.height));
        let between = made.psnr(original, strip..height - strip);
        let (top, bottom) = (made.psnr(original, 0..strip), made.psnr(original, height - strip..height));
        assert!(between > 30.0 && top < 20.0 && bottom < 20.0, "{between} dB, marks {top} and {bottom}");
    }
}

#[test]
fn every_picture_is_there_once_in_its_order_and_marked() {
    for (h265, b_frames) in [(false, 0), (false, 2), (true, 2)] {
        let clip = clip(&Wanted { h265, b_frames, pattern: "smpte", ..Wanted::default() });
        let film = whole(std::slice::from_ref(&clip));
        assert_eq!((film.copied.wanted, film.copied.shown), (60, 60), "h265 {h265} b {b_frames}");
        assert_eq!((film.format.width, film.format.height), (640, 360));
        let mut want: Vec<WallTime> = clip.samples.iter().map(|(head, _)| head.capture).collect();
        want.sort();
        assert_eq!(film.pictures.iter().map(|p| p.0).collect::<Vec<_>>(), want);
        assert!(film.pictures[0].1, "it begins at a key frame");
        assert_marked(&film, &clip, 0);
    }
}

#[test]
fn only_the_range_is_shown_though_more_is_decoded() {
    let clip = clip(&Wanted { b_frames: 2, ..Wanted::default() });
    let at = |n: i64| capture(n * 6000);
    let film = copy(samples(std::slice::from_ref(&clip)), at(10), at(40), &font()).unwrap();
    assert_eq!((film.copied.wanted, film.copied.shown, film.pictures.len()), (30, 30, 30));
    assert_eq!((film.pictures[0].0, film.pictures[29].0), (at(10), at(39)));
}

#[test]
fn a_film_that_changes_its_size_and_codec_stays_one_film() {
    let first = clip(&Wanted { pictures: 20, ..Wanted::default() });
    let tall = clip(&Wanted { pictures: 20, width: 480, height: 640, h265: true, pattern: "white", ..Wanted::default() }).later(20 * 6000);
    let film = whole(&[first, tall]);
    assert_eq!((film.copied.shown, film.format.width, film.format.height), (40, 640, 360));
    let last = &film.luma()[39];
    let pixel = |x: usize| last.bytes[180 * 640 + x];
    assert!(pixel(320) > 200 && pixel(20) < 30 && pixel(620) < 30, "whole, in its shape, black beside it: {} {}", pixel(20), pixel(320));
}

#[test]
fn what_is_larger_than_full_hd_becomes_full_hd() {
    let film = whole(&[clip(&Wanted { width: 2560, height: 1440, pictures: 4, ..Wanted::default() })]);
    assert_eq!((film.copied.shown, film.format.width, film.format.height), (4, 1920, 1080));
}

#[test]
fn broken_samples_cost_their_group_and_are_counted() {
    let mut broken = clip(&Wanted { pictures: 90, ..Wanted::default() });
    // A key frame that is noise: nothing of its group can be decoded.
    for (head, data) in &mut broken.samples[30..33] {
        let mut noise = 12345u32;
        for byte in data.iter_mut().skip(8) {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = (noise >> 24) as u8;
        }
        head.len = data.len() as u32;
    }
    let film = whole(&[broken]);
    assert_eq!(film.copied.wanted, 90);
    assert!((59..90).contains(&film.copied.shown), "{:?}", film.copied);
    // What came behind is there again.
    assert_eq!(film.pictures.last().unwrap().0, capture(89 * 6000));
    assert_eq!(film.luma().len() as u64, film.copied.shown);
}

#[test]
fn after_a_hole_it_begins_anew() {
    let first = clip(&Wanted { pictures: 20, b_frames: 2, ..Wanted::default() });
    let mut later = clip(&Wanted { pictures: 20, b_frames: 2, ..Wanted::default() }).later(3600 * 90_000);
    later.samples[0].0.loss_before = true;
    assert_eq!(whole(&[first, later]).copied.shown, 40);
}

/// The left third.
fn left() -> Mask {
    [[0.0, 0.0], [0.33, 0.0], [0.33, 1.0], [0.0, 1.0]].map(Point::from).to_vec()
}

#[test]
fn a_covered_film_shows_nothing_of_its_masks_and_no_words() {
    let white = clip(&Wanted { pictures: 20, pattern: "white", ..Wanted::default() });
    let film = viewing::covered(samples(&[white]), vec![left()]);
    assert_eq!((film.copied.shown, film.format.width, film.format.height), (20, 640, 360));
    for picture in film.luma() {
        let pixel = |x: usize, y: usize| picture.bytes[y * 640 + x];
        for y in [2, 180, 357] {
            assert!(pixel(5, y) < 30 && pixel(200, y) < 30, "covered at {y}: {} {}", pixel(5, y), pixel(200, y));
            assert!(pixel(230, y) > 200 && pixel(600, y) > 200, "seen at {y}: {} {}", pixel(230, y), pixel(600, y));
        }
    }
}

#[test]
fn a_mask_stays_on_its_part_of_the_picture_when_the_picture_changes_its_shape() {
    let wide = clip(&Wanted { pictures: 5, pattern: "white", ..Wanted::default() });
    let tall = clip(&Wanted { pictures: 5, width: 360, height: 360, pattern: "white", ..Wanted::default() }).later(5 * 6000);
    let film = viewing::covered(samples(&[wide, tall]), vec![left()]);
    let pictures = film.luma();
    assert_eq!(pictures.len(), 10);
    let pixel = |n: usize, x: usize| pictures[n].bytes[180 * 640 + x];
    // Of 640 pixels the picture has 360 in the middle: its left third ends at 140 + 119.
    assert!(pixel(9, 250) < 30 && pixel(9, 270) > 200 && pixel(9, 490) > 200, "{} {} {}", pixel(9, 250), pixel(9, 270), pixel(9, 490));
    assert!(pixel(0, 205) < 30 && pixel(0, 250) > 200);
}

#[test]
fn masks_that_cannot_be_are_refused() {
    let clip = clip(&Wanted { pictures: 5, ..Wanted::default() });
    let refused = viewing::try_covered(samples(&[clip]), vec![vec![Point::from([0.0, 2.0])]]).unwrap_err();
    assert!(matches!(&refused, CopyError::Refused(why) if why.contains("cannot be")), "{refused}");
}

#[test]
fn without_letters_or_pictures_there_is_no_copy_and_why_is_said() {
    let clip = clip(&Wanted { pictures: 5, ..Wanted::default() });
    let all = (WallTime(i64::MIN), WallTime(i64::MAX));
    let refused = copy(samples(std::slice::from_ref(&clip)), all.0, all.1, b"no font").unwrap_err();
    assert_eq!(refused.to_string(), "the worker cannot make a viewing copy: the font cannot be read");
    let mut noise = clip.clone();
    noise.samples.iter_mut().for_each(|(_, data)| data.iter_mut().skip(4).for_each(|b| *b = 0x55));
    let refused = copy(samples(&[noise]), all.0, all.1, &font()).unwrap_err();
    assert!(matches!(&refused, CopyError::Refused(why) if why.contains("no picture")), "{refused}");
    let nowhere = vision::SystemLauncher { program: "/nowhere/matthon-worker".into(), ..viewing::launcher() };
    let spec =
        vision::protocol::copy::Spec { from: all.0, to: all.1, title: TITLE.into(), fit: (1920, 1080), kbit: 4000, masks: Vec::new() };
    let wanted = vision::Wanted { spec, font: &font(), words: &|_| String::new(), go_on: &|| true };
    let missing = vision::copy(&nowhere, &wanted, samples(&[clip]).into_iter().map(Ok), |_| Ok(())).unwrap_err();
    assert!(missing.to_string().contains("install matthon-worker"), "{missing}");
}
