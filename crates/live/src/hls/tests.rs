//! A player that follows the rules reads exactly the fragments, in order; and the window stays within its bounds.

use super::{
    address::{At, File},
    window::{Found, Fragment, Reach, Window},
};
use bytes::Bytes;
use domain::WallTime;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// What happens to a stream.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// A frame this many ticks after the one before.
    Frame { step: u64, key: bool, size: usize },
    /// The next frame is a key frame that says it lost something.
    Loss,
    /// The viewer was too slow.
    Skipped,
    /// Other parameters.
    Format,
}

/// Feeds a window and remembers what a player must get.
struct Feed {
    window: Window,
    time: u64,
    run: u32,
    number: u64,
    loss: bool,
    waiting: bool,
    /// Numbers of the fragments that can be played, with whether something is missing before them.
    due: Vec<(u64, bool)>,
}

impl Feed {
    fn new() -> Self {
        let mut window = Window::new();
        window.init(Bytes::from_static(&[0; 4]));
        Self { window, time: 1000, run: 0, number: 0, loss: false, waiting: true, due: Vec::new() }
    }

    fn capture(time: u64) -> WallTime {
        WallTime::from_secs(1_795_430_520).plus_micros(i64::try_from(time * 100 / 9).unwrap())
    }

    fn play(&mut self, event: Event) {
        match event {
            Event::Frame { step, key, size } => {
                let key = key || self.loss;
                self.time += step;
                let mut bytes = self.number.to_be_bytes().to_vec();
                bytes.extend_from_slice(&self.run.to_be_bytes());
                bytes.resize(bytes.len() + size, 0);
                let broken = self.waiting || self.loss;
                if !broken || key {
                    self.due.push((self.number, broken));
                    self.waiting = false;
                }
                let (time, capture) = (self.time, Self::capture(self.time));
                let loss_before = std::mem::take(&mut self.loss);
                self.window.push(Fragment { bytes: bytes.into(), random_access: key, time, capture, loss_before });
                self.number += 1;
            }
            Event::Loss => self.loss = true,
            Event::Skipped => {
                self.window.skipped();
                self.waiting = true;
            }
            Event::Format => {
                self.run += 1;
                self.window.init(Bytes::copy_from_slice(&self.run.to_be_bytes()));
                self.waiting = true;
            }
        }
    }
}

/// A segment as a playlist tells it.
#[derive(Clone, Debug, Default)]
struct Told {
    number: u64,
    init: String,
    discontinuities: u64,
    /// Address and seconds.
    parts: Vec<(String, f64)>,
    whole: Option<f64>,
    time: String,
}

#[derive(Debug, Default)]
struct Playlist {
    target: f64,
    part_target: f64,
    sequence: u64,
    segments: Vec<Told>,
    hint: Option<String>,
}

fn parse(text: &str) -> Playlist {
    let mut list = Playlist::default();
    let (mut now, mut init, mut gone) = (Told::default(), String::new(), 0);
    let attribute = |rest: &str, name: &str| {
        rest.split_once(&format!("{name}=")).map(|(_, v)| v.split(',').next().unwrap().trim_matches('"').to_owned())
    };
    for line in text.lines() {
        let (tag, rest) = line.split_once(':').unwrap_or((line, ""));
        match tag {
            "#EXT-X-TARGETDURATION" => list.target = rest.parse().unwrap(),
            "#EXT-X-PART-INF" => list.part_target = attribute(rest, "PART-TARGET").unwrap().parse().unwrap(),
            "#EXT-X-MEDIA-SEQUENCE" => list.sequence = rest.parse().unwrap(),
            "#EXT-X-DISCONTINUITY-SEQUENCE" => gone = rest.parse().unwrap(),
            "#EXT-X-DISCONTINUITY" => gone += 1,
            "#EXT-X-MAP" => init = attribute(rest, "URI").unwrap(),
            "#EXT-X-PROGRAM-DATE-TIME" => now.time = rest.to_owned(),
            "#EXT-X-PART" => now.parts.push((attribute(rest, "URI").unwrap(), attribute(rest, "DURATION").unwrap().parse().unwrap())),
            "#EXTINF" => now.whole = Some(rest.trim_end_matches(',').parse().unwrap()),
            "#EXT-X-PRELOAD-HINT" => list.hint = attribute(rest, "URI"),
            _ if line.starts_with('#') => {}
            _ => list.segments.push(std::mem::take(&mut now)),
        }
        // Whatever comes first of a segment finds its place by these.
        (now.init, now.discontinuities) = (init.clone(), gone);
        now.number = list.sequence + list.segments.len() as u64;
    }
    if !now.parts.is_empty() {
        list.segments.push(now);
    }
    list
}

