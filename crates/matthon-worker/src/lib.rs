//! The worker: compressed samples in, observations and JPEGs out, and nothing else in or out.
//!
//! Belongs here: GStreamer decoding, scaling, the motion gate, stills, viewing copies, walls, renditions, replay, the sandbox, and the wiring of `detect`.
//! Does not belong here: what crosses the border (`vision::protocol`), inference itself (`detect`), tracks and rules.
//! It is a library only so that its parts can be tested and measured; the program is `main.rs`.

pub mod copy;
pub mod counts;
pub mod decode;
pub mod film;
pub mod grid;
pub mod jpeg;
pub mod live;
pub mod look;
pub mod media;
pub mod motion;
pub mod note;
pub mod recent;
pub mod rendition;
pub mod replay;
pub mod sandbox;
pub mod scale;
pub mod session;
pub mod still;
pub mod uplink;
pub mod wall;
mod wired;

/// One line to the log (standard error, which the core's supervisor inherits).
pub(crate) fn say(what: impl std::fmt::Display) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "matthon-worker: {what}");
}
