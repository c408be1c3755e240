//! Low-Latency HLS (RFC 8216bis): the same fragments for players that only take files, above all older iPhones and televisions.
//!
//! Belongs here: which fragments make a part, a segment and the window (`window`), how a playlist spells them (`playlist`), what may
//! be asked (`address`), and the task that keeps a window while somebody asks (`session`). Does not belong here: HTTP and who may
//! ask (see `web`), boxes (see `media`). A part is a list of the fragments' own buffers: nothing is copied.

mod address;
mod playlist;
mod session;
mod window;

pub use address::{At, File};
pub(crate) use session::Place;
pub use session::{Hls, HlsError};

#[cfg(test)]
mod tests;
