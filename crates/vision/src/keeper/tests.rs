//! Plans: what happens, step by step, and what the keeper then wants done.

use super::*;

/// A keeper, its clock, and the actions nobody has looked at yet.
struct Plan {
    keeper: Keeper,
    now: MonoTime,
    done: Vec<Action>,
}

impl Plan {
    fn new(streams: usize) -> Self {
        let now = MonoTime(1_000_000_000);
        let mut plan = Self { keeper: Keeper::new(Timing::default(), vec![true; streams], now), now, done: Vec::new() };
        plan.pass(0.0);
        plan
    }

    /// A keeper whose first worker is ready and has all streams.
    fn running(streams: usize) -> (Self, WorkerId) {
        let mut plan = Self::new(streams);
        let main = plan.launched(Role::Main);
        plan.ready(main);
        assert_eq!(plan.opened(main).len(), streams);
        (plan, main)
    }

    fn happens(&mut self, event: Event) {
        self.keeper.handle(self.now, event);
        self.take();
    }

    /// Lets seconds pass in steps of 100 ms, as the engine does; workers that are asked answer.
    fn pass(&mut self, seconds: f64) {
        let steps = (seconds * 10.0).round() as u32;
        for step in 0..=steps {
            if step > 0 {
                self.now = self.now.plus(Duration::from_millis(100));
            }
            self.keeper.tick(self.now);
            let from = self.done.len();
            self.take();
            for action in self.done.split_off(from) {
                match action {
                    Action::Ping { worker, number } => self.keeper.handle(self.now, Event::Pong { worker, number }),
                    other => self.done.push(other),
                }
            }
        }
    }

    fn take(&mut self) {
        self.done.extend(std::iter::from_fn(|| self.keeper.next()));
    }

    fn ready(&mut self, worker: WorkerId) {
        self.happens(Event::Ready { worker, sees: true });
    }

    fn exits(&mut self, worker: WorkerId, noted: &[u32]) {
        self.happens(Event::Exited { worker, noted: noted.to_vec() });
    }

    /// The worker that was launched for this; there must be exactly one.
    fn launched(&mut self, role: Role) -> WorkerId {
        let all = self.pick(|a| matches!(a, Action::Launch { role: r, .. } if *r == role));
        assert_eq!(all.len(), 1, "{role:?} in {all:?}, beside {:?}", self.done);
        let Action::Launch { worker, .. } = all[0] else { unreachable!() };
        worker
    }

    /// Streams given to a worker, with whether they begin afresh.
    fn opened(&mut self, to: WorkerId) -> Vec<(u32, bool)> {
        let all = self.pick(|a| matches!(a, Action::Open { worker, .. } if *worker == to));
        all.into_iter().filter_map(|a| if let Action::Open { stream, fresh, .. } = a { Some((stream, fresh)) } else { None }).collect()
    }

    fn killed(&mut self, which: WorkerId) -> Option<Why> {
        let all = self.pick(|a| matches!(a, Action::Kill { worker, .. } if *worker == which));
        all.first().and_then(|a| if let Action::Kill { why, .. } = a { Some(*why) } else { None })
    }

    fn pick(&mut self, wanted: impl Fn(&Action) -> bool) -> Vec<Action> {
        let (picked, rest) = self.done.drain(..).partition(|a| wanted(a));
        self.done = rest;
        picked
    }

    fn quarantined(&self) -> Vec<u32> {
        self.keeper.quarantined().collect()
    }
}

#[test]
fn streams_are_given_once_the_worker_is_ready_and_begin_with_what_is_cached() {
    let mut plan = Plan::new(2);
    let main = plan.launched(Role::Main);
    assert_eq!(plan.keeper.outlook(), Outlook::Starting);
    assert!(plan.opened(main).is_empty());
    plan.ready(main);
    assert_eq!(plan.opened(main), [(0, false), (1, false)]);
    assert_eq!(plan.keeper.outlook(), Outlook::Ready);
}

#[test]
fn a_worker_that_cannot_see_gets_no_streams() {
    let mut plan = Plan::new(2);
    let main = plan.launched(Role::Main);
    plan.happens(Event::Ready { worker: main, sees: false });
    assert!(plan.opened(main).is_empty());
    assert_eq!(plan.keeper.main(), Some(main), "stills are made all the same");
}

