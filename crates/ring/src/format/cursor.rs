//! Reading and writing little-endian fields one after another. Nothing else.

use super::{FormatError, VERSION};

/// Reads fields front to back.
#[derive(Clone, Debug)]
pub struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    /// Starts at the front.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether all of it was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next `n` bytes.
    ///
    /// # Errors
    /// [`FormatError::Short`].
    pub fn slice(&mut self, n: usize) -> Result<&'a [u8], FormatError> {
        let (head, rest) = self.0.split_at_checked(n).ok_or(FormatError::Short)?;
        self.0 = rest;
        Ok(head)
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// [`FormatError::Short`].
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(FormatError::Short)?;
        self.0 = rest;
        Ok(*head)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`FormatError::Short`].
    pub fn u8(&mut self) -> Result<u8, FormatError> {
        self.array::<1>().map(|[b]| b)
    }

    /// Two bytes.
    ///
    /// # Errors
    /// [`FormatError::Short`].
    pub fn u16(&mut self) -> Result<u16, FormatError> {
        self.array().map(u16::from_le_bytes)
    }

    /// Four bytes.
    ///
    /// # Errors
    /// [`FormatError::Short`].
    pub fn u32(&mut self) -> Result<u32, FormatError> {
        self.array().map(u32::from_le_bytes)
    }

    /// Eight bytes.
    ///
    /// # Errors
    /// [`FormatError::Short`].
    pub fn u64(&mut self) -> Result<u64, FormatError> {
        self.array().map(u64::from_le_bytes)
    }

    /// Eight bytes, signed.
    ///
    /// # Errors
    /// [`FormatError::Short`].
    pub fn i64(&mut self) -> Result<i64, FormatError> {
        self.array().map(i64::from_le_bytes)
    }

    /// Magic and version, as every structure begins.
    ///
    /// # Errors
    /// [`FormatError::Magic`], [`FormatError::Version`].
    pub fn start(&mut self, magic: [u8; 4]) -> Result<(), FormatError> {
        if self.array::<4>()? != magic {
            return Err(FormatError::Magic);
        }
        match self.u16()? {
            VERSION => Ok(()),
            other => Err(FormatError::Version(other)),
        }
    }
}

/// A structure of known size being written; fields go in front to back, the rest stays zero.
#[derive(Clone, Debug)]
pub struct Fields<const N: usize> {
    bytes: [u8; N],
    at: usize,
}

impl<const N: usize> Fields<N> {
    /// Begins with magic and version.
    #[must_use]
    pub fn start(magic: [u8; 4]) -> Self {
        Self { bytes: [0; N], at: 0 }.bytes(&magic).bytes(&VERSION.to_le_bytes())
    }

    /// Begins empty.
    #[must_use]
    pub fn empty() -> Self {
        Self { bytes: [0; N], at: 0 }
    }

    /// Appends bytes. A structure larger than `N` is a mistake in this crate, and its tests would show it as a panic.
    #[must_use]
    pub fn bytes(mut self, more: &[u8]) -> Self {
        let end = self.at + more.len();
        self.bytes[self.at..end].copy_from_slice(more);
        self.at = end;
        self
    }

    /// Appends four bytes.
    #[must_use]
    pub fn u32(self, v: u32) -> Self {
        self.bytes(&v.to_le_bytes())
    }

    /// Appends eight bytes.
    #[must_use]
    pub fn u64(self, v: u64) -> Self {
        self.bytes(&v.to_le_bytes())
    }

    /// Appends eight bytes, signed.
    #[must_use]
    pub fn i64(self, v: i64) -> Self {
        self.bytes(&v.to_le_bytes())
    }

    /// Goes on at an offset; what lies between stays zero.
    #[must_use]
    pub fn at(mut self, offset: usize) -> Self {
        self.at = offset;
        self
    }

    /// The bytes.
    #[must_use]
    pub fn done(self) -> [u8; N] {
        self.bytes
    }

    /// The bytes with the CRC-32 of all but the last four in the last four.
    #[must_use]
    pub fn sealed(mut self) -> [u8; N] {
        let crc = crc32fast::hash(&self.bytes[..N - 4]);
        self.bytes[N - 4..].copy_from_slice(&crc.to_le_bytes());
        self.bytes
    }
}

/// Checks the CRC-32 in the last four bytes.
///
/// # Errors
/// [`FormatError::Short`], [`FormatError::Crc`].
pub fn check(bytes: &[u8]) -> Result<(), FormatError> {
    let (body, crc) = bytes.split_last_chunk::<4>().ok_or(FormatError::Short)?;
    if crc32fast::hash(body) == u32::from_le_bytes(*crc) { Ok(()) } else { Err(FormatError::Crc) }
}
