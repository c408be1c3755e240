//! Live viewing: the samples of one camera stream become fragments that browsers play.
//!
//! Belongs here: the one mux of a stream however many watch it ([`LiveStream`]), what a viewer is sent and in
//! which order ([`Viewer`], [`Message`]), the viewers' timeline. Does not belong here: sockets and their
//! protocol (see `web`), the boxes of a fragment (see `media`), recording, any timer: a frame leaves the moment
//! it is whole.

mod message;
mod mux;
mod stream;
mod timeline;
mod viewer;

pub use message::{FormatInfo, Message};
pub use stream::LiveStream;
pub use timeline::{LONGEST_STEP, SHORTEST_STEP, Timeline};
pub use viewer::Viewer;
