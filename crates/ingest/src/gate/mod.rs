//! The gate in front of each host: thirty channels behind one recorder connect a few at a time.
//!
//! After a power cut all streams start at once, and a village recorder answers thirty handshakes with
//! refusals. [`Ramp`] decides (no I/O, time passed in), [`HostGate`] makes tasks wait for it.

mod ramp;
mod shell;

pub use ramp::{Ramp, Ticket, Turn};
pub use shell::{HostGate, Pass};

/// Connects in flight to one host at a time.
pub const IN_FLIGHT: usize = 4;
/// Least time between the beginnings of two connects to one host.
pub const SPACING: std::time::Duration = std::time::Duration::from_millis(100);
