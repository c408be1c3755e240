//! What can stand or move in the village: how it is shaped and what it is called.
//!
//! Belongs here: shapes and their variety. Does not belong here: where a body goes (`scenario`), how it is lit and
//! drawn (`draw`). A body stands on the ground with its middle at the origin and looks along x.

mod animal;
mod car;
mod fire;
mod heavy;
mod person;
mod plate;
mod thing;
mod two_wheels;

use glam::Vec3;
use serde::Deserialize;

use super::dice::Dice;
use super::mesh::Mesh;

pub(super) use fire::Source;
pub(super) use person::Dress;

/// What a body is, in the words of the truth and of the detector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each is its own word")]
pub enum Class {
    Person,
    Motorcycle,
    Car,
    Truck,
    Bicycle,
    Bus,
    Tractor,
    Dog,
    Cow,
    Bag,
    Fire,
    Smoke,
    Stall,
    TrafficLight,
    Helmet,
    BareHead,
    Plate,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 17] = [
        Self::Person,
        Self::Motorcycle,
        Self::Car,
        Self::Truck,
        Self::Bicycle,
        Self::Bus,
        Self::Tractor,
        Self::Dog,
        Self::Cow,
        Self::Bag,
        Self::Fire,
        Self::Smoke,
        Self::Stall,
        Self::TrafficLight,
        Self::Helmet,
        Self::BareHead,
        Self::Plate,
    ];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Motorcycle => "motorcycle",
            Self::Car => "car",
            Self::Truck => "truck",
            Self::Bicycle => "bicycle",
            Self::Bus => "bus",
            Self::Tractor => "tractor",
            Self::Dog => "dog",
            Self::Cow => "cow",
            Self::Bag => "bag",
            Self::Fire => "fire",
            Self::Smoke => "smoke",
            Self::Stall => "stall",
            Self::TrafficLight => "traffic-light",
            Self::Helmet => "helmet",
            Self::BareHead => "bare-head",
            Self::Plate => "plate",
        }
    }

    /// Whether it drives.
    #[must_use]
    pub fn drives(self) -> bool {
        matches!(self, Self::Motorcycle | Self::Car | Self::Truck | Self::Bicycle | Self::Bus | Self::Tractor)
    }
}

/// A limb that swings about an axis along y while its body goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Joint {
    /// Where it hangs.
    pub pivot: Vec3,
    /// How far it swings to each side, radians.
    pub swing: f32,
    /// Where in the stride it is at the beginning, radians.
    pub phase: f32,
}

/// A piece of a body that moves as one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    /// Its shape, in the body's axes.
    pub mesh: Mesh,
    /// How it swings; None for a rigid piece.
    pub joint: Option<Joint>,
    /// The class of a piece that the truth names of its own: a helmet, a bare head, a plate.
    pub mark: Option<Class>,
}

/// A headlamp, for the light it throws on the road.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Headlamp {
    /// Where it is, in the body's axes.
    pub at: Vec3,
    /// How strong, 1 is one lamp of a car.
    pub power: f32,
}

/// A thing of one class, and whoever sits on it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body {
    /// What it is; the pieces of a rider belong to the rider's own body.
    pub class: Option<Class>,
    /// Its pieces.
    pub parts: Vec<Part>,
    /// Length, width and height, metres.
    pub size: Vec3,
    /// Metres it goes in one swing of its limbs to and fro; 0 for what has no limbs.
    pub stride: f32,
    /// What it lights the road with.
    pub headlamps: Vec<Headlamp>,
    /// Bodies that go with it: riders, each a person of their own.
    pub riders: Vec<Body>,
    /// Whether it burns or smokes: such a body has puffs for pieces.
    pub puffs: Option<fire::Source>,
}

/// Wishes for a body; what is not wished is left to the dice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wish {
    /// Its main colour, sRGB.
    pub colour: Option<[u8; 3]>,
    /// One of the class's own kinds: `sedan`, `hatch`, `suv`, `van`, `pickup`; `flatbed`, `box`, `dump`; `adult`,
    /// `child`, `cone-hat`, `uniform`; `scooter`, `wave`; `buffalo`.
    pub kind: Option<String>,
    /// Helmet or bare head for each on a motorbike, the driver first.
    pub helmets: Option<Vec<bool>>,
}

impl Body {
    /// The same body with the size its own parts have.
    fn measured(mut self) -> Self {
        let points = || self.parts.iter().flat_map(|p| &p.mesh.triangles).flat_map(|t| t.p);
        let low = points().fold(Vec3::MAX, |a, p| a.min(p));
        let high = points().fold(Vec3::MIN, |a, p| a.max(p));
        self.size = high - low;
        self
    }

    /// A body of a class.
    #[must_use]
    pub fn new(class: Class, wish: &Wish, dice: &mut Dice) -> Self {
        let mut body = match class {
            Class::Person | Class::Helmet | Class::BareHead => person::walker(&Dress::new(wish, dice), dice),
            Class::Motorcycle => two_wheels::motorcycle(wish, dice),
            Class::Bicycle => two_wheels::bicycle(wish, dice),
            Class::Car | Class::Plate => car::car(wish, dice),
            Class::Truck => heavy::truck(wish, dice),
            Class::Bus => heavy::bus(wish, dice),
            Class::Tractor => heavy::tractor(wish, dice),
            Class::Dog => animal::dog(wish, dice),
            Class::Cow => animal::cow(wish, dice),
            Class::Bag => thing::bag(wish, dice),
            Class::Stall => thing::stall(wish, dice),
            Class::TrafficLight => thing::traffic_light(),
            Class::Fire => fire::fire(wish, dice),
            Class::Smoke => fire::smoke(wish, dice),
        };
        body.class = Some(class);
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_body_stands_on_the_ground_and_keeps_its_size() {
        for class in Class::ALL {
            for seed in 0..40 {
                let body = Body::new(class, &Wish::default(), &mut Dice::new(seed, "bodies"));
                assert_eq!(body.class, Some(class));
                if body.puffs.is_some() {
                    continue;
                }
                let (mut low, mut high) = (Vec3::MAX, Vec3::MIN);
                let mut count = 0;
                for triangle in body.parts.iter().flat_map(|p| &p.mesh.triangles) {
                    for (p, n) in triangle.p.iter().zip(&triangle.n) {
                        assert!(p.is_finite() && (n.length() - 1.0).abs() < 0.01, "{class:?} {seed}: {p} {n}");
                        (low, high) = (low.min(*p), high.max(*p));
                    }
                    count += 1;
                }
                assert!((20..2500).contains(&count), "{class:?} {seed}: {count} triangles");
                assert!(low.z > -0.06 && low.z < 0.12, "{class:?} {seed}: lowest {}", low.z);
                let extent = high - low;
                assert!((extent - body.size).abs().max_element() < 0.35, "{class:?} {seed}: {extent} for {}", body.size);
            }
        }
    }

    #[test]
    fn riders_are_as_wished() {
        let wish = Wish { helmets: Some(vec![true, false, false]), ..Wish::default() };
        let bike = Body::new(Class::Motorcycle, &wish, &mut Dice::new(3, "bike"));
        let heads: Vec<_> = bike.riders.iter().filter_map(|r| r.parts.iter().find_map(|p| p.mark)).collect();
        assert_eq!(heads, [Class::Helmet, Class::BareHead, Class::BareHead]);
    }
}
