//! The plain moving scene: a village road with houses, trees, cars and motorbikes.
//!
//! A pure function of (variant, size, time): the same instant always gives the same picture, so the main and
//! the sub stream of a camera show the same moment. What never moves is drawn once. No clock, no I/O.

use crate::picture::{Colour, Picture};
use crate::spec::Size;

/// Light and layout of one variant.
struct Light {
    sky: [u8; 3],
    hill: [u8; 3],
    grass: [u8; 3],
    road: [u8; 3],
    sun: Option<[u8; 3]>,
    /// How bright painted things are, 0–1.
    day: f32,
    seed: u64,
}

const LIGHTS: [Light; 4] = [
    Light {
        sky: [150, 200, 235],
        hill: [96, 140, 110],
        grass: [104, 160, 82],
        road: [92, 92, 96],
        sun: Some([255, 240, 190]),
        day: 1.0,
        seed: 11,
    },
    Light {
        sky: [238, 186, 140],
        hill: [120, 110, 110],
        grass: [130, 140, 84],
        road: [96, 88, 86],
        sun: Some([255, 196, 120]),
        day: 0.85,
        seed: 22,
    },
    Light { sky: [186, 194, 200], hill: [120, 136, 132], grass: [96, 132, 88], road: [84, 86, 90], sun: None, day: 0.8, seed: 33 },
    Light {
        sky: [34, 42, 74],
        hill: [28, 38, 52],
        grass: [36, 54, 44],
        road: [44, 46, 54],
        sun: Some([226, 228, 210]),
        day: 0.5,
        seed: 44,
    },
];

const PAINT: [[u8; 3]; 7] = [[200, 48, 44], [236, 236, 232], [44, 84, 170], [232, 190, 56], [60, 62, 68], [52, 138, 96], [176, 180, 186]];

/// Something that drives along the road.
struct Vehicle {
    paint: Colour,
    motorbike: bool,
    lane: usize,
    /// Where it is at time 0, in widths of the picture.
    start: f64,
    /// Widths a second; negative drives left.
    speed: f64,
}

/// A scene that can be drawn at any time.
pub(crate) struct Scene {
    still: Picture,
    vehicles: Vec<Vehicle>,
    tyre: Colour,
    glass: Colour,
    lamp: Colour,
}

/// A small repeatable generator (SplitMix64): drawing must not depend on anything but the seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn unit(&mut self) -> f64 {
        (self.roll() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn paint(&mut self, day: f32) -> Colour {
        shade(PAINT[(self.roll() % PAINT.len() as u64) as usize], day)
    }
}

fn shade([r, g, b]: [u8; 3], day: f32) -> Colour {
    let dim = |v: u8| (f32::from(v) * day) as u8;
    Colour::rgb(dim(r), dim(g), dim(b))
}

/// The heights that matter, in picture heights from the top.
const HORIZON: f64 = 0.42;
const ROAD_TOP: f64 = 0.56;
const ROAD_BOTTOM: f64 = 0.86;
/// Where the wheels of a lane touch the road, and how large things are there.
const LANES: [(f64, f64); 2] = [(0.66, 0.8), (0.80, 1.0)];

impl Scene {
    /// The scene of a variant, 0-based; more than there are begin again.
    pub(crate) fn new(variant: u32, size: Size) -> Self {
        let light = &LIGHTS[variant as usize % LIGHTS.len()];
        let mut dice = Dice(light.seed);
        let mut still = Picture::new(size);
        backdrop(&mut still, light, &mut dice);
        let vehicles = (0..9)
            .map(|i| {
                let lane = i % 2;
                let motorbike = i % 3 == 2;
                let speed = (0.06 + 0.08 * dice.unit()) * if motorbike { 1.2 } else { 1.0 };
                Vehicle {
                    paint: dice.paint(light.day),
                    motorbike,
                    lane,
                    start: dice.unit() * 1.4,
                    speed: if lane == 0 { -speed } else { speed },
                }
            })
            .collect();
        Self {
            still,
            vehicles,
            tyre: shade([28, 28, 30], light.day),
            glass: shade([150, 180, 196], light.day),
            lamp: Colour::rgb(255, 240, 180),
        }
    }

