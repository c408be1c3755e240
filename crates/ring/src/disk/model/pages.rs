//! Bytes of a file that is mostly nothing: pages that are there, shared between copies. Zeros cost no memory, so that a ring of
//! terabytes fits.

use std::{collections::BTreeMap, sync::Arc};

pub(super) const PAGE: usize = 4096;

/// Pages that are not all zeros, by number.
#[derive(Clone, Default)]
pub(super) struct Pages(BTreeMap<u64, Arc<[u8; PAGE]>>);

/// Cuts `offset..offset + len` at the multiples of `unit`: where each piece begins, and its place in the range.
pub(super) fn pieces(offset: u64, len: usize, unit: usize) -> impl Iterator<Item = (u64, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = offset + done as u64;
        let room = unit - usize::try_from(at % unit as u64).unwrap_or(0);
        let n = room.min(len - done);
        done += n;
        (n > 0).then(|| (at, done - n..done))
    })
}

fn inside(at: u64) -> (u64, usize) {
    (at / PAGE as u64, usize::try_from(at % PAGE as u64).unwrap_or(0))
}

impl Pages {
    /// Bytes that are not all zeros, in pages.
    pub(super) fn held(&self) -> u64 {
        (self.0.len() * PAGE) as u64
    }

    pub(super) fn get(&self, offset: u64, buf: &mut [u8]) {
        for (at, place) in pieces(offset, buf.len(), PAGE) {
            let (page, from) = inside(at);
            let Some(part) = buf.get_mut(place) else { continue };
            match self.0.get(&page) {
                Some(page) => part.copy_from_slice(&page[from..from + part.len()]),
                None => part.fill(0),
            }
        }
    }

    pub(super) fn put(&mut self, offset: u64, data: &[u8]) {
        for (at, place) in pieces(offset, data.len(), PAGE) {
            let (page, from) = inside(at);
            let Some(part) = data.get(place) else { continue };
            if part.len() == PAGE && part.iter().all(|b| *b == 0) {
                self.0.remove(&page);
                continue;
            }
            let page = self.0.entry(page).or_insert_with(|| Arc::new([0; PAGE]));
            Arc::make_mut(page)[from..from + part.len()].copy_from_slice(part);
        }
    }

    /// Makes the pages of a range the same as another file's, without copying them.
    pub(super) fn share(&mut self, other: &Self, offset: u64, len: usize) {
        for (at, _) in pieces(offset, len, PAGE) {
            let (page, _) = inside(at);
            match other.0.get(&page) {
                Some(bytes) => self.0.insert(page, bytes.clone()),
                None => self.0.remove(&page),
            };
        }
    }
}
