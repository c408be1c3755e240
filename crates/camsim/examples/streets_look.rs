//! Writes one drawn picture as a PPM, to look at: `streets_look PLACE HOUR SEED SECONDS WIDTHxHEIGHT OUT.ppm`.

use camsim::streets::bodies::{Body, Class, Wish};
use camsim::streets::dice::Dice;
use camsim::streets::draw::{Air, Painter, Thing};
use camsim::streets::light::{Hour, Light};
use camsim::streets::places::{Place, PlaceName};
use glam::Vec2;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let hour = match args[2].as_str() {
        "dusk" => Hour::Dusk,
        "night" => Hour::Night,
        "infrared" => Hour::Infrared,
        _ => Hour::Day,
    };
    let name = match args[1].as_str() {
        "market" => PlaceName::Market,
        "school" => PlaceName::School,
        "rubbish" => PlaceName::Rubbish,
        "open-road" => PlaceName::OpenRoad,
        _ => PlaceName::Gate,
    };
    let seed: u64 = args[3].parse().unwrap_or(1);
    let (w, h) = (1280, 720);
    let place = Place::new(name, seed);
    let light = Light::new(hour, &place.lamps, place.view.at, &mut Dice::new(seed, "light"));
    let t0 = std::time::Instant::now();
    let mut painter = Painter::new(&place, light, Air::new(Default::default(), seed), w, h);
    eprintln!("backdrop {:?}", t0.elapsed());
    let mut dice = Dice::new(seed, "x");
    let bodies: Vec<Body> = Class::ALL.iter().cycle().take(22).map(|c| Body::new(*c, &Wish::default(), &mut dice)).collect();
    let things: Vec<Thing> = bodies
        .iter()
        .enumerate()
        .map(|(i, body)| Thing {
            track: i as u32 * 10,
            body,
            at: Vec2::new((i % 4) as f32 * 3.0 - 5.0, 6.0 + (i / 4) as f32 * 5.0),
            lift: 0.0,
            heading: i as f32 * 0.9,
            gone: i as f32,
            brakes: i % 2 == 0,
            blinks: false,
            lamps: true,
        })
        .collect();
    let mut picture = vec![0; w * h * 3 / 2];
    painter.paint(&things, 3.0, &mut picture);
    let t0 = std::time::Instant::now();
    for i in 0..20 {
        painter.paint(&things, 3.0 + f64::from(i), &mut picture);
    }
    eprintln!("frame {:?}", t0.elapsed() / 20);
    let mut out = format!("P6 {w} {h} 255\n").into_bytes();
    for y in 0..h {
        for x in 0..w {
            let l = 1.164 * (f32::from(picture[y * w + x]) - 16.0);
            let c = w * h + y / 2 * (w / 2) + x / 2;
            let (u, v) = (f32::from(picture[c]) - 128.0, f32::from(picture[c + w * h / 4]) - 128.0);
            out.extend([l + 1.596 * v, l - 0.392 * u - 0.813 * v, l + 2.017 * u].map(|v| v.clamp(0.0, 255.0) as u8));
        }
    }
    std::fs::write(&args[6], out).unwrap();
}
