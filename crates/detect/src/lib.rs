//! Pictures in, detections out: the half of the worker that looks.
//!
//! Belongs here: a small picture → the model's input tensor, ONNX Runtime sessions, the output layouts of models,
//! non-maximum suppression, the colour of what is in a box, and who is looked at next ([`Scheduler`]) by which thread ([`Pool`]).
//! Does not belong here: decoding, motion, sockets, files of models (they come as bytes that the core has checked),
//! tracks and rules. Only the worker uses this crate: it loads C++ code that reads what cameras and models say.

pub mod colour;
pub mod detector;
pub mod error;
pub mod nms;
pub mod picture;
pub mod pool;
pub mod runtime;
pub mod scheduler;
pub mod tensor;
pub mod yolox;

pub use detector::{Detector, Spent};
pub use error::DetectError;
pub use picture::{Picture, fit};
pub use pool::{Done, Hooks, Look, Pool, Stats};
pub use runtime::Runtime;
pub use scheduler::Scheduler;
