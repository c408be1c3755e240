//! Who may connect to one host now: first come, first served, a few in flight, a minimum distance in time.

use domain::MonoTime;
use std::{collections::VecDeque, time::Duration};

/// A place in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(u64);

/// The answer to whoever holds a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Connect now; tell [`Ramp::done`] afterwards.
    Go,
    /// Ask again then, or when something changes.
    At(MonoTime),
    /// Ask again when something changes.
    Later,
}

/// The queue of one host.
#[derive(Debug)]
pub struct Ramp {
    limit: usize,
    spacing: Duration,
    in_flight: usize,
    next_start: MonoTime,
    next_ticket: u64,
    queue: VecDeque<u64>,
}

impl Ramp {
    /// At most `limit` connects in flight (at least 1), their beginnings `spacing` apart.
    #[must_use]
    pub fn new(limit: usize, spacing: Duration) -> Self {
        Self { limit: limit.max(1), spacing, in_flight: 0, next_start: MonoTime(0), next_ticket: 0, queue: VecDeque::new() }
    }

    /// Takes a place at the end of the queue.
    pub fn join(&mut self) -> Ticket {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.queue.push_back(ticket);
        Ticket(ticket)
    }

    /// Asks for the turn. After [`Turn::Go`] the ticket is used up.
    pub fn ask(&mut self, now: MonoTime, ticket: Ticket) -> Turn {
        if self.queue.front() != Some(&ticket.0) || self.in_flight >= self.limit {
            return Turn::Later;
        }
        if now < self.next_start {
            return Turn::At(self.next_start);
        }
        self.queue.pop_front();
        self.in_flight += 1;
        self.next_start = now.plus(self.spacing);
        Turn::Go
    }

    /// Gives up waiting.
    pub fn leave(&mut self, ticket: Ticket) {
        self.queue.retain(|t| *t != ticket.0);
    }

    /// A connect that was let go has finished, either way.
    pub fn done(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Nobody waits or connects.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.in_flight == 0 && self.queue.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn thirty_channels_come_four_at_a_time_and_in_order() {
        let mut ramp = Ramp::new(4, Duration::from_millis(100));
        let tickets: Vec<_> = (0..30).map(|_| ramp.join()).collect();
        let mut now = MonoTime(1_000_000);
        let mut running: VecDeque<MonoTime> = VecDeque::new();
        let mut last_start: Option<MonoTime> = None;
        for ticket in tickets {
            loop {
                if running.front().is_some_and(|end| *end <= now) {
                    running.pop_front();
                    ramp.done();
                }
                match ramp.ask(now, ticket) {
                    Turn::Go => break,
                    Turn::At(at) => now = at,
                    Turn::Later => now = *running.front().expect("somebody is in flight"),
                }
            }
            assert!(last_start.is_none_or(|last| now.since(last) >= Duration::from_millis(100)));
            last_start = Some(now);
            running.push_back(now.plus(Duration::from_secs(2)));
            assert!(running.len() <= 4);
        }
        // 30 connects of 2 s, four at a time: about 15 s in all, not 60.
        assert!(now < MonoTime(20_000_000), "{now:?}");
    }

    proptest! {
        #[test]
        fn the_limit_holds_and_nobody_starves(ops in prop::collection::vec((0..4u8, 0..50_000u64), 1..400)) {
            let mut ramp = Ramp::new(3, Duration::from_millis(20));
            let (mut now, mut flying, mut waiting) = (MonoTime(0), 0usize, VecDeque::new());
            for (op, dt) in ops {
                now = MonoTime(now.0 + dt);
                match op {
                    0 => waiting.push_back(ramp.join()),
                    1 if flying > 0 => { ramp.done(); flying -= 1; }
                    2 => if let Some(t) = waiting.pop_back() { ramp.leave(t); },
                    _ => if let Some(&first) = waiting.front() {
                        if waiting.len() > 1 {
                            prop_assert_eq!(ramp.ask(now, waiting[1]), Turn::Later);
                        }
                        match ramp.ask(now, first) {
                            Turn::Go => { waiting.pop_front(); flying += 1; prop_assert!(flying <= 3); }
                            Turn::At(at) => prop_assert!(at > now && flying < 3),
                            Turn::Later => prop_assert_eq!(flying, 3),
                        }
                    },
                }
                prop_assert_eq!(ramp.is_idle(), flying == 0 && waiting.is_empty());
            }
        }
    }
}
