//! A camera's script, made as it is played: what it is, and what it does each time somebody connects.

use crate::{
    content::{self, Name},
    dice::Dice,
};
use bytes::Bytes;
use domain::{AudioCodec, CameraId, Channel, VideoCodec};
use ingest::{
    AudioParameters, Packet, Reason, StreamTarget, VideoParameters,
    sim::{Attempt, Cue, Flow},
};
use std::{collections::VecDeque, time::Duration};
use tokio::time::Instant;

/// x264, baseline 128×96, told not to reorder.
const AVCC: &str = "0142c00affe100176742c00ada0836c044000003000400000300503c489a8001000468ce0fc8";
/// x264, main 64×64, B-frames.
const AVCC_B: &str = "014d400affe10017674d400aeca2136022000003000200000300281e244b2c01000568eae3cb20";
/// x265, 128×96.
const HVCC: &str = "0101600000009000000000001ef000fcfdf8f800000f03a00001001840010c01ffff01600000030090000003000003001e959009a10001002942010101600000030090000003000003001ea01020616595924932bc05a02000000300200000030141a2000100074401c172b42240";
/// An audio packet lasts so long.
const AUDIO_MS: u64 = 200;

/// How a camera codes its pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    H264,
    /// Every second frame is shown before the one decoded before it.
    H264B,
    H265,
    /// Groups that begin with a CRA and two leading pictures.
    H265Open,
}

/// A camera.
#[derive(Clone, Debug)]
pub(crate) struct Camera {
    pub(crate) number: u8,
    pub(crate) id: CameraId,
    seed: u64,
    coding: Coding,
    /// Between two frames, whole milliseconds.
    period: u64,
    /// Frames of a group.
    gop: u64,
    audio: bool,
    /// Its crystal is so much fast, ppm.
    ppm: i64,
    /// Mean length of a session, s.
    session: u64,
    /// The camera's clock is so wrong, µs.
    wrong: i64,
}

impl Camera {
    /// The camera of a number in the village of a seed. `None`: the number gives no name.
    pub(crate) fn new(seed: u64, number: u8) -> Option<Self> {
        let mut dice = Dice::new(seed, 1000 + u64::from(number));
        let coding = [Coding::H264, Coding::H264B, Coding::H265, Coding::H265Open][usize::try_from(dice.below(4)).ok()?];
        let period = [50, 80, 100, 100, 100, 125, 200, 500][usize::try_from(dice.below(8)).ok()?];
        Some(Self {
            number,
            id: CameraId::new(&format!("camera-{number}")).ok()?,
            seed: dice.roll(),
            coding,
            period,
            gop: 3 + 2 * dice.between(2, 19),
            audio: dice.once_in(3),
            ppm: i64::try_from(dice.below(201)).unwrap_or(0) - 100,
            session: dice.between(300, 20_000),
            wrong: [0, 0, 3_600_000_000, -500_000_000_000_000][usize::try_from(dice.below(4)).ok()?],
        })
    }

    pub(crate) fn target(&self) -> Option<StreamTarget> {
        Some(StreamTarget {
            camera: self.id.clone(),
            channel: Channel::Main,
            // Four to a recorder box, so that they queue at its gate.
            url: url::Url::parse(&format!("rtsp://recorder-{}/{}", self.number / 4, self.number)).ok()?,
            username: None,
            password: None,
            audio: self.audio,
        })
    }

    /// What happens at the connect with this number, `now` after the village began.
    pub(crate) fn attempt(&self, connect: u64, began: Instant, now: Duration) -> Attempt {
        let mut dice = Dice::new(self.seed, connect);
        if dice.once_in(6) {
            let reasons = [Reason::Refused, Reason::Unreachable, Reason::Silent, Reason::Busy, Reason::Garbage, Reason::Ended];
            return match reasons.get(usize::try_from(dice.below(7)).unwrap_or(0)) {
                Some(reason) => Attempt::fail(*reason),
                None => Attempt::Hang,
            };
        }
        let first = (u64::try_from(now.as_millis()).unwrap_or(0) + self.period) / self.period;
        let frames = dice.wait(self.session * 1000 / self.period);
        let end = match dice.below(4) {
            0 => Some(Cue::Freeze),
            1 => Some(Cue::Fail(ingest::Failure::new(Reason::Ended, "the camera hung up"))),
            2 => Some(Cue::Fail(ingest::Failure::new(Reason::Garbage, "not RTSP any more"))),
            _ => None,
        };
        let codec = if matches!(self.coding, Coding::H264 | Coding::H264B) { VideoCodec::H264 } else { VideoCodec::H265 };
        let config = hex(match self.coding {
            Coding::H264 => AVCC,
            Coding::H264B => AVCC_B,
            Coding::H265 | Coding::H265Open => HVCC,
        });
        let mut cues = VecDeque::from([Cue::Send(Packet::VideoParameters(VideoParameters { codec, config }))]);
        if self.audio {
            let told = AudioParameters { codec: AudioCodec::PcmA, sample_rate: 8_000, channels: 1, config: Bytes::new() };
            cues.push_back(Cue::Send(Packet::AudioParameters(told)));
        }
        let stamp = i64::try_from(dice.below(1 << 40)).unwrap_or(0);
        let sound = u64::try_from(now.as_millis()).unwrap_or(0) / AUDIO_MS + 1;
        Attempt::Flow(Flow::new(Playing {
            camera: self.clone(),
            began,
            dice,
            cues,
            first,
            next: first,
            frames,
            sound,
            stamp,
            lost: 0,
            end,
        }))
    }

