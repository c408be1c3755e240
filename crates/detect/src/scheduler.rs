//! Who is looked at next: one waiting picture a stream, the newest; a pure value.
//!
//! The rules:
//! - A stream has one slot. A newer picture replaces the one that waits, but keeps its place: a stream that sends more does not
//!   wait longer.
//! - The stream that has waited longest is next, interested streams (with something followed in them) before the others …
//! - … but every [`TURNS`]th turn goes to the one that has waited longest whatever its interest. So with `n` streams waiting,
//!   each is looked at within [`TURNS`] · `n` turns: overload lowers everybody's rate and starves nobody.
//! - A stream that is being looked at is not picked again before that is done: its results come in order.
//!
//! Belongs here: that choice. Does not belong here: threads and locks (see [`crate::pool`]), time (turns are counted instead).

use std::collections::BTreeMap;

/// One turn of so many goes to the longest waiting stream, interested or not.
pub const TURNS: u64 = 4;

/// What waits, with a `P` for each stream. Its memory is one `P` a stream that was not removed.
#[derive(Debug)]
pub struct Scheduler<P> {
    streams: BTreeMap<u32, Slot<P>>,
    /// Counts arrivals: the lower a ticket, the longer it waits.
    tickets: u64,
    /// Counts picks.
    turns: u64,
    /// Counts streams, so that a number given again is another stream.
    lives: u64,
}

#[derive(Debug)]
struct Slot<P> {
    life: u64,
    waiting: Option<Waiting<P>>,
    busy: bool,
}

#[derive(Debug)]
struct Waiting<P> {
    ticket: u64,
    interested: bool,
    picture: P,
}

/// The right to look at a stream's picture; give it back with [`Scheduler::done`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the stream stays busy until the turn is given back"]
pub struct Turn {
    /// Whose.
    pub stream: u32,
    life: u64,
}

impl<P> Default for Scheduler<P> {
    fn default() -> Self {
        Self { streams: BTreeMap::new(), tickets: 0, turns: 0, lives: 0 }
    }
}

impl<P> Scheduler<P> {
    /// A picture of a stream; returns the one that it replaces, which nobody will look at.
    pub fn submit(&mut self, stream: u32, interested: bool, picture: P) -> Option<P> {
        let slot = self.streams.entry(stream).or_insert_with(|| {
            self.lives += 1;
            Slot { life: self.lives, waiting: None, busy: false }
        });
        if let Some(waiting) = &mut slot.waiting {
            waiting.interested = interested;
            return Some(std::mem::replace(&mut waiting.picture, picture));
        }
        self.tickets += 1;
        slot.waiting = Some(Waiting { ticket: self.tickets, interested, picture });
        None
    }

    /// The next picture to be looked at, if there is one.
    pub fn pick(&mut self) -> Option<(Turn, P)> {
        let whatever = (self.turns + 1).is_multiple_of(TURNS);
        let free = self.streams.iter_mut().filter(|(_, slot)| !slot.busy && slot.waiting.is_some());
        let (stream, slot) = free.min_by_key(|(_, slot)| slot.waiting.as_ref().map(|w| (!whatever && !w.interested, w.ticket)))?;
        let waiting = slot.waiting.take()?;
        slot.busy = true;
        self.turns += 1;
        Some((Turn { stream: *stream, life: slot.life }, waiting.picture))
    }

    /// The picture of that turn was looked at. `false`: the stream was removed meanwhile, nobody wants the result.
    pub fn done(&mut self, turn: Turn) -> bool {
        match self.streams.get_mut(&turn.stream) {
            Some(slot) if slot.life == turn.life => {
                slot.busy = false;
                true
            }
            _ => false,
        }
    }

    /// Whether the stream of that turn is still there.
    #[must_use]
    pub fn lives(&self, turn: Turn) -> bool {
        self.streams.get(&turn.stream).is_some_and(|slot| slot.life == turn.life)
    }

    /// Lets a stream go; returns what waited. Its number may be used again at once, for another stream.
    pub fn remove(&mut self, stream: u32) -> Option<P> {
        self.streams.remove(&stream)?.waiting.map(|w| w.picture)
    }

    /// Takes away all that waits; the streams stay, and what is being looked at keeps its turn.
    pub fn clear(&mut self) -> Vec<P> {
        self.streams.values_mut().filter_map(|slot| slot.waiting.take()).map(|w| w.picture).collect()
    }

