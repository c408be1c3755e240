//! Bytes hashed on their way.

pub(crate) use domain::hex;
use sha2::{Digest, Sha256};
use std::io::{self, Read, Write};

/// So many bytes from lowercase hexadecimal.
pub(crate) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let text = text.as_bytes();
    if text.len() != 2 * N || !text.iter().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b)) {
        return None;
    }
    let digit = |b: u8| if b.is_ascii_digit() { b - b'0' } else { b - b'a' + 10 };
    let mut out = [0; N];
    for (byte, pair) in out.iter_mut().zip(text.as_chunks::<2>().0) {
        *byte = digit(pair[0]) << 4 | digit(pair[1]);
    }
    Some(out)
}

/// SHA-256 of some bytes as text.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// SHA-256 and length of all that can be read.
pub(crate) fn sha256_of(mut from: impl Read) -> io::Result<(String, u64)> {
    let (mut sha, mut len, mut piece) = (Sha256::new(), 0, vec![0; 1 << 18]);
    loop {
        match from.read(&mut piece)? {
            0 => return Ok((hex(&sha.finalize()), len)),
            n => {
                sha.update(piece.get(..n).unwrap_or_default());
                len += n as u64;
            }
        }
    }
}

/// Passes bytes on, counts and hashes them.
pub(crate) struct Tee<W> {
    inner: W,
    sha: Sha256,
    len: u64,
}

impl<W: Write> Tee<W> {
    pub(crate) fn new(inner: W) -> Self {
        Self { inner, sha: Sha256::new(), len: 0 }
    }

    /// Digest and length of what passed.
    pub(crate) fn finish(self) -> (String, u64) {
        (hex(&self.sha.finalize()), self.len)
    }
}

impl<W: Write> Write for Tee<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.sha.update(bytes.get(..n).unwrap_or_default());
        self.len += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
