//! Days in the life of a camera, pictures and sound, held to four promises: no hole, in step with the picture, never holding it
//! back, never far ahead.

#[path = "../../tests/support/mod.rs"]
mod support;

use super::mux::Mux;
use crate::mux;
use bytes::Bytes;
use domain::{AudioCodec, Format, Sample, WallTime};
use media::fmp4::{Fragment, parse_fragment};
use proptest::prelude::*;
use std::sync::Arc;

/// 320 bytes of G.711 at 8 kHz: 40 ms.
const PACKET: u64 = 3600;

fn law(rate: u32) -> Arc<Format> {
    Arc::new(Format::Audio(media::params::g711_format(AudioCodec::PcmA, rate, 1)))
}

/// AAC of an odd rate, 25,600 Hz, at which a frame is 40 ms, too.
fn aac() -> Arc<Format> {
    Arc::new(Format::Audio(media::params::aac_format(&[0x17, 0x80, 0x32, 0x00, 0x08]).unwrap()))
}

/// What a camera does for so many tenths of a second.
#[derive(Clone, Copy, Debug)]
enum Does {
    /// Sends pictures and sound.
    Both,
    /// Pictures come, sound does not.
    Mute,
    /// Sound comes, pictures do not.
    Blind,
    /// Nothing comes, and then a new session.
    Away,
    /// The box's clock is set by so many milliseconds, and both go on.
    Clock(i64),
}

/// One camera, the real mux of its pictures and the mux of its sound, and what was placed so far.
struct Camera {
    pictures: mux::Mux,
    sound: Mux,
    format: Arc<Format>,
    sounds: Arc<Format>,
    /// Truth, ms.
    now: i64,
    /// The box's clock less the truth, ms.
    clock: i64,
    session: i64,
    frames: u64,
    /// Pictures placed: truth in ms, place in ticks.
    shown: Vec<(i64, u64)>,
    /// Sound placed: the same, and the picture that was newest.
    heard: Vec<(i64, u64)>,
    end: Option<u64>,
    silent: u64,
}

impl Camera {
    fn new(sounds: Arc<Format>) -> Self {
        Self {
            pictures: mux::Mux::default(),
            sound: Mux::default(),
            format: support::format(),
            sounds,
            now: 0,
            clock: 0,
            session: 0,
            frames: 0,
            shown: Vec::new(),
            heard: Vec::new(),
            end: None,
            silent: 0,
        }
    }

    fn capture(&self, jitter: i64) -> WallTime {
        WallTime::from_secs(1_795_430_520).plus_micros((self.now + self.clock) * 1000 + jitter)
    }

    /// Forty milliseconds of it. The sound of a moment comes before or after its picture, as it happens.
    fn step(&mut self, pictures: bool, sounds: bool, jitter: i64) {
        if jitter % 2 == 0 && sounds {
            self.packet(jitter);
        }
        if pictures {
            self.picture();
        }
        if jitter % 2 != 0 && sounds {
            self.packet(jitter);
        }
        self.now += 40;
    }

    fn picture(&mut self) {
        let dts = (self.now - self.session) * 90;
        let key = self.frames.is_multiple_of(25) || dts == 0;
        let lost = dts == 0;
        let sample = Sample { capture: self.capture(0), loss_before: lost, ..support::sample(&self.format, self.frames, dts, dts, key) };
        self.frames += 1;
        let Some(piece) = self.pictures.push(&sample).unwrap() else { return };
        self.shown.push((self.now, piece.time));
        if let Some(silence) = self.sound.picture(&piece) {
            let fragment = self.written(&silence.bytes);
            self.silent += fragment.pieces.iter().map(|p| u64::from(p.duration)).sum::<u64>();
        }
        if let Some(end) = self.end {
            assert!(piece.time <= end + 90_000, "the sound ends {} ticks before the picture", piece.time - end);
        }
    }

    fn packet(&mut self, jitter: i64) {
        self.packet_at(self.capture(jitter.rem_euclid(4) * 1000));
    }

    fn packet_at(&mut self, capture: WallTime) {
        let data = match &*self.sounds {
            Format::Audio(audio) if audio.codec == AudioCodec::Aac => Bytes::from_static(&[0x21; 60]),
            _ => Bytes::from(vec![0x35; 320]),
        };
        let sample = Sample { format: Arc::clone(&self.sounds), capture, data, ..support::sample(&self.sounds, 0, 0, 0, true) };
        let Some(piece) = self.sound.sound(&sample).unwrap() else { return };
        let fragment = self.written(&piece.bytes);
        let (last, silence) = fragment.pieces.split_last().unwrap();
        self.silent += silence.iter().map(|p| u64::from(p.duration)).sum::<u64>();
        let at = self.end.unwrap() - u64::from(last.duration);
        self.heard.push((self.now, at));
        let newest = self.shown.last().unwrap().1;
        assert!(at <= newest + 90_000 + 2 * 14_400 + 2 * PACKET, "{} ticks ahead of the picture", at - newest);
    }

    /// No hole, no overlap.
    fn written(&mut self, bytes: &[u8]) -> Fragment {
        let fragment = parse_fragment(bytes).unwrap();
        if let Some(end) = self.end {
            assert_eq!(fragment.base_dts, end, "sound follows sound");
        }
        self.end = Some(fragment.base_dts + fragment.pieces.iter().map(|p| u64::from(p.duration)).sum::<u64>());
        fragment
    }

    fn does(&mut self, what: Does, tenths: i64, jitter: &mut impl Iterator<Item = i64>) {
        if let Does::Clock(by) = what {
            self.clock += by;
        }
        let until = self.now + tenths * 100;
        while self.now < until {
            let jitter = jitter.next().unwrap();
            match what {
                Does::Both | Does::Clock(_) => self.step(true, true, jitter),
                Does::Mute => self.step(true, false, jitter),
                Does::Blind => self.step(false, true, jitter),
                Does::Away => self.now += 40,
            }
        }
        if matches!(what, Does::Away) {
            self.session = self.now;
        }
    }