    /// How many pictures wait, busy streams' included.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.streams.values().filter(|slot| slot.waiting.is_some()).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn the_newest_picture_replaces_and_keeps_the_place() {
        let mut s = Scheduler::default();
        assert_eq!(s.submit(1, false, "old"), None);
        assert_eq!(s.submit(2, false, "other"), None);
        assert_eq!(s.submit(1, false, "new"), Some("old"));
        assert_eq!(s.waiting(), 2);
        let (turn, picture) = s.pick().unwrap();
        assert_eq!((turn.stream, picture), (1, "new"));
        // busy: its next one waits although it is the only other
        s.submit(1, true, "next");
        assert_eq!(s.pick().unwrap().0.stream, 2);
        assert!(s.pick().is_none());
        assert!(s.done(turn));
        assert_eq!(s.pick().unwrap().1, "next");
    }

    #[test]
    fn interest_goes_first_but_not_always() {
        let mut s = Scheduler::default();
        for stream in 0..8 {
            s.submit(stream, stream >= 4, ());
        }
        let picked: Vec<_> = (0..8)
            .map(|_| {
                let (turn, ()) = s.pick().unwrap();
                s.done(turn);
                turn.stream
            })
            .collect();
        assert_eq!(picked, [4, 5, 6, 0, 7, 1, 2, 3]);
    }

    #[test]
    fn a_number_given_again_is_another_stream() {
        let mut s = Scheduler::default();
        s.submit(1, false, "first life");
        let (turn, _) = s.pick().unwrap();
        s.submit(1, false, "waits");
        assert_eq!(s.remove(1), Some("waits"));
        s.submit(1, false, "second life");
        assert!(!s.lives(turn) && !s.done(turn));
        assert_eq!(s.pick().unwrap().1, "second life");
        assert_eq!(s.remove(7), None);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Submit(u32, bool),
        Pick,
        Done(usize),
        Remove(u32),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            6 => (0u32..6, any::<bool>()).prop_map(|(s, i)| Step::Submit(s, i)),
            5 => Just(Step::Pick),
            5 => any::<usize>().prop_map(Step::Done),
            1 => (0u32..6).prop_map(Step::Remove),
        ];
        proptest::collection::vec(step, 0..400)
    }

    proptest! {
        /// Beside a plain model: what waits, who is busy, and how often others were picked while one could have been.
        #[test]
        fn no_picture_is_lost_or_doubled_and_nobody_starves(steps in steps()) {
            let mut s = Scheduler::default();
            let mut waits: BTreeMap<u32, usize> = BTreeMap::new();
            let mut busy: BTreeSet<u32> = BTreeSet::new();
            let mut passed: BTreeMap<u32, u64> = BTreeMap::new();
            let mut turns: Vec<Turn> = vec![];
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Submit(stream, interested) => {
                        prop_assert_eq!(s.submit(stream, interested, number), waits.insert(stream, number));
                    }
                    Step::Pick => match s.pick() {
                        Some((turn, picture)) => {
                            prop_assert_eq!(waits.remove(&turn.stream), Some(picture), "the newest");
                            prop_assert!(busy.insert(turn.stream), "one at a time");
                            turns.push(turn);
                            passed.remove(&turn.stream);
                            for stream in waits.keys().filter(|w| !busy.contains(w)) {
                                let passed = passed.entry(*stream).or_default();
                                *passed += 1;
                                prop_assert!(*passed < TURNS * 6, "stream {stream} starves");
                            }
                        }
                        None => prop_assert!(waits.keys().all(|w| busy.contains(w)), "somebody could have been picked"),
                    },
                    Step::Done(which) if !turns.is_empty() => {
                        let turn = turns.swap_remove(which % turns.len());
                        if s.done(turn) {
                            prop_assert!(busy.remove(&turn.stream));
                        }
                    }
                    Step::Done(_) => {}
                    Step::Remove(stream) => {
                        prop_assert_eq!(s.remove(stream), waits.remove(&stream));
                        busy.remove(&stream);
                        passed.remove(&stream);
                    }
                }
                prop_assert_eq!(s.waiting(), waits.len());
            }
        }

        /// Full load: every stream has a picture again as soon as its last one was looked at; interest as it comes.
        #[test]
        fn under_full_load_each_is_looked_at_within_the_bound(
            interest in proptest::collection::vec(any::<bool>(), 1..40), flips in proptest::collection::vec(any::<bool>(), 400)
        ) {
            let mut s = Scheduler::default();
            let n = interest.len() as u64;
            let mut last = vec![0; interest.len()];
            for (stream, interested) in (0..).zip(&interest) {
                s.submit(stream, *interested, ());
            }
            for (turn, flip) in (1..).zip(flips) {
                let (picked, ()) = s.pick().unwrap();
                s.done(picked);
                let stream = picked.stream as usize;
                prop_assert!(turn - last[stream] <= TURNS * n);
                last[stream] = turn;
                s.submit(picked.stream, interest[stream] ^ flip, ());
                prop_assert!(last.iter().all(|l| turn - l <= TURNS * n));
            }
        }
    }
}
