//! Where the bytes of a package are: read anywhere, twice, by several at once.

use std::{
    cell::Cell,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::FileExt,
};

/// Bytes that can be read from anywhere.
pub trait Source {
    /// How many there are.
    fn len(&self) -> u64;
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Reads from an offset; 0 at the end.
    ///
    /// # Errors
    /// What the file system says.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize>;
}

/// A file and its length when it was opened.
#[derive(Debug)]
pub struct OpenFile {
    file: File,
    len: u64,
}

impl OpenFile {
    /// Of an opened file.
    ///
    /// # Errors
    /// When its length cannot be told.
    pub fn new(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self { file, len })
    }
}

impl Source for OpenFile {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(buf, offset)
    }
}

impl Source for &[u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let from = usize::try_from(offset).ok().and_then(|o| self.get(o..)).unwrap_or_default();
        let n = from.len().min(buf.len());
        buf.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        Ok(n)
    }
}

/// A stretch of a source, read from front to back.
pub(super) struct Stretch<'a> {
    source: &'a dyn Source,
    start: u64,
    len: u64,
    at: u64,
}

impl<'a> Stretch<'a> {
    pub(super) fn whole(source: &'a dyn Source) -> Self {
        Self { source, start: 0, len: source.len(), at: 0 }
    }

    /// Cut to what there is.
    pub(super) fn new(source: &'a dyn Source, start: u64, len: u64) -> Self {
        let start = start.min(source.len());
        Self { source, start, len: len.min(source.len() - start), at: 0 }
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Whether so many bytes lie there.
    pub(super) fn has(&self, offset: u64, len: u32) -> bool {
        offset.checked_add(len.into()).is_some_and(|end| end <= self.len)
    }

    /// Fills the buffer from an offset of the stretch, or says that it lies outside.
    pub(super) fn exact(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(buf.len() as u64).filter(|end| *end <= self.len).ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut at = offset;
        while at < end {
            let done = usize::try_from(at - offset).map_err(io::Error::other)?;
            match self.source.read_at(self.start + at, buf.get_mut(done..).unwrap_or_default())? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => at += n as u64,
            }
        }
        Ok(())
    }
}

impl Read for Stretch<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.len - self.at).unwrap_or(usize::MAX);
        let most = buf.len().min(left);
        let n = self.source.read_at(self.start + self.at, buf.get_mut(..most).unwrap_or_default())?;
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for Stretch<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.len.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.filter(|at| *at <= self.len).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// A stretch of which no more is read than is left in a purse.
pub(super) struct Metered<'a> {
    inner: Stretch<'a>,
    left: &'a Cell<u64>,
}

impl<'a> Metered<'a> {
    pub(super) fn new(inner: Stretch<'a>, left: &'a Cell<u64>) -> Self {
        Self { inner, left }
    }
}

impl Read for Metered<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.left.set(self.left.get().checked_sub(n as u64).ok_or(io::ErrorKind::QuotaExceeded)?);
        Ok(n)
    }
}

impl Seek for Metered<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}
