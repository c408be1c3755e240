//! WebRTC for viewers: the samples of one camera stream, over UDP, to a browser that asked by WHEP.
//!
//! Belongs here: everything that knows str0m. A [`Session`] is one viewer without sockets and clocks: an offer goes in and an answer comes
//! out, samples, datagrams and time go in, datagrams come out. A [`Room`] is the one UDP port that all of them share, and the thin shell
//! that drives them. Does not belong here: HTTP, who may watch and for how long (see `web`), where samples come from (see `hub`).
//!
//! What is carried: H.264 in the order it is shown, as it came. The box is *ICE-lite*: it sends nothing to any address that has not first
//! proved, by the password of the answer, that it is the viewer's. No STUN or TURN server is asked for anything.

mod crypto;
mod film;
mod pace;
mod room;
mod session;
#[cfg(test)]
mod tests;

pub use crypto::Keys;
pub use film::{Unfit, fits};
pub use room::{Room, VIEWERS, Visit};
pub use session::{End, Output, Packet, Refused, Session};
