//! Why a time was not recorded: holes between what is there, explained by when the box ran and how the camera's connection was.
//!
//! Pure: the journal is passed in. The words are a contract (`gap.<reason>` in the page's texts, manifests of exports).

use crate::{Link, WallTime};
use serde::Serialize;

/// A hole in time shorter than this is none (µs): what the ring calls jitter.
const LEAST: i64 = 1_000_000;
/// After the box is back cameras need this long to be back as well: the hole is still the box's (µs).
const RETURN: i64 = 120_000_000;

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapReason {
    /// The box lost its power: it runs, and did not when this began, and booted meanwhile.
    Power,
    /// The core was stopped or fell, the machine ran on.
    Restart,
    /// The camera did not answer, or not with pictures.
    Camera,
    /// No way to the camera.
    Network,
    /// Pictures came and were not kept: the disk was too slow or gone.
    Overload,
    /// It was recorded and cannot be read.
    Damaged,
    /// It is older than anything kept.
    Expired,
    /// Nothing is known of that time.
    Unknown,
}

impl GapReason {
    /// All of them, in the order of the type.
    pub const ALL: [Self; 8] =
        [Self::Power, Self::Restart, Self::Camera, Self::Network, Self::Overload, Self::Damaged, Self::Expired, Self::Unknown];

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Power => "power",
            Self::Restart => "restart",
            Self::Camera => "camera",
            Self::Network => "network",
            Self::Overload => "overload",
            Self::Damaged => "damaged",
            Self::Expired => "expired",
            Self::Unknown => "unknown",
        }
    }
}

/// A hole and its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Start.
    pub from: WallTime,
    /// End.
    pub to: WallTime,
    /// Why.
    pub reason: GapReason,
}

/// A time the core ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoxRun {
    /// Which boot of the machine, hexadecimal.
    pub boot: String,
    /// When it began.
    pub started: WallTime,
    /// When it was last known to run.
    pub seen: WallTime,
}

/// A stream's connection from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkChange {
    /// From when.
    pub at: WallTime,
    /// In which state.
    pub link: Link,
}

/// What is known of a time besides the recording itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Journal<'a> {
    /// When the box ran, oldest first.
    pub runs: &'a [BoxRun],
    /// How the stream's connection was, oldest first.
    pub links: &'a [LinkChange],
    /// Times that were recorded and cannot be read.
    pub damaged: &'a [(WallTime, WallTime)],
    /// Where the oldest recording kept begins; `None`: nothing is kept, or nothing has expired yet.
    pub expired_before: Option<WallTime>,
}

/// The holes of `from..to` between spans (sorted, apart from each other), each with its reason. The future is no hole: pass
/// `to` cut to now.
#[must_use]
pub fn explain(spans: &[(WallTime, WallTime)], from: WallTime, to: WallTime, journal: &Journal<'_>) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut at = from;
    for (begin, end) in spans.iter().copied().chain([(to, to)]) {
        let begin = begin.min(to);
        if begin.micros_since(at) > LEAST {
            hole(at, begin, journal, &mut gaps);
        }
        at = at.max(end);
    }
    gaps
}

fn hole(mut from: WallTime, to: WallTime, journal: &Journal<'_>, gaps: &mut Vec<Gap>) {
    if let Some(kept) = journal.expired_before.filter(|kept| *kept > from) {
        let until = kept.min(to);
        gaps.push(Gap { from, to: until, reason: GapReason::Expired });
        from = until;
        if to.micros_since(from) <= LEAST {
            return;
        }
    }
    gaps.push(Gap { from, to, reason: reason(from, to, journal) });
}

fn overlap(a: (WallTime, WallTime), b: (WallTime, WallTime)) -> i64 {
    a.1.min(b.1).micros_since(a.0.max(b.0)).max(0)
}

