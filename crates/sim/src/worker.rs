//! The worker as the core sees it: it looks at pictures of some cameras, dies now and then, and what it tells goes through the real
//! tracker, the real rules and the real ring.
//!
//! Belongs here: the street it sees, when it is there, and what the rules owe to a truck that stands too long. Does not belong
//! here: decoding and inference, and the sockets between worker and core (their own tests have those).

use crate::{camera::Camera, clock::BoxClock, content, dice::Dice, ledger::Ledger};
use analytics::{Analytics, Event, Rule, What, Zone};
use domain::{Class, Clock, Detection, Observation, Sample, WallTime, geometry::Point};
use hub::{Capacity, Delivery, Fanout, Join};
use ring::Inlet;
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// Every so many cameras one is looked at.
pub(crate) const EVERY: u8 = 6;
/// Five pictures a second, and what one takes.
const PERIOD: Duration = Duration::from_millis(200);
const TAKES: Duration = Duration::from_millis(30);
const ROOM: Capacity = Capacity { items: 64, bytes: 1 << 16 };
/// A truck may stand so long.
const AFTER: Duration = Duration::from_secs(60);
/// The rules have said so by then, where the worker looked without a break; and never so much earlier.
const LATEST: Duration = Duration::from_secs(80);
const EARLY: Duration = Duration::from_secs(2);
/// Between two trucks: longer than the rules wait whether the first comes back.
const BETWEEN: u64 = 150;
/// No break in looking, and no step of the clock.
const BREAK: Duration = Duration::from_millis(1_500);
const STEP: i64 = 300_000;

/// Comes and goes with the worker's process: mostly there, for some seconds not.
pub(crate) async fn lives(seed: u64, boot: u64, up: Arc<AtomicBool>) {
    let mut dice = Dice::new(seed, 5_000 + boot);
    loop {
        up.store(true, Ordering::Relaxed);
        sleep(Duration::from_secs(dice.wait(600))).await;
        up.store(false, Ordering::Relaxed);
        sleep(Duration::from_secs(dice.between(1, 30))).await;
    }
}

/// When trucks stand before a camera, since the village began: follows from the seed alone.
struct Street {
    dice: Dice,
    stands: (Duration, Duration),
}

impl Street {
    fn new(seed: u64, camera: u8) -> Self {
        let mut street = Self { dice: Dice::new(seed, 6_000 + u64::from(camera)), stands: (Duration::ZERO, Duration::ZERO) };
        street.next();
        street
    }

    fn next(&mut self) {
        let from = self.stands.1 + Duration::from_secs(BETWEEN + self.dice.wait(300));
        self.stands = (from, from + Duration::from_secs(self.dice.between(20, 300)));
    }

    /// Since when a truck stands there, if one does.
    fn truck(&mut self, now: Duration) -> Option<Duration> {
        while self.stands.1 <= now {
            self.next();
        }
        (self.stands.0 <= now).then_some(self.stands.0)
    }
}

/// One camera that is looked at, for one boot.
pub(crate) struct Look {
    pub(crate) seed: u64,
    pub(crate) camera: Arc<Camera>,
    pub(crate) began: Instant,
    pub(crate) clock: Arc<BoxClock>,
    pub(crate) inlet: Inlet,
    pub(crate) ledger: Arc<Mutex<Ledger>>,
    pub(crate) up: Arc<AtomicBool>,
}

/// What the rules owe.
#[derive(Default)]
struct Owed {
    /// Since when it is looked without a break; time and capture of the last picture.
    since: Option<Instant>,
    last: Option<(Instant, WallTime)>,
    /// The truck that was told last, by when it came; and whether the clock was stepped since.
    told: Option<Duration>,
    stepped: bool,
}

impl Owed {
    /// A picture of this capture time is looked at now. Whether it counts: late ones are left out.
    fn looks(&mut self, now: Instant, capture: WallTime) -> bool {
        if let Some((then, before)) = self.last {
            let (passed, ticked) = (now.duration_since(then), capture.micros_since(before));
            if (-1_000_000..=0).contains(&ticked) {
                return false;
            }
            let parted = ticked.saturating_sub(i64::try_from(passed.as_micros()).unwrap_or(i64::MAX)).saturating_abs() > STEP;
            self.stepped |= parted;
            if passed > BREAK || parted {
                self.since = None;
            }
        }
        self.since.get_or_insert(now);
        self.last = Some((now, capture));
        true
    }
}

