//! How fast the streets are drawn, on one thread: `cargo run --release -p camsim --example painted [SECONDS]`.
//!
//! Each line is one scenario at one size: what standing things cost once, what a frame costs, and how much of a core
//! eight sub streams at ten frames a second would take to draw.

use std::time::{Duration, Instant};

use camsim::streets::crowd::Moments;
use camsim::streets::scenario::{Mistake, Scenario, shipped};
use camsim::streets::street::Street;

fn main() -> Result<(), Mistake> {
    let seconds = std::env::args().nth(1).and_then(|s| s.parse().ok()).unwrap_or(2.0);
    println!("scenario          size       standing   frame    frames/s   8 × 10/s");
    for name in ["morning", "market-day", "story-school", "night-storm", "fair"] {
        let street = Street::new(&Scenario::parse(shipped(name).unwrap_or_default())?, 1)?;
        for (width, height) in [(640, 360), (1280, 720)] {
            let begun = Instant::now();
            let mut painter = street.painter(width, height);
            let standing = begun.elapsed();
            let mut picture = vec![0; width * height * 3 / 2];
            let each = repeat(seconds, |n| street.paint(&mut painter, 20.0 + n as f64 / 10.0, &mut picture));
            line(name, width, height, standing, each);
        }
    }
    let (width, height) = (512, 288);
    let mut picture = vec![0; width * height * 3 / 2];
    let mut moments = None;
    let each = repeat(seconds, |n| {
        if n % 14 == 0 {
            moments = Some(Moments::new(n, width, height));
        }
        if let Some(moments) = &mut moments {
            moments.next(&mut picture);
        }
    });
    line("(dataset)", width, height, Duration::ZERO, each);
    Ok(())
}

/// Time of one, the mean over some seconds.
fn repeat(seconds: f64, mut one: impl FnMut(u64)) -> Duration {
    one(0);
    let begun = Instant::now();
    let mut count = 1;
    while begun.elapsed().as_secs_f64() < seconds {
        one(u64::from(count));
        count += 1;
    }
    begun.elapsed() / (count - 1).max(1)
}

fn line(name: &str, width: usize, height: usize, standing: Duration, each: Duration) {
    let (ms, each) = (standing.as_secs_f64() * 1e3, each.as_secs_f64());
    println!("{name:<16} {width:>5}x{height:<4} {ms:>6.0} ms {:>6.2} ms {:>8.0} {:>9.0} %", each * 1e3, 1.0 / each, each * 8000.0);
}
