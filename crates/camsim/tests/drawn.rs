//! The drawn streets: the same every time, and their truth agrees with their pixels.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use camsim::streets::crowd::Moments;
use camsim::streets::scenario::{SHIPPED, Scenario, shipped};
use camsim::streets::street::Street;
use sha2::{Digest, Sha256};

const WIDTH: usize = 640;
const HEIGHT: usize = 360;

fn street(name: &str, seed: u64) -> Street {
    Street::new(&Scenario::parse(shipped(name).unwrap()).unwrap(), seed).unwrap()
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).map(|b| format!("{b:02x}")).collect()
}

/// A picture of each scenario, as it was when the drawing was last changed on purpose. `BLESS=1` prints the table anew.
#[test]
fn pictures_are_the_same_to_the_last_bit() {
    let golden = include_str!("goldens/pictures.txt");
    let mut found = String::new();
    for (name, _) in SHIPPED {
        let street = street(name, 11);
        let mut painter = street.painter(WIDTH, HEIGHT);
        let mut picture = vec![0; WIDTH * HEIGHT * 3 / 2];
        street.paint(&mut painter, 31.4, &mut picture);
        found += &format!("{name} {}\n", hash(&picture));
    }
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/goldens/pictures.txt"), &found).unwrap();
    } else {
        assert_eq!(found, golden, "BLESS=1 writes goldens/pictures.txt anew, after a look at what changed");
    }
}

#[test]
fn a_picture_does_not_depend_on_those_before_it() {
    for name in ["market-day", "story-school", "night-storm", "fair"] {
        let street = street(name, 4);
        let paint = |times: &[f64]| {
            let mut painter = street.painter(WIDTH, HEIGHT);
            let mut picture = vec![0; WIDTH * HEIGHT * 3 / 2];
            times.iter().for_each(|t| street.paint(&mut painter, *t, &mut picture));
            hash(&picture)
        };
        assert_eq!(paint(&[62.0]), paint(&[3.0, 61.9, 75.0, 62.0]), "{name}");
    }
}

#[test]
fn seeds_differ() {
    let mut picture = vec![0; WIDTH * HEIGHT * 3 / 2];
    let mut of = |seed| {
        let street = street("morning", seed);
        street.paint(&mut street.painter(WIDTH, HEIGHT), 20.0, &mut picture);
        hash(&picture)
    };
    assert_ne!(of(1), of(2));
    let mut moment = |seed| {
        Moments::new(seed, WIDTH, HEIGHT).next(&mut picture);
        hash(&picture)
    };
    assert_ne!(moment(1), moment(2));
}

fn iou(a: [f32; 4], b: [f32; 4]) -> f32 {
    let common = (a[2].min(b[2]) - a[0].max(b[0])).max(0.0) * (a[3].min(b[3]) - a[1].max(b[1])).max(0.0);
    let area = |r: [f32; 4]| (r[2] - r[0]) * (r[3] - r[1]);
    common / (area(a) + area(b) - common)
}

/// Each thing that nothing hides: the box of its truth (with its riders) against the box of its pixels.
#[test]
fn boxes_lie_on_their_pixels() {
    let mut compared = 0;
    let mut worst = (1.0, String::new());
    for name in ["morning", "market-day", "story-rubbish", "story-school", "intrusion-crowd", "obstruction-crowd", "fair"] {
        let street = street(name, 8);
        let mut painter = street.painter(WIDTH, HEIGHT);
        let mut sketch = street.sketch(WIDTH, HEIGHT);
        let mut picture = vec![0; WIDTH * HEIGHT * 3 / 2];
        for t in [12.0, 33.3, 47.0, 66.0, 80.5] {
            street.paint(&mut painter, t, &mut picture);
            let sights = street.sights(&mut sketch, t);
            let (fine, owners) = painter.owners();
            for (i, thing) in street.things(t).iter().enumerate() {
                let own: Vec<_> = sights.iter().filter(|s| (thing.track..thing.track + 32).contains(&s.track)).collect();
                let whole = own.iter().filter(|s| !matches!(s.class, "helmet" | "bare-head" | "plate"));
                // Only what can be seen whole, and is more than a few pixels: of the rest the pixels say less than the truth.
                if own.is_empty() || !whole.clone().all(|s| s.visible > 0.97 && s.inside == 1.0) {
                    continue;
                }
                let bounds = whole.fold([1.0f32, 1.0, 0.0, 0.0], |b, s| {
                    [b[0].min(s.bounds[0]), b[1].min(s.bounds[1]), b[2].max(s.bounds[2]), b[3].max(s.bounds[3])]
                });
                let (across, down) = ((bounds[2] - bounds[0]) * WIDTH as f32, (bounds[3] - bounds[1]) * HEIGHT as f32);
                if across.min(down) < 14.0 {
                    continue;
                }
                let wide = WIDTH * fine;
                let mut pixels = [usize::MAX, usize::MAX, 0, 0];
                for (at, _) in owners.iter().enumerate().filter(|(_, o)| usize::from(**o) == i + 1) {
                    let (x, y) = (at % wide, at / wide);
                    pixels = [pixels[0].min(x), pixels[1].min(y), pixels[2].max(x + 1), pixels[3].max(y + 1)];
                }
                let (w, h) = (wide as f32, (HEIGHT * fine) as f32);
                let seen = [pixels[0] as f32 / w, pixels[1] as f32 / h, pixels[2] as f32 / w, pixels[3] as f32 / h];
                let overlap = iou(bounds, seen);
                compared += 1;
                if overlap < worst.0 {
                    worst = (overlap, format!("{name} at {t}: {:?} {} {bounds:?} {seen:?}", thing.body.class, thing.track));
                }
            }
        }
    }
    assert!(compared > 60, "only {compared} things compared");
    assert!(worst.0 >= 0.9, "IoU {}: {}", worst.0, worst.1);
}

#[test]
fn what_is_hidden_is_told_so() {
    // Of a crowded market some are hidden by others and by parasols, and most are not.
    let street = street("market-day", 2);
    let mut sketch = street.sketch(WIDTH, HEIGHT);
    let sights: Vec<_> = (0..20).flat_map(|i| street.sights(&mut sketch, f64::from(i) * 5.0)).collect();
    let share = |low: f32, high: f32| sights.iter().filter(|s| s.visible >= low && s.visible < high).count() as f32 / sights.len() as f32;
    assert!(share(0.0, 0.5) > 0.03 && share(0.9, 1.1) > 0.25, "{} {}", share(0.0, 0.5), share(0.9, 1.1));
    for sight in &sights {
        let [left, top, right, bottom] = sight.bounds;
        assert!(0.0 <= left && left < right && right <= 1.0 && 0.0 <= top && top < bottom && bottom <= 1.0, "{sight:?}");
        assert!((0.0..=1.0).contains(&sight.inside), "{sight:?}");
        assert_eq!(sight.riders.is_some(), matches!(sight.class, "motorcycle" | "bicycle"), "{sight:?}");
    }
}
