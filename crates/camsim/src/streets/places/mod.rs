//! The places a camera looks at: what stands there, the ways through it, where the pole is.
//!
//! A place is the same each time but for its seed's paint, plants and stains; ways and spots do not move, so that a
//! scenario and a rule's zone keep their meaning. `open_road` is the exception: a street that is all chance, for training.

mod gate;
mod junction;
mod market;
mod open_road;
mod parts;
mod rubbish;
mod school;

use glam::{Vec2, Vec3};
use serde::{Deserialize, Serialize};

use super::dice::Dice;
use super::ground::Ground;
use super::mesh::Mesh;
use super::view::View;

/// The name of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlaceName {
    /// The village gate over the road.
    Gate,
    /// Shops and stalls along the market road.
    Market,
    /// The road before the school gate.
    School,
    /// The collection point for rubbish by the canal.
    Rubbish,
    /// Two roads that meet, with traffic lights.
    Junction,
    /// A street that is all chance.
    OpenRoad,
}

impl PlaceName {
    /// Every place that training pictures are drawn of.
    pub const ALL: [Self; 5] = [Self::Gate, Self::Market, Self::School, Self::Rubbish, Self::OpenRoad];
}

/// Who uses a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Anything on wheels, in its direction.
    Lane,
    /// People and animals, to and fro.
    Walk,
}

/// A line that things follow from its first point to its last. Both ends lie outside the picture, or behind something.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    /// `in`, `out`, `verge-left`, …
    pub name: &'static str,
    /// Who it is for.
    pub kind: Use,
    /// Metres.
    pub line: Vec<Vec2>,
}

/// What a camera looks at.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The camera.
    pub view: View,
    /// What one walks on.
    pub ground: Ground,
    /// What stands.
    pub solid: Mesh,
    /// Where street lamps hang.
    pub lamps: Vec<Vec3>,
    /// Ways through it.
    pub ways: Vec<Way>,
    /// Points that scenarios speak of.
    pub spots: Vec<(&'static str, Vec2)>,
    /// Traffic lights: foot of the post, and the heading of those who see it.
    pub signals: Vec<(Vec2, f32)>,
}

impl Place {
    /// Builds a place.
    #[must_use]
    pub fn new(name: PlaceName, seed: u64) -> Self {
        let mut dice = Dice::new(seed, "place");
        match name {
            PlaceName::Gate => gate::build(&mut dice),
            PlaceName::Market => market::build(&mut dice),
            PlaceName::School => school::build(&mut dice),
            PlaceName::Rubbish => rubbish::build(&mut dice),
            PlaceName::Junction => junction::build(&mut dice),
            PlaceName::OpenRoad => open_road::build(&mut dice),
        }
    }

    /// The way of a name.
    #[must_use]
    pub fn way(&self, name: &str) -> Option<&Way> {
        self.ways.iter().find(|w| w.name == name)
    }

    /// The spot of a name.
    #[must_use]
    pub fn spot(&self, name: &str) -> Option<Vec2> {
        self.spots.iter().find(|s| s.0 == name).map(|s| s.1)
    }
}