    /// Draws the scene as it is `seconds` after the beginning. `picture` must be of the scene's size.
    pub(crate) fn draw(&self, seconds: f64, picture: &mut Picture) {
        picture.data_mut().copy_from_slice(self.still.data());
        let Size { width, height } = picture.size();
        let (width, height) = (f64::from(width), f64::from(height));
        for vehicle in &self.vehicles {
            let (ground, near) = LANES[vehicle.lane];
            // 1.4 widths is the loop: vehicles leave on one side before they come back on the other.
            let x = ((vehicle.start + vehicle.speed * seconds).rem_euclid(1.4) - 0.2) * width;
            let place = Place { x: x as i32, y: (ground * height) as i32, unit: near * height * 0.01, right: vehicle.speed > 0.0 };
            if vehicle.motorbike {
                self.motorbike(picture, &place, vehicle.paint);
            } else {
                self.car(picture, &place, vehicle.paint);
            }
        }
    }

    fn car(&self, picture: &mut Picture, place: &Place, paint: Colour) {
        place.block(picture, -11.0, -6.5, 22.0, 5.0, paint);
        place.block(picture, -6.0, -10.0, 13.0, 3.6, paint);
        place.block(picture, -4.6, -9.4, 4.6, 2.6, self.glass);
        place.block(picture, 1.0, -9.4, 4.6, 2.6, self.glass);
        place.block(picture, if place.right { 10.0 } else { -11.0 }, -5.2, 1.2, 1.4, self.lamp);
        place.wheel(picture, -6.5, -1.8, 2.0, self.tyre);
        place.wheel(picture, 6.5, -1.8, 2.0, self.tyre);
    }

    fn motorbike(&self, picture: &mut Picture, place: &Place, paint: Colour) {
        place.wheel(picture, -3.4, -1.5, 1.6, self.tyre);
        place.wheel(picture, 3.4, -1.5, 1.6, self.tyre);
        place.block(picture, -3.4, -4.0, 6.8, 1.8, paint);
        place.block(picture, -1.4, -8.6, 2.8, 4.8, self.glass); // the rider
        place.wheel(picture, 0.2, -9.8, 1.4, paint); // and a helmet
    }
}

/// Where a vehicle stands and how large a hundredth of the picture's height is there.
struct Place {
    x: i32,
    y: i32,
    unit: f64,
    right: bool,
}

impl Place {
    fn scaled(&self, v: f64) -> i32 {
        (v * self.unit).round() as i32
    }

    fn block(&self, picture: &mut Picture, x: f64, y: f64, width: f64, height: f64, colour: Colour) {
        picture.rectangle(self.x + self.scaled(x), self.y + self.scaled(y), self.scaled(width).max(1), self.scaled(height).max(1), colour);
    }

    fn wheel(&self, picture: &mut Picture, x: f64, y: f64, radius: f64, colour: Colour) {
        picture.disc(self.x + self.scaled(x), self.y + self.scaled(y), self.scaled(radius).max(1), colour);
    }
}

