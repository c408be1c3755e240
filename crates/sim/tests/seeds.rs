//! Villages that went wrong once, and whether the simulation is what it says: the same twice, and one that can fail.

#![allow(clippy::unwrap_used, reason = "a village that does not live is a test that fails")]

use matthon_sim::{Plan, Report, Violation, live};
use std::time::Duration;

fn run(plan: Plan) -> Result<Report, Violation> {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(live(plan))
}

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn the_same_seed_is_the_same_village_and_another_is_another() {
    let plan = Plan { cameras: 8, ..Plan::new(11, HOUR / 2) };
    let strip = |r: Report| Report { memory: (0, 0), ..r };
    let first = strip(run(plan).unwrap());
    assert_eq!(first, strip(run(plan).unwrap()));
    assert_ne!(first.trace, run(Plan { seed: 12, ..plan }).unwrap().trace);
    assert!(first.samples > 10_000 && first.found > 9_000, "{first}");
}

#[test]
fn a_disk_that_lies_is_found_out() {
    let mut cuts = 0;
    for seed in 0..6 {
        let plan = Plan { cameras: 4, ..Plan::new(seed, HOUR) };
        let honest = run(plan).unwrap();
        let lying = run(Plan { lying_disk: true, ..plan });
        assert_eq!(lying.is_err(), honest.cuts > 0, "seed {seed}: a disk that forgot all it had synced: {lying:?}");
        cuts += honest.cuts;
    }
    assert!(cuts > 0);
}

/// Seeds of villages that broke a promise once, the minutes they need, and what it was. Who changes how villages are drawn draws
/// others: the numbers then stand for nothing but themselves, and the unit tests named here remain.
const SEEDS: &[(u64, u64, &str)] = &[
    (1, 12, "samples called durable that waited in a record: ring, no_sample_stays_unsynced_longer_than_promised"),
    (6, 15, "times shown as covered that the other path had overwritten: ring, a_path_that_refuses_leaves_holes_and_they_are_told"),
    (
        11,
        60,
        "hidden by a clock set back: ring, a_clock_set_back_inside_the_oldest_block_hides_nothing_that_is_gone; and after 24 minutes a block without a footer behind newer seals: ring, a_block_whose_footer_was_refused_is_found_behind_newer_seals_after_a_cut",
    ),
    (
        185_966_912,
        34,
        "no fault of the ring's: one path was overwritten whole, alone, between two looks of the simulation, which now looks when a path is back and knows what was rightly overwritten",
    ),
    (820_300_734, 20, "0 days were forecast while every path refused: ring, a_ring_none_of_whose_paths_takes_anything_forecasts_nothing"),
    (
        875_350_409,
        60,
        "times shown as covered that were overwritten behind a step of the clock: ring, covers_what_the_blocks_cover; and starts without a path, which the simulation took for losses",
    ),
    (441_312_499, 54, "ends cut off what is covered, beside blocks on a disk that was gone: ring, covers_what_the_blocks_cover"),
    (
        487_338_010,
        48,
        "shown as covered though zeros lay over it: ring, what_was_erased_is_not_shown_when_the_disk_will_not_say_that_it_is_gone",
    ),
    (376_709_517, 70, "a start read every block for one line of the index that was behind: 2.2 s; now it corrects that line"),
];

/// Village after village is kept to what its rules owe: a truck that stands too long is told once, wherever the worker looked.
#[test]
fn trucks_that_stand_too_long_are_told_while_the_worker_comes_and_goes() {
    let mut told = 0;
    for seed in 20..24 {
        told += run(Plan { cameras: 7, ..Plan::new(seed, HOUR / 2) }).unwrap().raised;
    }
    assert!(told >= 8, "{told}");
}

#[test]
fn what_was_mended_stays_mended() {
    for (seed, minutes, what) in SEEDS {
        if let Err(v) = run(Plan::new(*seed, Duration::from_secs(minutes * 60))) {
            panic!("seed {seed} ({what}): {v}");
        }
    }
}
