//! The drawn streets: a village of the same seed is the same to the last bit, and it knows what is in its pictures.
//!
//! From the ground up: `dice` (chance), `mesh` (shapes), `bodies` (what moves), `ground` and `places` (what stands),
//! `light`, `view` (the camera), `draw` (pictures and the truth of them),
//! `scenario` (who does what), `street` (all of it, at any moment), `crowd` (a street of chance, for training). A pure module: no file, no clock, no socket;
//! nothing here knows RTSP or codecs. `camsim serve`, `render`, `truth` and `dataset` are its users.

pub mod bodies;
pub mod crowd;
pub mod dice;
pub mod draw;
pub mod ground;
pub mod light;
pub mod mesh;
pub mod places;
pub mod scenario;
pub mod street;
pub mod view;
