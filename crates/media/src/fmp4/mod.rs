//! Fragmented MP4 (ISO 14496-12 §8.8): an initialisation segment, then one `moof` + `mdat` after the other, each of one track.
//! Writes what browsers and players take, and reads back exactly what it wrote. Not a reader of other programs' files.

mod fragment;
mod init;

pub use fragment::{Fragment, Piece, fragment_header, parse_fragment};
pub(crate) use init::flac_init;
pub use init::{InitTrack, Track, init_segment, parse_init};
