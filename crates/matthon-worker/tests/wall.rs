//! Walls: the real program, many encoded streams in, one encoded picture of all of them out.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod support;

use domain::{VideoCodec, WallTime};
use support::{
    clip::{Clip, Wanted, samples as clip},
    walling::{Made, Shown, Wall, decoded},
};
use vision::{
    protocol::wall::{Rect, Screen, Tile},
    wall::layout,
};

const NOW: WallTime = WallTime(1_700_000_000_000_000);

fn plain(pattern: &'static str) -> Clip {
    clip(&Wanted { pattern, pictures: 15, gop: 15, ..Wanted::default() })
}

fn screen(tiles: &[(u16, &str)], veiled: bool) -> Screen {
    let places = layout::even(tiles.len());
    let tile = |((source, name), place): (&(u16, &str), Rect)| Tile {
        source: *source,
        place,
        name: (*name).to_owned(),
        caption: String::new(),
        masks: Vec::new(),
    };
    Screen {
        head: ("Thôn Duyên Hy".into(), "17:42".into()),
        head_place: Some(layout::head()),
        tiles: tiles.iter().zip(places).map(tile).collect(),
        lost: "Mất hình".into(),
        lines: Vec::new(),
        veiled,
    }
}

/// Where no letters are.
fn middle(place: Rect) -> (u32, u32) {
    (place.x + place.w / 2, place.y + place.h / 3)
}

fn last(config: &[u8], made: &[Made]) -> Shown {
    decoded(config, made).pop().unwrap()
}

#[test]
fn it_is_one_stream_that_every_tv_plays_with_a_key_frame_each_second() {
    let mut wall = Wall::start(&screen(&[(0, "Cổng làng")], false));
    wall.begin(0, &clip(&Wanted { pictures: 15, ..Wanted::default() }), NOW);
    let (config, made) = wall.draw(35, NOW);
    let config = config.unwrap();
    let format = media::params::video_format(VideoCodec::H264, &config).unwrap();
    assert_eq!((format.width, format.height, format.frame_duration), (1920, 1080, Some(9000)), "1080p at 10 fps");
    // avcC: profile (high), its constraints, level 4.1.
    assert_eq!((config[1], config[3]), (100, 41), "{}", format.codecs);
    let keys: Vec<usize> = made.iter().enumerate().filter(|(_, m)| m.random_access).map(|(n, _)| n).collect();
    assert_eq!(keys, [0, 10, 20, 30]);
    assert_eq!(made.iter().map(|m| m.at).collect::<Vec<_>>()[34], NOW.plus_micros(3_400_000), "times come back as they went");
    assert_eq!(decoded(&config, &made).len(), 35, "every picture can be decoded, and none is held back");
}

#[test]
fn every_tile_shows_its_own_camera_and_its_name_and_one_without_pictures_says_so() {
    let tiles = [(0, "Cổng làng"), (1, "Chợ"), (2, "Trường học"), (3, "Bãi rác")];
    let view = screen(&tiles, false);
    let mut wall = Wall::start(&view);
    for (source, pattern) in [(0, "white"), (1, "red"), (2, "blue")] {
        wall.begin(source, &plain(pattern), NOW);
    }
    let (config, made) = wall.draw(3, NOW);
    let shown = last(&config.unwrap(), &made);
    let near = |(x, y): (u32, u32), wanted: [u8; 3]| {
        let is = shown.at(x, y);
        assert!(is.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) < 12), "{is:?} at {x} {y}, not {wanted:?}");
    };
    let places: Vec<Rect> = view.tiles.iter().map(|t| t.place).collect();
    near(middle(places[0]), [235, 128, 128]);
    near(middle(places[1]), [81, 90, 240]);
    near(middle(places[2]), [41, 240, 110]);
    near(middle(places[3]), [44, 130, 126]);
    // A name: white letters on a dark strip at the bottom left; nothing of it at the bottom right.
    let strip = |place: Rect, x: u32| (0..40).map(|n| shown.at(place.x + x + n, place.y + place.h - 24)[0]).collect::<Vec<_>>();
    let dark = |row: &[u8]| row.iter().any(|l| *l < 90);
    assert!(dark(&strip(places[0], 20)) && !dark(&strip(places[0], places[0].w - 60)), "the name of a white picture");
    // In the middle of the one that is lost: letters.
    let (x, y) = (places[3].x + places[3].w / 2, places[3].y + places[3].h / 2);
    assert!((0..200).any(|n| shown.at(x - 100 + n, y)[0] > 180), "it says that there is no picture");
    assert!((0..300).any(|n| shown.at(10 + n, 30)[0] > 180), "the village's name at the top");
}