impl Look {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the newest picture, five times a second, as long as the stream lasts.
    pub(crate) async fn run(self, stream: Fanout<Sample>) {
        let Ok(mut analytics) = Analytics::new(rules()) else { return self.ledger().complain("the rules are refused".into()) };
        let channel = self.camera.target().map_or(domain::Channel::Main, |t| t.channel);
        let mut diary = vision::Diary::new(&self.camera.id, channel);
        let mut street = Street::new(self.seed, self.camera.number);
        let mut owed = Owed::default();
        let mut consumer = stream.subscribe(Join::NextRandomAccess, ROOM, "worker");
        // Only what feeds it may keep the stream alive.
        drop(stream);
        loop {
            sleep(PERIOD).await;
            let mut newest: Option<WallTime> = None;
            while let Some(delivery) = consumer.try_next() {
                if let Delivery::Item(sample) = delivery {
                    newest = Some(sample.capture);
                }
            }
            let Some(capture) = newest.filter(|_| self.up.load(Ordering::Relaxed)) else { continue };
            sleep(TAKES).await;
            let now = self.began.elapsed();
            if !owed.looks(Instant::now(), capture) {
                continue;
            }
            let truck = street.truck(now);
            let seen = self.sees(now, capture, truck);
            let events = analytics.observe(&seen);
            let sample = diary.sample(&seen, &analytics.tracks());
            let at = self.clock.mono();
            let kept = self.inlet.push(&sample, at);
            self.ledger().given(&sample, at, kept);
            if let Err(what) = self.holds(&mut owed, now, truck, &events) {
                return self.ledger().complain(format!("{}: {what}", self.camera.id));
            }
        }
    }

    fn sees(&self, now: Duration, capture: WallTime, truck: Option<Duration>) -> Observation {
        let number = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let mut detections = vec![content::plate(self.camera.number, number)];
        // A detector's boxes tremble.
        let shift = Dice::new(self.seed, number).below(100) as f64 / 20_000.0;
        detections.extend(truck.map(|_| Detection {
            class: Class::from("truck"),
            score: 0.9,
            bbox: [0.4 + shift, 0.4, 0.6 + shift, 0.6].into(),
            colour: None,
        }));
        Observation { capture, width: 640, height: 360, motion: 0.01, detections }
    }

    /// A truck is told when it stood too long, once, and none that is not there.
    fn holds(&self, owed: &mut Owed, now: Duration, truck: Option<Duration>, events: &[Event]) -> Result<(), String> {
        for event in events {
            let Event::Raised(violation) = event else { continue };
            let Some(came) = truck else { return Err(format!("a truck is told at {now:?}, and none stands there")) };
            if now.saturating_sub(came) + EARLY < AFTER {
                return Err(format!("a truck is told at {now:?} that came at {came:?}: {:?}", violation.measured));
            }
            if owed.told == Some(came) && !owed.stepped {
                return Err(format!("the truck that came at {came:?} is told twice"));
            }
            (owed.told, owed.stepped) = (Some(came), false);
            let mut ledger = self.ledger();
            ledger.raised += 1;
            ledger.trace.number(violation.raised.0 as u64);
        }
        let looked = owed.since.map_or(Duration::ZERO, |since| since.elapsed());
        match truck {
            Some(came) if owed.told != Some(came) && looked.min(now.saturating_sub(came)) > LATEST => {
                Err(format!("a truck stands since {came:?}, was looked at for {looked:?}, and nobody is told at {now:?}"))
            }
            _ => Ok(()),
        }
    }
}

fn rules() -> analytics::Config {
    let polygon = [(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)].map(|(x, y)| Point { x, y }).to_vec();
    let rule = Rule { zone: Zone { name: "cổng chợ".into(), polygon }, classes: Vec::new(), what: What::NoParking { after: AFTER } };
    analytics::Config { rules: vec![rule], ..analytics::Config::default() }
}
