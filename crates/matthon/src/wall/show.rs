//! What a wall shows at a moment. Pure.
//!
//! Belongs here: which cameras, in which layout, with which words; pages and keys. Does not belong here: rectangles (`vision`), when a
//! wall is composed, where cases come from.

use domain::{MonoTime, WallMode, mask::Mask};
use std::time::Duration;
use vision::{
    protocol::wall::{Screen, TILES_MAX, Tile},
    wall::layout,
};

/// Cameras on a page, from one step of the keys to the next. Each fills its grid.
const STEPS: [usize; 6] = [1, 4, 9, 16, 25, TILES_MAX];
/// What a wall begins with, for names that are read from 5 m.
const USUAL: usize = 16;
/// How long a page stays, and one that somebody turned to.
const TURN: Duration = Duration::from_secs(20);
const HELD: Duration = Duration::from_secs(120);

/// The village, as far as walls are concerned.
#[derive(Clone, Debug)]
pub(crate) struct Village {
    pub(crate) site: String,
    pub(crate) english: bool,
    /// Names of cameras, in the order of the configuration.
    pub(crate) cameras: Vec<String>,
    /// What of each one's picture nobody is shown, in the same order.
    pub(crate) masks: Vec<Vec<Mask>>,
    /// When public walls are off, minutes after midnight.
    pub(crate) off: Option<(u16, u16)>,
}

/// Where somebody turned to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    page: usize,
    tiles: usize,
    until: MonoTime,
}

/// A camera with an open case, and what is said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) camera: usize,
    pub(crate) words: String,
}

/// What time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time {
    pub(crate) hour: u8,
    pub(crate) minute: u8,
}

impl Standing {
    pub(crate) fn new(cameras: usize, now: MonoTime) -> Self {
        // As few as show all, up to the usual.
        let tiles = STEPS.into_iter().find(|s| *s >= cameras.min(USUAL)).unwrap_or(USUAL);
        Self { page: 0, tiles, until: now.plus(TURN) }
    }

    /// Cameras on a page.
    pub(crate) fn tiles(&self) -> usize {
        self.tiles
    }

    /// The page, from 0 on, and how many there are.
    pub(crate) fn page(&self, cameras: usize) -> (usize, usize) {
        let pages = layout::pages(cameras, self.tiles);
        (self.page % pages, pages)
    }

    /// Turns to the next page when it is time.
    pub(crate) fn at(&mut self, cameras: usize, now: MonoTime) {
        if now >= self.until {
            self.step(cameras, 1);
            self.until = now.plus(TURN);
        }
    }

    /// Does what a key asks for.
    pub(crate) fn turn(&mut self, turn: web::Turn, cameras: usize, now: MonoTime) {
        match turn {
            web::Turn::Next => self.step(cameras, 1),
            web::Turn::Previous => self.step(cameras, -1),
            web::Turn::More => self.resize(STEPS.into_iter().find(|s| *s > self.tiles)),
            web::Turn::Fewer => self.resize(STEPS.into_iter().rev().find(|s| *s < self.tiles)),
        }
        self.until = now.plus(HELD);
    }

    fn step(&mut self, cameras: usize, by: isize) {
        let (page, pages) = self.page(cameras);
        self.page = (page + pages).saturating_add_signed(by) % pages;
    }

    /// The first camera on the screen stays on it.
    fn resize(&mut self, tiles: Option<usize>) {
        if let Some(tiles) = tiles {
            self.page = self.page * self.tiles / tiles;
            self.tiles = tiles;
        }
    }
}

impl Village {
    /// Whether public walls are off.
    pub(crate) fn night(&self, time: Time) -> bool {
        let now = u16::from(time.hour) * 60 + u16::from(time.minute);
        self.off.is_some_and(|(from, to)| if from < to { (from..to).contains(&now) } else { now >= from || now < to })
    }