#[test]
fn a_picture_that_is_no_longer_of_now_is_not_shown_and_comes_back_with_the_stream() {
    let view = screen(&[(0, "Cổng làng")], false);
    let mut wall = Wall::start(&view);
    let white = plain("white");
    wall.begin(0, &white, NOW);
    let (x, y) = middle(view.tiles[0].place);
    let (config, mut made) = wall.draw(2, NOW);
    let later = NOW.plus_micros(20_000_000);
    made.extend(wall.draw(2, later).1);
    let mut again = white.samples.clone();
    again[0].0.loss_before = true;
    wall.feed(0, &again, later);
    made.extend(wall.draw(2, later).1);
    let luma: Vec<u8> = decoded(&config.unwrap(), &made).iter().map(|s| s.at(x, y)[0]).collect();
    assert!(luma[1] > 220 && luma[3] < 60 && luma[5] > 220, "{luma:?}");
}

#[test]
fn behind_the_veil_nothing_small_is_left_of_a_picture() {
    // Squares of four pixels, red and green: about the strokes of a plate or the parts of a face on a small picture.
    let fine = clip(&Wanted { pattern: "checkers-4", pictures: 15, gop: 15, ..Wanted::default() });
    let contrast = |veiled: bool| {
        let view = screen(&[(0, "Cổng làng")], veiled);
        let mut wall = Wall::start(&view);
        wall.begin(0, &fine, NOW);
        let (config, made) = wall.draw(2, NOW);
        let place = view.tiles[0].place;
        last(&config.unwrap(), &made).contrast(place.x + 100..place.x + 900, place.y + 100..place.y + 500)
    };
    let (open, veiled) = (contrast(false), contrast(true));
    assert!(open > 15.0 && veiled < 4.0, "{open} and {veiled}");
}

#[test]
fn a_stream_that_is_noise_costs_its_tile_and_no_other() {
    let view = screen(&[(0, "Cổng làng"), (1, "Chợ")], false);
    let mut wall = Wall::start(&view);
    wall.begin(0, &plain("white"), NOW);
    let mut noise = plain("white");
    noise.samples.iter_mut().for_each(|(_, data)| data.iter_mut().skip(4).for_each(|b| *b = 0x55));
    wall.begin(1, &noise, NOW);
    // One without parameters, and one that nobody shows.
    wall.feed(7, &noise.samples, NOW);
    let (config, made) = wall.draw(3, NOW);
    let shown = last(&config.unwrap(), &made);
    let luma = |n: usize| {
        let (x, y) = middle(view.tiles[n].place);
        shown.at(x, y)[0]
    };
    assert!(luma(0) > 220 && luma(1) < 60, "{} {}", luma(0), luma(1));
    wall.worker.ping();
}

#[test]
fn a_plain_screen_has_its_lines_and_thirty_six_tiles_fit() {
    let mut wall = Wall::start(&Screen { lines: vec!["22:15".into(), "Thôn Duyên Hy".into()], ..Screen::default() });
    let (config, made) = wall.draw(2, NOW);
    let config = config.unwrap();
    let shown = last(&config, &made);
    let white = |y: std::ops::Range<u32>| y.flat_map(|y| (0..1920).map(move |x| (x, y))).filter(|(x, y)| shown.at(*x, *y)[0] > 200).count();
    assert!(white(400..700) > 5000 && white(0..300) == 0 && white(800..1080) == 0);
    let all: Vec<(u16, &str)> = (0..36).map(|n| (n % 2, "Cổng làng")).collect();
    let view = screen(&all, false);
    wall.say(&vision::protocol::wall::Down::Screen(view.clone()), &[]);
    wall.begin(0, &plain("white"), NOW);
    wall.begin(1, &plain("red"), NOW);
    // From its key frame on, so that the earlier pictures are not needed.
    let (_, more) = wall.draw(20, NOW);
    let from = more.iter().position(|m| m.random_access).unwrap();
    let shown = last(&config, &more[from..]);
    for (n, tile) in view.tiles.iter().enumerate() {
        let (x, y) = middle(tile.place);
        let luma = shown.at(x, y)[0];
        assert!(if n % 2 == 0 { luma > 220 } else { luma.abs_diff(81) < 12 }, "tile {n}: {luma}");
    }
}
