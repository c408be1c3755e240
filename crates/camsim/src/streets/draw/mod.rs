//! The village as a camera sees it: from bodies and places to a picture.
//!
//! `screen` projects, `raster` fills pixels, `backdrop` draws what stands once, `thing` poses and lights what moves,
//! `lamps` adds what shines at night, `air` is the weather and the sensor, `painter` puts a frame together, `sketch`
//! reckons the truth of it. No time of its own, no files.

mod air;
mod backdrop;
mod lamps;
mod painter;
mod raster;
mod screen;
mod sketch;
mod thing;

pub use air::{Air, Weather};
pub use painter::Painter;
pub use sketch::{Sight, Sketch};
pub use thing::Thing;