fn fetch(window: &Window, name: &str) -> Vec<Bytes> {
    match window.file(File::read(name).unwrap()) {
        Found::Here(bytes) => bytes,
        other => panic!("{name} is named and {other:?}"),
    }
}

/// Reads on from where it was: segment, part. Takes whole segments where it can if it `likes` them.
struct Player {
    at: Option<(u64, usize)>,
    likes_whole: bool,
    got: Vec<u64>,
    discontinuities: BTreeMap<u64, u64>,
    sequence: u64,
    target: f64,
}

impl Player {
    fn read(&mut self, feed: &Feed) {
        let text = feed.window.playlist("");
        let list = parse(&text);
        assert!(list.sequence >= self.sequence && list.target >= self.target, "{text}");
        (self.sequence, self.target) = (list.sequence, list.target);
        for told in &list.segments {
            for (_, seconds) in &told.parts {
                assert!(*seconds <= list.part_target + 1e-9, "{text}");
            }
            assert!(told.whole.is_none_or(|seconds| seconds.round() <= list.target), "{text}");
            let before = self.discontinuities.insert(told.number, told.discontinuities);
            assert!(before.is_none_or(|before| before == told.discontinuities), "{text}");
            let (number, part) = self.at.unwrap_or((told.number, 0));
            if told.number < number {
                continue;
            }
            assert_eq!(told.number, number, "nothing is left out\n{text}");
            let fragments = if told.whole.is_some() && part == 0 && (self.likes_whole || told.parts.is_empty()) {
                fetch(&feed.window, &File::Segment(number).to_string())
            } else {
                told.parts.iter().skip(part).flat_map(|(name, _)| fetch(&feed.window, name)).collect()
            };
            let init = fetch(&feed.window, &told.init);
            for (nth, fragment) in fragments.iter().enumerate() {
                let sequence = u64::from_be_bytes(fragment[..8].try_into().unwrap());
                assert_eq!(fragment[8..12], init[0][..], "its own parameters\n{text}");
                if part == 0 && nth == 0 {
                    let broken = feed.due.iter().find(|(n, _)| *n == sequence).unwrap().1;
                    let apart = self.discontinuities.get(&(number - 1)).is_some_and(|before| *before != told.discontinuities);
                    assert!(self.got.is_empty() || broken == apart, "{sequence} {broken}\n{text}");
                }
                self.got.push(sequence);
            }
            self.at = Some(if told.whole.is_some() { (number + 1, 0) } else { (number, told.parts.len()) });
        }
        if let Some(hint) = list.hint {
            assert_eq!(feed.window.file(File::read(&hint).unwrap()), Found::Soon);
        }
    }
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let frame = (prop_oneof![6 => Just(3600_u64), 2 => 900..9000_u64, 1 => 9000..40_000_u64], prop::bool::weighted(0.06), 0..40_usize)
        .prop_map(|(step, key, size)| Event::Frame { step, key, size });
    let event = prop_oneof![200 => frame, 1 => Just(Event::Loss), 1 => Just(Event::Skipped), 1 => Just(Event::Format)];
    proptest::collection::vec(event, 1..900)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn who_reads_on_gets_every_fragment_once_in_order(events in events(), every in 1..40_usize, likes_whole in any::<bool>()) {
        let mut feed = Feed::new();
        let mut player = Player { at: None, likes_whole, got: Vec::new(), discontinuities: BTreeMap::new(), sequence: 0, target: 0.0 };
        let mut unfit = false;
        for (n, event) in events.into_iter().enumerate() {
            feed.play(event);
            unfit |= feed.window.unfit();
            if n % every == 0 && feed.window.ready() && !unfit {
                player.read(&feed);
            }
        }
        if let Some(first) = player.got.first() {
            let due: Vec<u64> = feed.due.iter().map(|(n, _)| *n).skip_while(|n| n != first).take(player.got.len()).collect();
            prop_assert_eq!(&player.got, &due);
        }
    }

    #[test]
    fn what_is_held_is_bounded(keys in 1..400_usize, size in 0..200_000_usize, frames in 1..400_usize) {
        let mut feed = Feed::new();
        for n in 0..frames {
            feed.play(Event::Frame { step: 3600, key: n % keys == 0, size });
            let (bytes, parts) = feed.window.held();
            prop_assert!(bytes <= (24 << 20) + size + 12 && parts <= 1100, "{} bytes, {} parts", bytes, parts);
        }
    }