/// Sky, hills, houses, trees, verges and the road.
fn backdrop(picture: &mut Picture, light: &Light, dice: &mut Dice) {
    let Size { width, height } = picture.size();
    let (w, h) = (f64::from(width), f64::from(height));
    let (wi, row) = (width as i32, |share: f64| (share * h) as i32);
    picture.rectangle(0, 0, wi, row(HORIZON), shade(light.sky, 1.0));
    if let Some(sun) = light.sun {
        picture.disc((w * (0.2 + 0.6 * dice.unit())) as i32, row(0.2), row(0.05), shade(sun, 1.0));
    }
    for _ in 0..4 {
        let (x, r) = (dice.unit() * w, h * (0.15 + 0.12 * dice.unit()));
        picture.disc(x as i32, row(HORIZON) + (r * 0.45) as i32, r as i32, shade(light.hill, 1.0));
    }
    picture.rectangle(0, row(HORIZON), wi, height as i32 - row(HORIZON), shade(light.grass, 1.0));
    let homes = 5;
    for i in 0..homes {
        let x = (f64::from(i) + 0.2 + 0.3 * dice.unit()) / f64::from(homes) * w;
        house(picture, x, row(0.53), h * (0.11 + 0.06 * dice.unit()), light, dice);
    }
    for _ in 0..7 {
        let (x, y) = ((dice.unit() * w) as i32, row(0.54));
        picture.rectangle(x - row(0.006), y - row(0.10), row(0.012).max(1), row(0.10), shade([98, 74, 52], light.day));
        picture.disc(x, y - row(0.12), row(0.045), shade([46, 116, 58], light.day));
    }
    picture.rectangle(0, row(ROAD_TOP), wi, row(ROAD_BOTTOM) - row(ROAD_TOP), shade(light.road, 1.0));
    let paint = shade([226, 224, 214], light.day);
    picture.rectangle(0, row(ROAD_TOP + 0.012), wi, row(0.008).max(1), paint);
    picture.rectangle(0, row(ROAD_BOTTOM - 0.02), wi, row(0.008).max(1), paint);
    for i in 0..12 {
        picture.rectangle((f64::from(i) / 12.0 * w) as i32, row(0.695), (w / 24.0) as i32, row(0.012).max(1), paint);
    }
}

fn house(picture: &mut Picture, x: f64, ground: i32, tall: f64, light: &Light, dice: &mut Dice) {
    let (wide, tall, x) = ((tall * 1.2) as i32, tall as i32, x as i32);
    let walls = [[232, 214, 170], [216, 226, 222], [226, 190, 160], [200, 214, 190]];
    let wall = walls[(dice.roll() % walls.len() as u64) as usize];
    picture.rectangle(x, ground - tall, wide, tall, shade(wall, light.day));
    let roof = tall / 2;
    for i in 0..roof {
        let inset = (roof - i) * wide / (2 * roof.max(1)) - wide / 10;
        picture.span(ground - tall - roof + i, x + inset, x + wide - inset, shade([164, 72, 54], light.day));
    }
    let lit = if light.day < 0.6 { Colour::rgb(250, 214, 130) } else { shade([110, 140, 160], light.day) };
    picture.rectangle(x + wide / 8, ground - tall * 3 / 4, wide / 5, tall / 4, lit);
    picture.rectangle(x + wide * 5 / 8, ground - tall * 3 / 4, wide / 5, tall / 4, lit);
    picture.rectangle(x + wide * 2 / 5, ground - tall / 2, wide / 5, tall / 2, shade([120, 84, 60], light.day));
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { width: 640, height: 360 };

    fn at(variant: u32, seconds: f64) -> Picture {
        let mut picture = Picture::new(SIZE);
        Scene::new(variant, SIZE).draw(seconds, &mut picture);
        picture
    }

    #[test]
    fn the_same_instant_is_the_same_picture() {
        assert_eq!(at(0, 12.3), at(0, 12.3));
        assert_eq!(at(1, 0.0), at(5, 0.0));
    }

    #[test]
    fn time_moves_and_variants_differ() {
        assert_ne!(at(0, 1.0), at(0, 1.2));
        for (a, b) in [(0, 1), (1, 2), (2, 3)] {
            assert_ne!(at(a, 1.0), at(b, 1.0));
        }
    }

    #[test]
    fn small_and_large_pictures_hold_the_scene() {
        for size in [Size { width: 64, height: 64 }, Size { width: 1920, height: 1080 }] {
            let mut picture = Picture::new(size);
            let scene = Scene::new(2, size);
            for step in 0..50 {
                scene.draw(f64::from(step) * 7.7, &mut picture);
            }
        }
    }
}
