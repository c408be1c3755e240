//! Privacy masks: parts of a picture that are not for everybody.
//!
//! Belongs here: their shape and bounds. Does not belong here: painting (the worker), who sees without them (`web`).

use crate::geometry::Point;

/// Corners of one, in order around it.
pub type Mask = Vec<Point>;

/// Most of one camera.
pub const MASKS_MAX: usize = 16;
/// Corners that one has.
pub const MASK_CORNERS: std::ops::RangeInclusive<usize> = 3..=16;

/// Whether these are so many that have so many corners, all of them inside of the picture.
#[must_use]
pub fn are_sound(masks: &[Mask]) -> bool {
    let inside = |p: &Point| (0.0..=1.0).contains(&p.x) && (0.0..=1.0).contains(&p.y);
    masks.len() <= MASKS_MAX && masks.iter().all(|m| MASK_CORNERS.contains(&m.len()) && m.iter().all(inside))
}
