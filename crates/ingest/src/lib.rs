//! Cameras in, samples out: one RTSP session per camera stream, for ever.
//!
//! Belongs here: connecting and reconnecting, turning what a camera sends into [`domain::Sample`]s with honest
//! times, and saying in named states what is wrong. Does not belong here: who consumes the samples (the binary
//! hands in a [`Sink`]), the bitstreams themselves (see `media`), disks, or any decision about recording.
//!
//! The parts that decide are pure and take time as an argument ([`reconnect`], [`gate::Ramp`], [`boxclock`],
//! [`dts`], [`timeline`], [`assemble`]); the parts that touch the world are thin ([`retina_network`], [`run`]).

pub mod assemble;
pub mod audio;
pub mod boxclock;
pub mod dts;
pub mod failure;
pub mod gate;
pub mod memory;
pub mod network;
mod rates;
pub mod reconnect;
pub mod report;
mod retina_failure;
pub mod retina_network;
pub mod run;
mod session;
pub mod sim;
mod stream;
pub mod timeline;

pub use failure::{Failure, Reason};
pub use gate::HostGate;
pub use network::{AudioParameters, Network, Packet, Session, StreamTarget, VideoParameters};
pub use retina_network::RetinaNetwork;
pub use run::{Ingest, Limits, Sink};
pub use sim::SimNetwork;