    /// Every packet that was heard lies from a picture beside it as far as it was captured from it.
    fn in_step(&self, within: i64) {
        for (when, place) in &self.heard {
            let after = self.shown.partition_point(|(shown, _)| shown <= when);
            // One of that very moment may have come later than the sound did.
            let neighbours =
                [after.checked_sub(2), after.checked_sub(1), Some(after)].into_iter().flatten().filter_map(|n| self.shown.get(n));
            let off = neighbours.map(|(shown, at)| (*place as i64 - *at as i64 - (when - shown) * 90).abs()).min();
            assert!(off.is_some_and(|off| off <= within), "captured at {when} ms, {off:?} ticks off its picture");
        }
    }
}

fn life() -> impl Strategy<Value = Vec<(Does, i64)>> {
    let does = prop_oneof![
        4 => Just(Does::Both),
        2 => Just(Does::Mute),
        2 => Just(Does::Blind),
        1 => Just(Does::Away),
    ];
    proptest::collection::vec((does, 1..80_i64), 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn whatever_a_camera_does_sound_keeps_its_promises(life in life(), jitter in proptest::collection::vec(0..1000_i64, 50), rate in prop_oneof![Just(8_000_u32), Just(11_025), Just(16_000)]) {
        let mut camera = Camera::new(law(rate));
        let mut jitter = jitter.into_iter().cycle();
        for (what, tenths) in life {
            camera.does(what, tenths, &mut jitter);
        }
        // The tolerance, and what captures jitter.
        camera.in_step(5_400 + 400);
    }

    #[test]
    fn so_does_aac_in_whole_frames(life in life(), jitter in proptest::collection::vec(0..1000_i64, 50)) {
        let mut camera = Camera::new(aac());
        let mut jitter = jitter.into_iter().cycle();
        for (what, tenths) in life {
            camera.does(what, tenths, &mut jitter);
        }
        camera.in_step(5_760 + 400);
    }

    #[test]
    fn a_clock_that_is_set_costs_silence_and_no_order(steps in proptest::collection::vec((-5_000_000..5_000_000_i64, 1..60_i64), 1..6)) {
        let mut camera = Camera::new(law(8_000));
        let mut jitter = (0..1000).cycle();
        camera.does(Does::Both, 20, &mut jitter);
        for (by, tenths) in steps {
            camera.does(Does::Clock(by), tenths, &mut jitter);
        }
    }
}

#[test]
fn a_steady_camera_is_heard_whole() {
    let mut camera = Camera::new(law(8_000));
    let mut jitter = (0..1000).cycle();
    camera.does(Does::Both, 600, &mut jitter);
    // All but the packet before the first picture, and no silence.
    assert_eq!((camera.heard.len(), camera.silent), (1499, 0));
    camera.in_step(400);
}

#[test]
fn a_camera_that_goes_mute_is_silence_until_it_speaks() {
    let mut camera = Camera::new(law(8_000));
    let mut jitter = (0..1000).cycle();
    camera.does(Does::Both, 20, &mut jitter);
    let before = camera.heard.len();
    camera.does(Does::Mute, 100, &mut jitter);
    // A second is waited for, then silence keeps half a second behind the picture.
    assert_eq!(camera.heard.len(), before);
    let behind = camera.shown.last().unwrap().1 - camera.end.unwrap();
    assert!((41_000..=45_000).contains(&behind), "{behind}");
    camera.does(Does::Both, 20, &mut jitter);
    assert_eq!(camera.heard.len(), before + 50);
    assert!(camera.silent.abs_diff(10 * 90_000) < 400, "{}", camera.silent);
    camera.in_step(400);
}

#[test]
fn sound_of_a_time_without_pictures_is_not_heard_with_later_ones() {
    let mut camera = Camera::new(law(8_000));
    let mut jitter = (0..1000).cycle();
    camera.does(Does::Both, 20, &mut jitter);
    let before = camera.heard.len();
    camera.does(Does::Blind, 80, &mut jitter);
    // A second and a little ahead of the picture, no more.
    assert!((before + 24..before + 32).contains(&camera.heard.len()), "{}", camera.heard.len() - before);
    camera.does(Does::Both, 40, &mut jitter);
    // What was ahead is made up for by what is left out; then it goes on.
    let after = camera.heard.iter().filter(|(when, _)| *when >= 10_000).count();
    assert!((65..=76).contains(&after), "{after}");
    assert_eq!(camera.heard.last().unwrap().0, 13_960);
    camera.in_step(5_400 + 400);
}

#[test]
fn clocks_that_drift_apart_are_corrected_before_anybody_notices() {
    // For an hour: a packet of 40 ms comes every 40.008 ms, or every 39.992 ms.
    for drift in [8, -8] {
        let mut camera = Camera::new(law(8_000));
        let (mut next, mut sent) = (40_000, 0);
        for n in 0..90_000_i64 {
            camera.now = n * 40;
            camera.picture();
            while next < (n + 1) * 40_000 {
                camera.now = next / 1000;
                camera.packet_at(camera.capture(next % 1000));
                sent += 1;
                next += 40_000 + drift;
            }
        }
        camera.in_step(5_400 + 90);
        // 720 ms an hour, a few tens of them at once.
        let left_out = sent - camera.heard.len();
        let made = (camera.silent, left_out);
        assert!(
            if drift > 0 { (58_000..65_000).contains(&made.0) && made.1 == 0 } else { made.0 == 0 && (15..19).contains(&made.1) },
            "{made:?}"
        );
    }
}