#[test]
fn the_first_end_is_answered_at_once_and_further_ones_later_and_later() {
    let (mut plan, mut main) = Plan::running(1);
    let mut waits = Vec::new();
    for _ in 0..8 {
        plan.exits(main, &[]);
        let mut waited = 0.0;
        while !plan.done.iter().any(|a| matches!(a, Action::Launch { .. })) {
            plan.pass(0.1);
            waited += 0.1;
        }
        waits.push((waited * 10.0_f64).round() / 10.0);
        main = plan.launched(Role::Main);
    }
    assert_eq!(waits, [0.0, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]);
    assert_eq!(plan.keeper.outlook(), Outlook::Failing);
    plan.ready(main);
    plan.pass(60.0);
    plan.exits(main, &[]);
    plan.launched(Role::Main); // a healthy minute makes the next end the first again
    assert_eq!(plan.keeper.outlook(), Outlook::Restarting);
}

#[test]
fn a_program_that_is_missing_is_tried_again_slowly() {
    let mut plan = Plan::new(1);
    let mut tries = 0;
    for _ in 0..600 {
        for action in plan.pick(|a| matches!(a, Action::Launch { .. })) {
            let Action::Launch { worker, .. } = action else { unreachable!() };
            tries += 1;
            plan.happens(Event::NotLaunched(worker));
        }
        plan.pass(0.1);
    }
    assert!((12..=20).contains(&tries), "{tries} tries in a minute");
}

#[test]
fn after_an_end_streams_begin_at_the_next_random_access_point() {
    let (mut plan, main) = Plan::running(2);
    plan.exits(main, &[]);
    let next = plan.launched(Role::Main);
    plan.ready(next);
    assert_eq!(plan.opened(next), [(0, true), (1, true)]);
}

#[test]
fn the_stream_that_was_at_work_goes_to_a_worker_of_its_own_and_the_others_go_on() {
    let (mut plan, main) = Plan::running(3);
    plan.exits(main, &[1]);
    let (next, alone) = (plan.launched(Role::Main), plan.launched(Role::Quarantine(1)));
    plan.ready(next);
    plan.ready(alone);
    assert_eq!(plan.opened(next), [(0, true), (2, true)]);
    assert_eq!(plan.opened(alone), [(1, true)]);
    assert_eq!(plan.quarantined(), [1]);
}

#[test]
fn a_suspect_that_behaves_for_a_minute_goes_back() {
    let (mut plan, main) = Plan::running(2);
    plan.exits(main, &[1]);
    let (next, alone) = (plan.launched(Role::Main), plan.launched(Role::Quarantine(1)));
    plan.ready(next);
    plan.ready(alone);
    plan.opened(next);
    plan.pass(59.8);
    assert_eq!(plan.killed(alone), None);
    plan.pass(0.3);
    assert_eq!(plan.killed(alone), Some(Why::Paroled));
    assert_eq!(plan.opened(next), [(1, true)]);
    assert!(plan.quarantined().is_empty());
    plan.exits(alone, &[1]);
    assert!(plan.quarantined().is_empty(), "the end that was ordered is no crash");
}

#[test]
fn a_second_arrest_lasts_twice_as_long() {
    let (mut plan, mut main) = Plan::running(1);
    for term in [60.0, 120.0, 240.0] {
        plan.exits(main, &[0]);
        plan.pass(5.0);
        let (next, alone) = (plan.launched(Role::Main), plan.launched(Role::Quarantine(0)));
        plan.ready(next);
        plan.ready(alone);
        plan.pass(term - 0.2);
        assert_eq!(plan.killed(alone), None, "{term}");
        plan.pass(0.3);
        assert_eq!(plan.killed(alone), Some(Why::Paroled), "{term}");
        plan.exits(alone, &[]);
        main = next;
    }
}

#[test]
fn one_that_ends_its_own_worker_waits_longer_each_time_and_disturbs_nobody() {
    let (mut plan, main) = Plan::running(2);
    plan.exits(main, &[1]);
    let next = plan.launched(Role::Main);
    plan.ready(next);
    let mut waits = Vec::new();
    for _ in 0..11 {
        let alone = plan.launched(Role::Quarantine(1));
        plan.ready(alone);
        plan.pass(3.0);
        plan.exits(alone, &[1]);
        let mut waited = 0.0;
        while !plan.done.iter().any(|a| matches!(a, Action::Launch { .. })) {
            plan.pass(0.1);
            waited += 0.1;
        }
        waits.push((waited * 10.0_f64).round() / 10.0);
    }
    assert_eq!(waits, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 300.0, 300.0]);
    assert_eq!(plan.killed(next), None);
    assert_eq!(plan.keeper.outlook(), Outlook::Ready);
}

