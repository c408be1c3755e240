//! Messages of a stream's socket (or of a still job's file): a 4-byte little-endian length, then the message; behind a
//! sample's header its bytes.

use super::{Down, SAMPLE_MAX, STREAM_HEAD_MAX};
use serde::{Serialize, de::DeserializeOwned};
use std::io::{self, Read};

/// A message's bytes with its length in front; a sample's own bytes are to follow.
///
/// # Errors
/// `InvalidInput` when it is too long.
pub fn encode<T: Serialize>(message: &T) -> io::Result<Vec<u8>> {
    let mut out = postcard::to_extend(message, vec![0; 4]).map_err(io::Error::other)?;
    let len = out.len() - 4;
    if len > STREAM_HEAD_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a stream message is too long"));
    }
    out[..4].copy_from_slice(&u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes());
    Ok(out)
}

/// The length a message's first four bytes tell.
///
/// # Errors
/// `InvalidData` when it is longer than any message.
pub fn length(prefix: [u8; 4]) -> io::Result<usize> {
    let len = u32::from_le_bytes(prefix) as usize;
    if len > STREAM_HEAD_MAX { Err(io::Error::new(io::ErrorKind::InvalidData, "a stream message is too long")) } else { Ok(len) }
}

/// Reads a message from its bytes.
///
/// # Errors
/// `InvalidData` when it cannot be read.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> io::Result<T> {
    postcard::from_bytes(bytes).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, format!("a stream message cannot be read: {e}")))
}

/// Reads the next message from a blocking source; `None` at the end.
///
/// # Errors
/// When the source fails, ends in the middle, or says what cannot be.
pub fn read<T: DeserializeOwned>(source: &mut impl Read) -> io::Result<Option<T>> {
    let mut prefix = [0; 4];
    match source.read(&mut prefix)? {
        0 => return Ok(None),
        n => source.read_exact(&mut prefix[n..])?,
    }
    let mut head = vec![0; length(prefix)?];
    source.read_exact(&mut head)?;
    decode(&head).map(Some)
}

/// Reads the bytes behind a message into `data`.
///
/// # Errors
/// `InvalidData` when they are more than may be; else when the source fails or ends.
pub(super) fn fill(source: &mut impl Read, data: &mut Vec<u8>, len: u32, most: usize) -> io::Result<()> {
    let len = len as usize;
    if len > most {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a sample is longer than one may be"));
    }
    data.resize(len, 0);
    source.read_exact(data)
}

/// Reads the next message from a blocking source, and a sample's bytes into `data` (which is cleared first); `None` at the end.
///
/// # Errors
/// When the source fails, ends in the middle, or says what cannot be.
pub fn read_down(source: &mut impl Read, data: &mut Vec<u8>) -> io::Result<Option<Down>> {
    data.clear();
    let Some(message) = read(source)? else { return Ok(None) };
    if let Down::Sample(sample) = &message {
        fill(source, data, sample.len, SAMPLE_MAX)?;
    }
    Ok(Some(message))
}
