//! Live viewing: the samples of one camera stream become fragments that browsers play.
//!
//! Belongs here: the one mux of a stream however many watch it ([`LiveStream`]), what a viewer is sent and in
//! which order ([`Viewer`], [`Message`]), the viewers' timeline, the same as files for players that take only those ([`hls`]), and the
//! sound beside it ([`Listener`], [`Heard`]).
//! Does not belong here: sockets, HTTP and their protocol (see `web`), the boxes of a fragment (see `media`), recording, any timer
//! between a frame and its viewers: it leaves the moment it is whole.

pub mod hls;
mod message;
mod mux;
mod sound;
mod stream;
mod timeline;
mod viewer;

pub use message::{FormatInfo, Message};
pub use sound::{Heard, Listener, SoundInfo};
pub use stream::LiveStream;
pub use timeline::{LONGEST_STEP, SHORTEST_STEP, Timeline};
pub use viewer::Viewer;
