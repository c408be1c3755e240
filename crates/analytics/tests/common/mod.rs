//! Plans: a scene is a list of described actors, played at a frame rate into the analysis.
//!
//! Belongs here: the stage. Does not belong here: what is expected of a play.

#![allow(dead_code, unreachable_pub, reason = "every test file uses its own part of the stage")]

use domain::{BBox, Class, Detection, EndReason, Observation, Violation, ViolationEnd, ViolationKind, WallTime};
use matthon_analytics::{Analytics, Config, Event, Rule, TrackerConfig, What, Zone};
use std::time::Duration;

/// 2026-11-23, morning.
pub const T0: i64 = 1_795_420_000;

/// Numbers that look random and are always the same.
pub struct Noise(u64);

impl Noise {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2).wrapping_add(0x9E37_79B9_7F4A_7C15))
    }
    /// -1 to 1.
    pub fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

/// Somebody on the stage: where its ground point is, at which seconds.
#[derive(Clone)]
pub struct Actor {
    pub class: &'static str,
    pub size: (f64, f64),
    /// (second, x, y), straight lines between; before the first and after the last it is not there.
    pub path: Vec<(f64, f64, f64)>,
    /// Not detected from..to, seconds.
    pub hidden: Vec<(f64, f64)>,
    /// The lower half is covered from..to.
    pub cut: Vec<(f64, f64)>,
    pub jitter: f64,
    pub score: f64,
}

pub fn actor(class: &'static str, size: (f64, f64), path: &[(f64, f64, f64)]) -> Actor {
    Actor { class, size, path: path.to_vec(), hidden: vec![], cut: vec![], jitter: 0.01, score: 0.9 }
}

pub fn car(path: &[(f64, f64, f64)]) -> Actor {
    actor("car", (0.16, 0.14), path)
}

pub fn moto(path: &[(f64, f64, f64)]) -> Actor {
    actor("motorcycle", (0.05, 0.12), path)
}

impl Actor {
    pub fn hidden(mut self, from: f64, to: f64) -> Self {
        self.hidden.push((from, to));
        self
    }
    pub fn cut(mut self, from: f64, to: f64) -> Self {
        self.cut.push((from, to));
        self
    }
    /// As a part of the box's size.
    pub fn jitter(mut self, part: f64) -> Self {
        self.jitter = part;
        self
    }

    fn at(&self, t: f64, noise: &mut Noise) -> Option<Detection> {
        let n = [noise.next(), noise.next(), noise.next(), noise.next()].map(|v| v * self.jitter);
        let within = |spans: &[(f64, f64)]| spans.iter().any(|s| (s.0..s.1).contains(&t));
        let leg = self.path.windows(2).find(|w| (w[0].0..=w[1].0).contains(&t))?;
        if within(&self.hidden) {
            return None;
        }
        let k = (t - leg[0].0) / (leg[1].0 - leg[0].0);
        let (x, y) = (leg[0].1 + (leg[1].1 - leg[0].1) * k, leg[0].2 + (leg[1].2 - leg[0].2) * k);
        let (w, h) = self.size;
        let y2 = if within(&self.cut) { y - h / 2.0 } else { y };
        let bbox = BBox { x1: x - w / 2.0 + n[0] * w, y1: y - h + n[1] * h, x2: x + w / 2.0 + n[2] * w, y2: y2 + n[3] * h };
        Some(Detection { class: Class::from(self.class), score: self.score, bbox, colour: None })
    }
}

/// A scene.
#[derive(Clone)]
pub struct Play {
    pub fps: f64,
    pub seconds: f64,
    pub actors: Vec<Actor>,
    /// The camera is away from..to.
    pub gaps: Vec<(f64, f64)>,
    pub seed: u64,
}

pub fn play(fps: f64, seconds: f64, actors: &[Actor]) -> Play {
    Play { fps, seconds, actors: actors.to_vec(), gaps: vec![], seed: 7 }
}

impl Play {
    pub fn gap(mut self, from: f64, to: f64) -> Self {
        self.gaps.push((from, to));
        self
    }
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    pub fn observations(&self) -> Vec<Observation> {
        let mut noise = Noise::new(self.seed);
        let frames = (self.fps * self.seconds) as u32;
        let mut all = Vec::new();
        for i in 0..frames {
            let t = f64::from(i) / self.fps;
            let detections: Vec<_> = self.actors.iter().filter_map(|a| a.at(t, &mut noise)).collect();
            if self.gaps.iter().any(|g| (g.0..g.1).contains(&t)) {
                continue;
            }
            let capture = WallTime::from_secs(T0).plus_micros((t * 1e6).round() as i64);
            all.push(Observation { capture, width: 640, height: 360, motion: 0.1, detections });
        }
        all
    }

    /// Plays to the end; what was raised, what ended.
    pub fn run(&self, rule: &Rule) -> Outcome {
        let mut a = Analytics::new(Config { tracker: TrackerConfig::default(), rules: vec![rule.clone()] }).expect("the rule works");
        let mut outcome = Outcome::default();
        for o in self.observations() {
            outcome.take(a.observe(&o));
        }
        outcome
    }
}

#[derive(Debug, Default)]
pub struct Outcome {
    pub raised: Vec<Violation>,
    pub ended: Vec<ViolationEnd>,
}

impl Outcome {
    pub fn take(&mut self, events: Vec<Event>) {
        for e in events {
            match e {
                Event::Raised(v) => self.raised.push(v),
                Event::Ended(e) => self.ended.push(e),
            }
        }
    }
}

/// Seconds of the play.
pub fn second(t: WallTime) -> f64 {
    t.micros_since(WallTime::from_secs(T0)) as f64 / 1e6
}

pub fn zone() -> Zone {
    Zone { name: "le-duong".into(), polygon: [[0.1, 0.2], [0.9, 0.2], [0.9, 0.9], [0.1, 0.9]].map(Into::into).into() }
}

pub fn no_parking(after: u64) -> Rule {
    Rule { zone: zone(), classes: ["car", "truck"].map(Class::from).into(), what: What::NoParking { after: Duration::from_secs(after) } }
}

/// Up the picture is permitted.
pub fn wrong_way() -> Rule {
    let what = What::WrongWay { from: [0.5, 0.9].into(), to: [0.5, 0.1].into(), tolerance: 60.0, min_travel: 0.1 };
    Rule { zone: zone(), classes: vec![], what }
}

/// Frame rates every plan is played at.
pub const RATES: [f64; 3] = [2.0, 5.0, 15.0];

/// Expects exactly one violation of the kind, which began at a second within the range; returns it.
#[track_caller]
pub fn one(outcome: &Outcome, kind: ViolationKind, from: f64, to: f64, about: &str) -> Violation {
    assert_eq!(outcome.raised.len(), 1, "{about}: {outcome:#?}");
    let v = &outcome.raised[0];
    assert_eq!(v.kind, kind);
    assert!((from..=to).contains(&second(v.start)), "{about}: began at {}", second(v.start));
    v.clone()
}

#[track_caller]
pub fn none(outcome: &Outcome, about: &str) {
    assert!(outcome.raised.is_empty(), "{about}: {outcome:#?}");
}

#[track_caller]
pub fn ended(outcome: &Outcome, reason: EndReason, from: f64, to: f64, about: &str) {
    assert_eq!(outcome.ended.len(), 1, "{about}: {outcome:#?}");
    let e = &outcome.ended[0];
    assert_eq!(e.reason, reason, "{about}");
    assert!((from..=to).contains(&second(e.end)), "{about}: ended at {}", second(e.end));
}