    /// The number of the frame that is decoded in this place, in the order of showing, and the front of its NAL unit.
    fn place(&self, at: u64) -> (u64, [u8; 4]) {
        let (idr, p) = ([0x65, 0x88, 0x84, 0x00], [0x41, 0x9a, 0x24, 0x6c]);
        let (idr_265, cra, rasl, trail) =
            ([0x26, 0x01, 0xac, 0x10], [0x2a, 0x01, 0xac, 0x10], [0x10, 0x01, 0xe0, 0x20], [0x02, 0x01, 0xd0, 0x30]);
        let (group, n) = (at / self.gop * self.gop, at % self.gop);
        let (shown, nal) = match (self.coding, n) {
            (Coding::H264 | Coding::H264B, 0) => (0, idr),
            (Coding::H264, n) => (n, p),
            (Coding::H264B, n) => (if n % 2 == 1 { n + 1 } else { n - 1 }, p),
            (Coding::H265, 0) => (0, idr_265),
            (Coding::H265, n) => (n, trail),
            (Coding::H265Open, 0) => (2, cra),
            (Coding::H265Open, n @ (1 | 2)) => (n - 1, rasl),
            (Coding::H265Open, n) => (n, trail),
        };
        (group + shown, nal)
    }
}

fn hex(text: &str) -> Bytes {
    let digit = |b: u8| (b as char).to_digit(16).and_then(|d| u8::try_from(d).ok()).unwrap_or(0);
    text.as_bytes().chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect::<Vec<_>>().into()
}

/// A session being played.
struct Playing {
    camera: Camera,
    began: Instant,
    dice: Dice,
    cues: VecDeque<Cue>,
    /// Frames are numbered from the beginning of the village: none has the number of another, whatever the session.
    first: u64,
    next: u64,
    frames: u64,
    sound: u64,
    stamp: i64,
    lost: u32,
    end: Option<Cue>,
}

impl Playing {
    fn frame(&mut self, at_ms: u64) {
        let (c, number) = (&self.camera, self.next);
        self.next += 1;
        self.cues.push_back(Cue::Until(self.began + Duration::from_millis(at_ms)));
        if self.dice.once_in(4_000) {
            self.lost += 1 + u32::try_from(self.dice.below(5)).unwrap_or(0);
            return;
        }
        if self.dice.once_in(30_000) {
            // Its clock was set: time stamps jump, the bits go on.
            self.stamp += i64::try_from(self.dice.below(1 << 34)).unwrap_or(0) - (1 << 33);
        }
        if self.dice.once_in(3_000) {
            let told = 1_795_430_520_000_000 + i64::try_from(at_ms).unwrap_or(0) * 1_000 + c.wrong;
            self.cues.push_back(Cue::Send(Packet::CameraClock(told)));
        }
        let (shown, nal) = c.place(number - self.first);
        let ticks = i64::try_from(shown * c.period * 90).unwrap_or(0);
        let timestamp = self.stamp + ticks + ticks / 1_000_000 * c.ppm;
        let data = content::make(Name { camera: c.number, audio: false, number }, &nal);
        self.cues.push_back(Cue::Send(Packet::Video { timestamp, lost: std::mem::take(&mut self.lost), data }));
    }

    fn sound(&mut self, at_ms: u64) {
        let number = self.sound;
        self.sound += 1;
        self.cues.push_back(Cue::Until(self.began + Duration::from_millis(at_ms)));
        let data = content::make(Name { camera: self.camera.number, audio: true, number }, &[]);
        let timestamp = i64::try_from(number * AUDIO_MS * 8).unwrap_or(0);
        self.cues.push_back(Cue::Send(Packet::Audio { timestamp, lost: 0, data }));
    }
}

impl Iterator for Playing {
    type Item = Cue;

    fn next(&mut self) -> Option<Cue> {
        if let Some(cue) = self.cues.pop_front() {
            return Some(cue);
        }
        if self.next - self.first >= self.frames {
            return self.end.take();
        }
        // What is reordered is sent when it has been seen; then the network, which keeps the order.
        let delay = if matches!(self.camera.coding, Coding::H264B | Coding::H265Open) { 2 } else { 0 };
        let jitter = Dice::new(self.camera.seed, self.next).below(self.camera.period.min(30));
        let video = (self.next + delay) * self.camera.period + jitter;
        let audio = if self.camera.audio { self.sound * AUDIO_MS } else { u64::MAX };
        if audio < video {
            self.sound(audio)
        } else {
            self.frame(video)
        }
        self.cues.pop_front()
    }
}