    /// The screen of now.
    pub(crate) fn screen(&self, mode: WallMode, standing: &Standing, time: Time, open: Option<&Open>) -> Screen {
        let say = |vi: &'static str, en: &'static str| if self.english { en } else { vi };
        let clock = format!("{:02}:{:02}", time.hour, time.minute);
        if mode == WallMode::Public && self.night(time) {
            return Screen { lines: vec![clock, self.site.clone()], ..Screen::default() };
        }
        if self.cameras.is_empty() {
            let lines = vec![clock, self.site.clone(), say("Chưa có camera nào", "There is no camera yet").into()];
            return Screen { lines, ..Screen::default() };
        }
        let (page, pages) = standing.page(self.cameras.len());
        let mut shown: Vec<usize> = (0..self.cameras.len()).skip(page * standing.tiles).take(standing.tiles).collect();
        // Nothing about anyone in public, whoever asks.
        let open = open.filter(|open| mode == WallMode::Duty && open.camera < self.cameras.len());
        let places = match open {
            Some(open) => {
                shown.retain(|camera| *camera != open.camera);
                shown.truncate(TILES_MAX - 1);
                shown.insert(0, open.camera);
                layout::grown(shown.len())
            }
            None => layout::even(shown.len()),
        };
        let tile = |(camera, place): (usize, _)| {
            let caption = open.filter(|open| open.camera == camera).map(|open| open.words.clone()).unwrap_or_default();
            let masks = self.masks.get(camera).cloned().unwrap_or_default();
            Some(Tile { source: u16::try_from(camera).ok()?, place, name: self.cameras.get(camera)?.clone(), caption, masks })
        };
        let page = if pages > 1 { format!("{} {}/{pages}  ·  ", say("Trang", "Page"), page + 1) } else { String::new() };
        Screen {
            head: (self.site.clone(), format!("{page}{clock}")),
            head_place: Some(layout::head()),
            tiles: shown.into_iter().zip(places).filter_map(tile).collect(),
            lost: say("Mất hình", "No picture").into(),
            lines: Vec::new(),
            veiled: mode == WallMode::Public,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use web::Turn;

    const NOW: MonoTime = MonoTime(1_000_000);
    const NOON: Time = Time { hour: 12, minute: 5 };

    fn village(cameras: usize) -> Village {
        let masks = (0..cameras).map(masks).collect();
        let cameras = (0..cameras).map(|n| format!("Camera {n}")).collect();
        Village { site: "Thôn Duyên Hy".into(), english: false, cameras, masks, off: Some((1320, 300)) }
    }

    /// Every second camera has one, of its own.
    fn masks(camera: usize) -> Vec<Mask> {
        let corner = camera as f64 / 100.0;
        if camera.is_multiple_of(2) { Vec::new() } else { vec![vec![[corner, 0.0].into(), [0.5, 0.0].into(), [0.5, 0.5].into()]] }
    }

    #[test]
    fn every_tile_has_the_masks_of_its_camera_in_either_mode_and_layout() {
        let village = village(20);
        let standing = Standing::new(20, NOW);
        let open = Open { camera: 17, words: "nghi vấn xe tải".into() };
        for (mode, open) in [(WallMode::Public, None), (WallMode::Duty, None), (WallMode::Duty, Some(&open))] {
            let screen = village.screen(mode, &standing, NOON, open);
            assert!(screen.tiles.len() >= 16 && screen.tiles.iter().all(|t| t.masks == masks(t.source.into())), "{mode}");
        }
    }

    fn sources(screen: &Screen) -> Vec<u16> {
        screen.tiles.iter().map(|t| t.source).collect()
    }

    #[test]
    fn in_public_nobody_is_recognised_no_case_is_told_and_nights_are_dark() {
        let village = village(4);
        let standing = Standing::new(4, NOW);
        let open = Open { camera: 2, words: "nghi vấn xe tải".into() };
        let screen = village.screen(WallMode::Public, &standing, NOON, Some(&open));
        assert!(screen.veiled && screen.tiles.iter().all(|t| t.caption.is_empty()));
        assert_eq!(screen, village.screen(WallMode::Public, &standing, NOON, None));
        for (hour, minute, off) in [(21, 59, false), (22, 0, true), (23, 59, true), (0, 0, true), (4, 59, true), (5, 0, false)] {
            let screen = village.screen(WallMode::Public, &standing, Time { hour, minute }, None);
            assert_eq!(screen.tiles.is_empty(), off, "{hour}:{minute}");
            assert_eq!(screen.lines.first().map(String::as_str), off.then(|| format!("{hour:02}:{minute:02}")).as_deref());
        }
        let always = Village { off: None, ..village };
        assert_eq!(always.screen(WallMode::Public, &standing, Time { hour: 0, minute: 0 }, None).tiles.len(), 4);
    }

    #[test]
    fn on_duty_a_camera_with_an_open_case_grows_and_says_why_by_day_and_night() {
        let village = village(20);
        let standing = Standing::new(20, NOW);
        let open = Open { camera: 18, words: "nghi vấn xe tải đỗ sai chỗ – 17:42".into() };
        let screen = village.screen(WallMode::Duty, &standing, Time { hour: 23, minute: 0 }, Some(&open));
        assert!(!screen.veiled);
        // It is not even on this page.
        assert_eq!((screen.tiles[0].source, screen.tiles[0].caption.as_str()), (18, open.words.as_str()));
        assert!(screen.tiles[1..].iter().all(|t| t.caption.is_empty() && t.place.w < screen.tiles[0].place.w));
        assert_eq!(sources(&screen)[1..], (0..16).collect::<Vec<_>>());
        // A full page makes room.
        let mut full = Standing::new(36, NOW);
        full.turn(Turn::More, 36, NOW);
        full.turn(Turn::More, 36, NOW);
        let screen = village_of(36).screen(WallMode::Duty, &full, NOON, Some(&Open { camera: 35, words: "x".into() }));
        assert_eq!((screen.tiles.len(), screen.tiles[0].source), (36, 35));
        assert!(screen.is_sound());
        // A camera that is gone from the configuration does not matter.
        let gone = village_of(2).screen(WallMode::Duty, &standing, NOON, Some(&Open { camera: 7, words: "x".into() }));
        assert_eq!(sources(&gone), [0, 1]);
    }

    fn village_of(cameras: usize) -> Village {
        village(cameras)
    }

    #[test]
    fn pages_turn_by_themselves_and_stay_where_somebody_turned_to() {
        let village = village(30);
        let mut standing = Standing::new(30, NOW);
        let at = |standing: &Standing| sources(&village.screen(WallMode::Duty, standing, NOON, None))[0];
        let later = |s: u64| NOW.plus(Duration::from_secs(s));
        assert_eq!((standing.tiles(), standing.page(30)), (16, (0, 2)));
        let mut seen = Vec::new();
        for s in [0, 19, 20, 39, 40] {
            standing.at(30, later(s));
            seen.push(at(&standing));
        }
        assert_eq!(seen, [0, 0, 16, 16, 0]);
        standing.turn(Turn::Previous, 30, later(41));
        standing.at(30, later(41 + 119));
        assert_eq!(at(&standing), 16, "the one before the first is the last, and it stays");
        standing.at(30, later(41 + 120));
        assert_eq!(at(&standing), 0);
        let head = village.screen(WallMode::Duty, &standing, NOON, None).head;
        assert_eq!(head, ("Thôn Duyên Hy".to_owned(), "Trang 1/2  ·  12:05".to_owned()));
    }

    #[test]
    fn more_and_fewer_keep_what_is_looked_at() {
        let mut standing = Standing::new(30, NOW);
        let mut steps = vec![standing.tiles()];
        standing.turn(Turn::Next, 30, NOW);
        for turn in
            [Turn::Fewer, Turn::Fewer, Turn::Fewer, Turn::Fewer, Turn::More, Turn::More, Turn::More, Turn::More, Turn::More, Turn::More]
        {
            standing.turn(turn, 30, NOW);
            steps.push(standing.tiles());
            let (page, pages) = standing.page(30);
            assert!(page < pages);
        }
        assert_eq!(steps, [16, 9, 4, 1, 1, 4, 9, 16, 25, 36, 36]);
        for (cameras, tiles) in [(0, 1), (1, 1), (2, 4), (5, 9), (12, 16), (100, 16)] {
            assert_eq!(Standing::new(cameras, NOW).tiles(), tiles, "{cameras}");
        }
    }

    #[test]
    fn every_screen_can_be_drawn() {
        for cameras in 0..=80 {
            let mut standing = Standing::new(cameras, NOW);
            for turn in [Turn::Next, Turn::More, Turn::Next, Turn::More, Turn::Fewer, Turn::Previous, Turn::Fewer, Turn::Fewer] {
                standing.turn(turn, cameras, NOW);
                for camera in [0, cameras / 2, cameras] {
                    let open = Open { camera, words: "nghi vấn".into() };
                    let screen = village(cameras).screen(WallMode::Duty, &standing, NOON, Some(&open));
                    assert!(screen.is_sound() && (cameras == 0 || !screen.tiles.is_empty()), "{cameras} {standing:?}");
                }
            }
        }
    }
}
