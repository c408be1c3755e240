//! Finding what came by: a day of thirty cameras, asked in several ways.

use anyhow::{Result, ensure};
use domain::{BBox, CameraId, Colour, Heading, Sighting, TrackId, WallTime};
use std::{path::Path, time::Instant};
use store::{SightingFilter, Sightings};

const CAMERAS: u64 = 30;
const DAY: i64 = 86_400;
const NOON: WallTime = WallTime::from_secs(1_795_430_520);
/// Questions of each kind; the least counts, and the most is told.
const ASKED: usize = 7;

/// Prints one row a question.
pub(crate) fn run(dir: &Path, lines: u64) -> Result<()> {
    std::fs::create_dir_all(dir)?;
    let measured = measure(dir, lines);
    std::fs::remove_dir_all(dir)?;
    measured
}

fn measure(dir: &Path, lines: u64) -> Result<()> {
    let path = dir.join("sightings.db");
    let sightings = Sightings::open(&path)?;
    let begun = Instant::now();
    let all: Vec<_> = (0..lines).map(|n| line(n, lines)).collect::<Result<_>>()?;
    for batch in all.chunks(4096) {
        sightings.keep(batch)?;
    }
    let kept = begun.elapsed().as_secs_f64();
    let bytes = sightings.bytes()?;
    println!("{lines} lines of {CAMERAS} cameras in 24 h: kept in {kept:.1} s, {:.0} bytes each", bytes as f64 / lines as f64);
    let day = SightingFilter { from: NOON, to: NOON.plus_micros(DAY * 1_000_000), ..SightingFilter::default() };
    let nothing = SightingFilter { classes: vec!["elephant".into()], ..day.clone() };
    let rare = SightingFilter { classes: vec!["bus".into()], colours: vec![Colour::Yellow], headings: vec![Heading::Away], ..day.clone() };
    let one = SightingFilter { cameras: Some(vec![CameraId::new("c7")?]), colours: vec![Colour::Red], ..day.clone() };
    for (what, filter) in
        [("the newest of the day", day), ("red on one camera", one), ("yellow buses that went away", rare), ("what never was", nothing)]
    {
        let mut took = Vec::new();
        let mut found = 0;
        for _ in 0..ASKED {
            let begun = Instant::now();
            found = sightings.find(&filter, 25)?.len();
            took.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        took.sort_by(f64::total_cmp);
        println!("{what}: {found} found, {:.1} ms (most {:.1} ms)", took[0], took[ASKED - 1]);
    }
    let begun = Instant::now();
    let gone = sightings.forget(NOON.plus_micros(DAY / 2 * 1_000_000), None)?;
    ensure!(gone > 0, "half of the day is over");
    println!("half of it forgotten: {gone} lines in {:.1} s", begun.elapsed().as_secs_f64());
    Ok(())
}

/// Evenly over the day and the cameras; classes and colours as on a road: mostly motorcycles, hardly ever a yellow bus.
fn line(n: u64, of: u64) -> Result<(CameraId, Sighting)> {
    let mix = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    let class = match mix % 100 {
        0 => "bus",
        1..8 => "truck",
        8..30 => "car",
        _ => "motorcycle",
    };
    let first = NOON.plus_micros(i64::try_from(n)? * DAY * 1_000_000 / i64::try_from(of)?);
    let colour = (!mix.is_multiple_of(5)).then(|| Colour::ALL[(mix / 100 % 8) as usize]);
    let sighting = Sighting {
        track: TrackId(n),
        class: class.into(),
        colour,
        heading: Heading::ALL[(mix / 800 % 5) as usize],
        first,
        last: first.plus_micros(6_000_000),
        best: first.plus_micros(3_000_000),
        bbox: BBox::from([0.3, 0.4, 0.5, 0.7]),
        score: 0.8,
    };
    Ok((CameraId::new(&format!("c{}", n % CAMERAS))?, sighting))
}