#[test]
fn of_many_suspects_the_one_that_was_there_each_time_is_found() {
    let (mut plan, mut main) = Plan::running(30);
    let mut ends = 0;
    // Stream 29 is the culprit; half of the others happen to be at work, another half each time.
    while !plan.quarantined().contains(&29) {
        ends += 1;
        assert!(ends < 6, "not found after {ends} ends");
        let noted: Vec<u32> = (0..29).filter(|s| (s / ends) % 2 == 0).chain([29]).collect();
        plan.exits(main, &noted);
        plan.pass(5.0);
        main = plan.launched(Role::Main);
        plan.ready(main);
        for action in plan.pick(|a| matches!(a, Action::Launch { .. })) {
            let Action::Launch { worker, .. } = action else { unreachable!() };
            plan.ready(worker);
        }
        assert!(plan.quarantined().len() <= quarantine::QUARANTINE_MAX);
        let looked_at = (0..30).filter(|&s| plan.keeper.open_in(s).is_some()).count();
        assert_eq!(looked_at, 30, "nobody goes unseen because of the others");
    }
}

#[test]
fn notes_about_streams_the_worker_did_not_have_are_not_believed() {
    let (mut plan, main) = Plan::running(2);
    plan.exits(main, &[7, 255, 1_000_000]);
    assert!(plan.quarantined().is_empty());
}

#[test]
fn a_socket_that_closed_a_moment_before_its_worker_was_gone_does_not_clear_its_stream() {
    let (mut plan, main) = Plan::running(2);
    plan.happens(Event::Dropped { worker: main, stream: 1 });
    plan.exits(main, &[1]);
    assert_eq!(plan.quarantined(), [1]);
}

#[test]
fn whoever_speaks_nonsense_is_ended_and_its_stream_suspected() {
    let (mut plan, main) = Plan::running(3);
    plan.happens(Event::Misbehaved { worker: main, why: Why::Nonsense, streams: vec![2] });
    assert_eq!(plan.killed(main), Some(Why::Nonsense));
    plan.exits(main, &[0]);
    assert_eq!(plan.quarantined(), [2], "not whoever happened to be at work");
}

#[test]
fn a_hanging_still_costs_no_stream_its_place() {
    let (mut plan, main) = Plan::running(2);
    plan.happens(Event::Misbehaved { worker: main, why: Why::Hung, streams: Vec::new() });
    plan.exits(main, &[0, 1]);
    assert!(plan.quarantined().is_empty());
}

#[test]
fn one_that_is_never_ready_or_never_answers_is_ended() {
    let mut plan = Plan::new(1);
    let main = plan.launched(Role::Main);
    plan.pass(30.0);
    assert_eq!(plan.killed(main), Some(Why::NotReady));
    plan.exits(main, &[]);
    let main = plan.launched(Role::Main);
    plan.ready(main);
    // The pings of `pass` are answered; these are not.
    for _ in 0..125 {
        plan.now = plan.now.plus(Duration::from_millis(100));
        plan.keeper.tick(plan.now);
    }
    plan.take();
    assert_eq!(plan.killed(main), Some(Why::NoPong));
}

#[test]
fn a_stream_the_worker_lets_go_is_given_again_after_a_moment() {
    let (mut plan, main) = Plan::running(2);
    plan.happens(Event::Dropped { worker: main, stream: 1 });
    assert_eq!(plan.pick(|a| matches!(a, Action::Close { .. })), [Action::Close { worker: main, stream: 1 }]);
    plan.pass(0.9);
    assert!(plan.opened(main).is_empty());
    plan.pass(0.2);
    assert_eq!(plan.opened(main), [(1, true)]);
}

#[test]
fn a_stream_without_a_source_is_taken_back_wherever_it_is() {
    let (mut plan, main) = Plan::running(2);
    plan.happens(Event::Over { stream: 0 });
    assert_eq!(plan.pick(|a| matches!(a, Action::Close { .. })), [Action::Close { worker: main, stream: 0 }]);
    plan.exits(main, &[1]);
    let (next, alone) = (plan.launched(Role::Main), plan.launched(Role::Quarantine(1)));
    plan.ready(next);
    plan.ready(alone);
    plan.happens(Event::Over { stream: 1 });
    assert_eq!(plan.killed(alone), Some(Why::Over));
    plan.exits(alone, &[]);
    plan.pass(400.0);
    assert!(plan.quarantined().is_empty());
    assert!(plan.opened(next).is_empty());
}