fn reason(from: WallTime, to: WallTime, journal: &Journal<'_>) -> GapReason {
    let whole = to.micros_since(from);
    let mut most = (0, GapReason::Unknown);
    let mut offer = |time: i64, reason| {
        if time > most.0 {
            most = (time, reason);
        }
    };
    // Times the box did not run. What follows while cameras come back belongs to them.
    for pair in journal.runs.windows(2) {
        if let [before, after] = pair {
            let off = (before.seen, after.started);
            let reason = if before.boot == after.boot { GapReason::Restart } else { GapReason::Power };
            let here = overlap(off, (from, to));
            let back = overlap((off.1, off.1.plus_micros(RETURN)), (from, to));
            offer(if here > 0 && here + back >= whole { whole } else { here }, reason);
        }
    }
    for (begin, end) in journal.damaged {
        offer(overlap((*begin, *end), (from, to)), GapReason::Damaged);
    }
    for (n, change) in journal.links.iter().enumerate() {
        let until = journal.links.get(n + 1).map_or(to, |next| next.at);
        let reason = match change.link {
            Link::Ok => GapReason::Overload,
            Link::Unreachable => GapReason::Network,
            _ => GapReason::Camera,
        };
        offer(overlap((change.at, until), (from, to)), reason);
    }
    most.1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> WallTime {
        WallTime::from_secs(s)
    }

    fn run(boot: &str, from: i64, to: i64) -> BoxRun {
        BoxRun { boot: boot.into(), started: at(from), seen: at(to) }
    }

    fn reasons(spans: &[(i64, i64)], journal: &Journal<'_>) -> Vec<(i64, i64, GapReason)> {
        let spans: Vec<_> = spans.iter().map(|(a, b)| (at(*a), at(*b))).collect();
        let found = explain(&spans, at(0), at(10_000), journal);
        found.into_iter().map(|g| (g.from.0 / 1_000_000, g.to.0 / 1_000_000, g.reason)).collect()
    }

    #[test]
    fn without_holes_there_is_nothing_to_explain() {
        assert_eq!(reasons(&[(0, 5_000), (5_001, 10_000)], &Journal::default()), []);
        assert_eq!(reasons(&[(-50, 20_000)], &Journal::default()), []);
        assert_eq!(reasons(&[], &Journal::default()), [(0, 10_000, GapReason::Unknown)]);
    }

    #[test]
    fn the_box_was_off() {
        let power = [run("a", -100, 1_000), run("b", 4_000, 10_000)];
        let links = [LinkChange { at: at(-50), link: Link::Ok }, LinkChange { at: at(4_001), link: Link::Connecting }];
        let journal = Journal { runs: &power, links: &links, ..Journal::default() };
        // Cameras took half a minute to come back: still the power's hole.
        assert_eq!(reasons(&[(0, 1_000), (4_030, 10_000)], &journal), [(1_000, 4_030, GapReason::Power)]);
        let again = [run("a", -100, 1_000), run("a", 1_005, 10_000)];
        let journal = Journal { runs: &again, ..journal };
        assert_eq!(reasons(&[(0, 1_000), (1_010, 10_000)], &journal), [(1_000, 1_010, GapReason::Restart)]);
    }

    #[test]
    fn the_connection_tells() {
        let links = |link| {
            [LinkChange { at: at(-50), link: Link::Ok }, LinkChange { at: at(1_000), link }, LinkChange { at: at(2_000), link: Link::Ok }]
        };
        let runs = [run("a", -100, 10_000)];
        for (link, reason) in
            [(Link::Refused, GapReason::Camera), (Link::Unreachable, GapReason::Network), (Link::Frozen, GapReason::Camera)]
        {
            let links = links(link);
            let journal = Journal { runs: &runs, links: &links, ..Journal::default() };
            assert_eq!(reasons(&[(0, 1_000), (2_001, 10_000)], &journal), [(1_000, 2_001, reason)]);
            // Connected and yet nothing on the disk.
            assert_eq!(reasons(&[(0, 5_000), (6_000, 10_000)], &journal), [(5_000, 6_000, GapReason::Overload)]);
        }
    }

    #[test]
    fn what_expired_is_told_apart_from_what_never_was() {
        let journal = Journal { expired_before: Some(at(3_000)), ..Journal::default() };
        assert_eq!(reasons(&[(5_000, 10_000)], &journal), [(0, 3_000, GapReason::Expired), (3_000, 5_000, GapReason::Unknown)]);
        assert_eq!(reasons(&[(3_000, 10_000)], &journal), [(0, 3_000, GapReason::Expired)]);
        let broken = [(at(6_000), at(7_000))];
        let journal = Journal { damaged: &broken, ..Journal::default() };
        assert_eq!(reasons(&[(0, 6_000), (7_000, 10_000)], &journal), [(6_000, 7_000, GapReason::Damaged)]);
    }
}
