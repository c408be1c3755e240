//! A street of chance with a crowd of chance: what a detector is trained on.
//!
//! Nothing here plays a part or moves: each moment is rolled anew, and what stands beside what makes no sense to a
//! person; it must to nobody but a detector, which shall learn shapes and not places.

use core::f32::consts::{PI, TAU};
use glam::Vec2;

use super::bodies::{Body, Class, Wish};
use super::dice::Dice;
use super::draw::{Air, Painter, Sight, Sketch, Thing, Weather};
use super::light::{Hour, Light};
use super::places::{Place, PlaceName, Use};

/// How often a class is rolled.
const CLASSES: [(Class, f32); 13] = [
    (Class::Person, 5.0),
    (Class::Motorcycle, 6.0),
    (Class::Car, 4.0),
    (Class::Truck, 2.6),
    (Class::Bicycle, 2.0),
    (Class::Bus, 1.1),
    (Class::Tractor, 1.1),
    (Class::Dog, 1.5),
    (Class::Cow, 1.2),
    (Class::Bag, 1.6),
    (Class::Stall, 0.9),
    (Class::Fire, 0.4),
    (Class::Smoke, 0.4),
];

/// A place with its light and weather, and the means to draw moments of it.
#[derive(Clone, Debug)]
pub struct Moments {
    place: Place,
    painter: Painter,
    sketch: Sketch,
    air: Air,
    dice: Dice,
}

/// Somebody who stands somewhere.
struct Someone {
    body: Body,
    at: Vec2,
    heading: f32,
    gone: f32,
}

impl Moments {
    /// A street of a seed, for pictures of a size: `width` a multiple of 8, `height` of 2.
    #[must_use]
    pub fn new(seed: u64, width: usize, height: usize) -> Self {
        let mut dice = Dice::new(seed, "crowd");
        let name = if dice.chance(0.75) { PlaceName::OpenRoad } else { dice.pick(&PlaceName::ALL) };
        let hour = Hour::ALL[dice.weighted(&[0.55, 0.12, 0.18, 0.15])];
        let place = Place::new(name, seed);
        let light = Light::new(hour, &place.lamps, place.view.at, &mut dice);
        let weather = weather(hour, &mut dice);
        let air = Air::new(weather, seed);
        let painter = Painter::new(&place, light, air.clone(), width, height);
        let sketch = Sketch::new(&place, width, height);
        Self { place, painter, sketch, air, dice }
    }

    /// Draws the next moment into `picture` (I420) and tells what is in it.
    pub fn next(&mut self, picture: &mut [u8]) -> Vec<Sight> {
        let crowd = self.crowd();
        let blinks = self.dice.chance(0.3);
        let things: Vec<_> = crowd
            .iter()
            .enumerate()
            .map(|(i, someone)| Thing {
                track: 1 + i as u32 * 32,
                body: &someone.body,
                at: someone.at,
                lift: 0.0,
                heading: someone.heading,
                gone: someone.gone,
                brakes: i % 3 == 0,
                blinks,
                lamps: i % 4 != 0,
                signal: None,
            })
            .collect();
        let seconds = f64::from(self.dice.between(0.0, 1000.0));
        self.painter.paint(&things, seconds, picture);
        let (dx, dy) = self.air.shift(seconds);
        let mut sights = self.sketch.sights(&things, seconds);
        for sight in &mut sights {
            sight.shift(dx, dy, self.painter.size());
        }
        sights
    }

    fn crowd(&mut self) -> Vec<Someone> {
        let wanted = match self.dice.below(20) {
            0 => 0,
            1..=6 => 1 + self.dice.below(5),
            7..=16 => 4 + self.dice.below(10),
            _ => 12 + self.dice.below(16),
        };
        let mut crowd: Vec<Someone> = Vec::new();
        for _ in 0..wanted {
            let class = CLASSES[self.dice.weighted(&CLASSES.map(|c| c.1))].0;
            let body = Body::new(class, &Wish::default(), &mut self.dice);
            for _ in 0..6 {
                let Some((at, heading)) = self.stand(class) else { continue };
                let reach = |b: &Body| b.size.x.max(b.size.y) * 0.5;
                let free = crowd.iter().all(|c| c.at.distance(at) > (reach(&c.body) + reach(&body)) * 0.75);
                // Nothing stands in the lens.
                if free && at.distance(self.place.view.at.truncate()) > 2.5 + reach(&body) {
                    let gone = self.dice.between(0.0, 20.0);
                    crowd.push(Someone { body, at, heading, gone });
                    break;
                }
            }
        }
        crowd
    }

    /// A place and a heading: on a way, or anywhere in sight.
    fn stand(&mut self, class: Class) -> Option<(Vec2, f32)> {
        let dice = &mut self.dice;
        if dice.chance(0.55) {
            let kind = if class.drives() { Use::Lane } else { Use::Walk };
            let ways: Vec<_> = self.place.ways.iter().filter(|w| w.kind == kind).collect();
            let line = &dice.pick(&ways).line;
            let i = dice.below(line.len() - 1);
            let along = line[i + 1] - line[i];
            // More of the near than of the far.
            let share = dice.unit();
            let at = line[i] + along * share + Vec2::new(dice.between(-0.9, 0.9), dice.between(-0.9, 0.9));
            let turn = if dice.chance(0.12) { dice.between(0.0, TAU) } else { dice.between(-0.12, 0.12) };
            let back = if dice.chance(0.3) { PI } else { 0.0 };
            return (at.y < 60.0).then(|| (at, libm::atan2f(along.y, along.x) + turn + back));
        }
        let spot = Vec2::new(dice.between(-1.0, 1.0), dice.between(-0.45, 0.55));
        let at = self.place.view.ground(spot, 55.0)?;
        Some((at, dice.between(0.0, TAU)))
    }
}

fn weather(hour: Hour, dice: &mut Dice) -> Weather {
    let mut some = |p: f32, most: f32| if dice.chance(p) { dice.between(0.0, most) } else { 0.0 };
    let dark = matches!(hour, Hour::Night | Hour::Infrared);
    Weather {
        rain: some(0.15, 1.0),
        wind: some(0.6, 1.0),
        insects: some(if dark { 0.35 } else { 0.03 }, 1.0),
        pumping: some(0.15, 1.0),
        noise: some(0.75, if dark { 1.0 } else { 0.55 }),
        shake: some(0.2, 1.0),
        blur: some(0.35, 0.7),
    }
}
