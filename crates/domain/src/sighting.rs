//! One thing that came by, in one line: what is searched when somebody asks "the white van, yesterday evening".
//!
//! Belongs here: the line and its words. Does not belong here: how it is drawn from observations (`analytics`), where lines are kept
//! (`store`). There are none of persons: nobody is searched for by how he looks.

use crate::{BBox, Class, TrackId, WallTime, geometry::Point, words::words};

/// The class that is never written down here.
pub const PERSON: &str = "person";

words! {
    /// What colour most of a thing has, in words everybody would use.
    Colour, "a colour":
    /// Black.
    Black = "black",
    /// Grey or silver.
    Grey = "grey",
    /// White.
    White = "white",
    /// Red.
    Red = "red",
    /// Brown or orange.
    Brown = "brown",
    /// Yellow.
    Yellow = "yellow",
    /// Green.
    Green = "green",
    /// Blue or violet.
    Blue = "blue",
}

words! {
    /// Where a thing went, on the picture.
    Heading, "a heading":
    /// To the picture's left.
    Left = "left",
    /// To its right.
    Right = "right",
    /// Up the picture: away from most cameras.
    Away = "away",
    /// Down the picture: towards most cameras.
    Near = "near",
    /// It stood, or hardly moved.
    Still = "still",
}

/// Moved by less than this, in fractions of the picture, a thing stood.
const STOOD: f64 = 0.08;

impl Heading {
    /// From one place of the picture to another. The longer way of both, measured in fractions of the picture, decides.
    #[must_use]
    pub fn between(from: Point, to: Point) -> Self {
        let (dx, dy) = (to.x - from.x, to.y - from.y);
        match (dx.abs() >= dy.abs(), dx.abs().max(dy.abs())) {
            // Also where a place is not a number.
            (_, far) if far.is_nan() || far < STOOD => Self::Still,
            (true, _) if dx > 0.0 => Self::Right,
            (true, _) => Self::Left,
            (false, _) if dy > 0.0 => Self::Near,
            (false, _) => Self::Away,
        }
    }
}

/// One thing of one camera, from its first picture to its last, or a part of its stay: see `analytics::Gallery`.
#[derive(Clone, Debug, PartialEq)]
pub struct Sighting {
    /// Its track. Names it together with the camera and `first`.
    pub track: TrackId,
    /// What most pictures say it is.
    pub class: Class,
    /// What most pictures say its colour is; none: they do not agree, or it was too small.
    pub colour: Option<Colour>,
    /// Where it went.
    pub heading: Heading,
    /// The first picture it was on.
    pub first: WallTime,
    /// The last one so far.
    pub last: WallTime,
    /// The picture that shows it best.
    pub best: WallTime,
    /// Where it is on that.
    pub bbox: BBox,
    /// How sure the model was there, 0 to 1.
    pub score: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back_and_others_refused_with_the_list() {
        for colour in Colour::ALL {
            assert_eq!(colour.as_str().parse(), Ok(*colour));
        }
        for heading in Heading::ALL {
            assert_eq!(heading.as_str().parse(), Ok(*heading));
        }
        assert!("pink".parse::<Colour>().unwrap_err().contains("black, grey, white"));
    }

    #[test]
    fn a_heading_is_the_longer_way() {
        let from = Point { x: 0.5, y: 0.5 };
        let to = |x: f64, y: f64| Heading::between(from, Point { x, y });
        assert_eq!([to(0.9, 0.6), to(0.1, 0.6), to(0.6, 0.9), to(0.6, 0.1)], [Heading::Right, Heading::Left, Heading::Near, Heading::Away]);
        assert_eq!([to(0.55, 0.45), to(f64::NAN, f64::NAN)], [Heading::Still, Heading::Still]);
    }
}
