//! `make sim`: villages from seeds, on a clock that does not wait.
//!
//! `sim --seed N [--hours H]` lets one village live; `sim --fresh SECONDS [--hours H]` lets villages of new seeds live until so
//! many seconds are over. What breaks is told with the command that shows it again.

use matthon_sim::{Plan, live};
use std::{
    process::ExitCode,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

fn one(seed: u64, hours: f64) -> Result<(), String> {
    println!("seed {seed}: {hours} h of thirty cameras (again: make sim SEED={seed} HOURS={hours})");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.map_err(|e| format!("no runtime: {e}"))?;
    let began = Instant::now();
    let report = runtime.block_on(live(Plan::new(seed, Duration::from_secs_f64(hours * 3600.0))));
    let took = began.elapsed().as_secs_f64();
    let report = report.map_err(|v| format!("seed {seed}: {v}\nagain: make sim SEED={seed} HOURS={hours}"))?;
    println!("  {report}; {took:.1} s, {:.1} h a minute", hours * 60.0 / took);
    Ok(())
}

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (mut seed, mut fresh, mut hours) = (None, None, None);
    while let Some(arg) = args.next() {
        let value = args.next().unwrap_or_default();
        let read = match arg.as_str() {
            "--seed" => value.parse().map(|n: u64| seed = Some(n)).is_ok(),
            "--fresh" => value.parse().map(|n: u64| fresh = Some(n)).is_ok(),
            "--hours" => value.parse().map(|h: f64| hours = Some(h)).is_ok_and(|()| hours.is_some_and(|h| h > 0.0 && h < 10_000.0)),
            _ => false,
        };
        if !read {
            eprintln!("usage: sim --seed N | --fresh SECONDS [--hours H]");
            return ExitCode::from(2);
        }
    }
    let chance = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |d| d.as_nanos() as u64) % 1_000_000_000;
    let until = Instant::now() + Duration::from_secs(fresh.unwrap_or(0));
    let mut next = seed.unwrap_or(chance);
    loop {
        if let Err(what) = one(next, hours.unwrap_or(if fresh.is_some() { 1.0 } else { 24.0 })) {
            eprintln!("{what}");
            return ExitCode::FAILURE;
        }
        if Instant::now() >= until {
            return ExitCode::SUCCESS;
        }
        next += 1;
    }
}
