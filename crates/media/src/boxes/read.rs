//! Walks boxes of bytes one does not trust. Borrowed slices only: nothing is allocated by what a length field says.

use crate::error::MediaError;
use std::ops::Range;

/// One box.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'a> {
    pub(crate) kind: [u8; 4],
    pub(crate) body: &'a [u8],
    /// Where the box begins in what was walked.
    pub(crate) start: usize,
    /// Where its body begins in what was walked.
    pub(crate) body_start: usize,
}

impl Node<'_> {
    /// Where the box ends in what was walked.
    pub(crate) fn end(&self) -> usize {
        self.body_start + self.body.len()
    }

    /// Where its body lies in what was walked.
    pub(crate) fn body_range(&self) -> Range<usize> {
        self.body_start..self.end()
    }
}

/// The boxes of a stretch of bytes, one after the other. After an error the iterator ends.
pub(crate) fn nodes(bytes: &[u8]) -> Nodes<'_> {
    Nodes { bytes, at: 0 }
}

pub(crate) struct Nodes<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Nodes<'a> {
    type Item = Result<Node<'a>, MediaError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.at..).filter(|rest| !rest.is_empty())?;
        let start = self.at;
        let Some((header, kind, size)) = head(rest) else {
            self.at = self.bytes.len();
            return Some(Err(MediaError::truncated("MP4 box")));
        };
        let body = usize::try_from(size).ok().and_then(|size| rest.get(header..size));
        let Some(body) = body else {
            self.at = self.bytes.len();
            return Some(Err(MediaError::truncated("MP4 box")));
        };
        self.at = start + header + body.len();
        Some(Ok(Node { kind, body, start, body_start: start + header }))
    }
}

/// Header length, kind and whole size. Size 0 means to the end (§4.2), size 1 a 64-bit size behind the kind.
fn head(rest: &[u8]) -> Option<(usize, [u8; 4], u64)> {
    let size = u32::from_be_bytes(*rest.first_chunk()?);
    let kind = *rest.get(4..)?.first_chunk()?;
    match size {
        0 => Some((8, kind, rest.len() as u64)),
        1 => Some((16, kind, u64::from_be_bytes(*rest.get(8..)?.first_chunk()?))),
        _ => Some((8, kind, u64::from(size))),
    }
}

/// The first box of a kind directly inside `bytes`.
pub(crate) fn child<'a>(bytes: &'a [u8], kind: &[u8; 4], what: &'static str) -> Result<Node<'a>, MediaError> {
    for node in nodes(bytes) {
        let node = node?;
        if node.kind == *kind {
            return Ok(node);
        }
    }
    Err(MediaError::malformed(what, "the box is missing"))
}

/// Fixed fields of one box, first to last.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a> {
    what: &'static str,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(crate) fn new(what: &'static str, body: &'a [u8]) -> Self {
        Self { what, rest: body }
    }

    pub(crate) fn take<const N: usize>(&mut self) -> Result<[u8; N], MediaError> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or(MediaError::truncated(self.what))?;
        self.rest = rest;
        Ok(*head)
    }

    pub(crate) fn skip(&mut self, count: usize) -> Result<(), MediaError> {
        self.bytes(count).map(drop)
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Result<&'a [u8], MediaError> {
        let (head, rest) = self.rest.split_at_checked(count).ok_or(MediaError::truncated(self.what))?;
        self.rest = rest;
        Ok(head)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, MediaError> {
        self.take().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, MediaError> {
        self.take().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, MediaError> {
        self.take().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, MediaError> {
        self.take().map(u64::from_be_bytes)
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }
}