    #[test]
    fn a_place_is_here_soon_or_far_and_never_goes_back(frames in 30..400_usize, ahead in 0..5_u64, part in proptest::option::of(0..60_u64)) {
        let mut feed = Feed::new();
        let (mut at, mut before) = (None, Reach::Far);
        for n in 0..frames + 400 {
            feed.play(Event::Frame { step: 3600, key: n % 25 == 0, size: 0 });
            let Some(first) = feed.window.segments.front() else { continue };
            let at = *at.get_or_insert(At { segment: first.number + ahead, part });
            let now = feed.window.reach(at);
            prop_assert!(!(before == Reach::Here && now != Reach::Here), "{:?} {:?} {:?}", at, before, now);
            before = now;
        }
        // With 25 frames a second and a key frame every second all of these have come.
        prop_assert_eq!(before, Reach::Here);
    }
}

fn steady(fps: u64, gop: u64, frames: u64) -> Feed {
    let mut feed = Feed::new();
    for n in 0..frames {
        feed.play(Event::Frame { step: 90_000 / fps, key: n % gop == 0, size: 0 });
    }
    feed
}

#[test]
fn parts_of_a_steady_camera_are_as_long_as_they_say() {
    // Frames a second, and the part that is nearest to 200 ms and not longer, or one frame.
    for (fps, part) in [(25, 0.2), (30, 0.2), (15, 0.2), (12, 0.167), (10, 0.2), (5, 0.2), (4, 0.25), (1, 1.0)] {
        let text = steady(fps, fps * 2, fps * 7).window.playlist("?stream=sub");
        let list = parse(&text);
        assert!((list.part_target - part).abs() < 1e-9, "{fps}: {text}");
        assert!((list.target - 2.0).abs() < 1e-9, "{fps}: {text}");
        for told in list.segments.iter().filter(|told| told.whole.is_some()) {
            let (_, last) = told.parts.split_last().unwrap();
            assert!(last.iter().all(|(_, seconds)| *seconds >= 0.85 * part), "only the last may be short: {text}");
            assert!(told.parts[0].0.ends_with("-0.m4s?stream=sub") && told.init == "init-0.mp4?stream=sub");
        }
    }
}

#[test]
fn short_groups_share_a_segment_and_endless_ones_are_refused_in_words() {
    let list = parse(&steady(25, 5, 200).window.playlist(""));
    assert!(list.segments.iter().filter_map(|told| told.whole).all(|seconds| (seconds - 1.0).abs() < 1e-9), "{list:?}");
    let endless = steady(25, 1_000_000, 400);
    assert!(endless.window.unfit());
    let slow = steady(25, 200, 1200);
    assert!(slow.window.ready() && !slow.window.unfit());
    assert!((parse(&slow.window.playlist("")).target - 8.0).abs() < 1e-9);
}

#[test]
fn it_begins_when_there_is_something_to_begin_with() {
    let mut feed = Feed::new();
    let mut n = 0;
    while !feed.window.ready() {
        feed.play(Event::Frame { step: 3600, key: n == 0, size: 0 });
        n += 1;
    }
    assert_eq!(n, 51, "2 s of the first group, and the frame that ends them");
    assert!((parse(&feed.window.playlist("")).target - 4.0).abs() < 1e-9);
    let first = feed.window.segments[0].number;
    assert_eq!(first, (1_795_430_520 - 1_735_689_600) * 2);
    for (segment, part, reach) in [
        (first, Some(9), Reach::Here),
        (first, Some(10), Reach::Soon),
        (first, Some(25), Reach::Soon),
        (first, Some(26), Reach::Far),
        (first, None, Reach::Soon),
        (first + 1, Some(0), Reach::Soon),
        (first + 1, Some(16), Reach::Far),
        (first + 2, None, Reach::Far),
        (first - 1, Some(1000), Reach::Here),
    ] {
        assert_eq!(feed.window.reach(At { segment, part }), reach, "{segment} {part:?}");
    }
    assert_eq!(feed.window.file(File::Part(first, 10)), Found::Soon);
    assert_eq!(feed.window.file(File::Part(first, 11)), Found::Never);
    assert_eq!(feed.window.file(File::Segment(first)), Found::Never);
    assert_eq!(feed.window.file(File::Init(1)), Found::Never);
}

#[test]
fn the_time_of_a_segment_is_its_capture() {
    let feed = steady(25, 50, 120);
    let list = parse(&feed.window.playlist(""));
    let times: Vec<WallTime> = list.segments.iter().map(|told| WallTime::parse(&told.time).unwrap()).collect();
    assert_eq!(times[1].micros_since(times[0]), 2_000_000);
}
