//! Bytes in, bytes out: codec parameters, access units, MP4 (fragmented and progressive), and the canonical hash of samples.
//!
//! Belongs here: anything that only needs the bytes. Does not: files, sockets, clocks, threads, and codecs' pictures
//! (decoding lives in the worker). Everything read here came from a camera or a disk and is treated as hostile:
//! lengths are checked before they are believed, nothing panics, nothing allocates by a length field alone.

pub mod access_unit;
mod bits;
mod boxes;
pub mod demux;
pub mod error;
pub mod fmp4;
pub mod hash;
pub mod join;
pub mod nal;
pub mod params;
pub mod progressive;
pub mod sound;

pub use error::MediaError;
