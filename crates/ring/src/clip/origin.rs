//! Where every sample of a clip comes from: the records it was cut from, whole, so that whoever has the file can hash them
//! again and follow the chain. Behind signed exports.

use super::{ClipError, ClipPlan, MEMORY, Part};
use crate::{format::record::RecordHeader, reader::RecordRef};
use bytes::Bytes;
use domain::Format;
use media::fmp4::Piece;
use std::sync::Arc;

/// One record that samples of the clip were taken from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// What it says about itself.
    pub header: RecordHeader,
    /// The chain before it; `None` when the record before it is gone or cannot be read.
    pub chain_before: Option<[u8; 32]>,
    /// The parameters of its samples.
    pub format: Arc<Format>,
    /// All of its samples, in decoding order.
    pub samples: Vec<OriginSample>,
}

/// A sample of such a record.
#[derive(Clone, Debug)]
pub struct OriginSample {
    /// Its line of the record's table: as it was hashed.
    pub piece: Piece,
    /// Where its bytes are.
    pub place: Place,
}

/// Where a sample's bytes are.
#[derive(Clone, Debug)]
pub enum Place {
    /// In the clip, from this byte on.
    File(u64),
    /// The clip leaves it out (it lies outside the range, or cannot be decoded there): here it is.
    Dropped(Bytes),
}

impl ClipPlan {
    /// The records of the clip, each read whole and checked (check sums, media hash), video first, in the order of the chain.
    pub fn origins(&self) -> impl Iterator<Item = Result<Origin, ClipError>> {
        let mut before: Option<(RecordRef, [u8; 32])> = None;
        // Parts in the order of their records; within one record they already lie as its samples do.
        let mut parts: Vec<&Part> = self.parts.iter().filter(|p| p.record != MEMORY).collect();
        parts.sort_by_key(|p| p.record);
        self.records.iter().zip(0u32..).map(move |(r, n)| {
            let mine = parts.get(parts.partition_point(|p| p.record < n)..parts.partition_point(|p| p.record <= n)).unwrap_or(&[]);
            let origin = self.origin(r, mine, before.as_ref())?;
            before = Some((r.clone(), origin.header.chain));
            Ok(origin)
        })
    }

    fn origin(&self, r: &RecordRef, parts: &[&Part], before: Option<&(RecordRef, [u8; 32])>) -> Result<Origin, ClipError> {
        let whole = self.reader.whole(r)?;
        let chain_before = match before {
            Some((last, chain)) if last.stream == r.stream && last.entry.seq + 1 == r.entry.seq => Some(*chain),
            _ => self.reader.chain_before(r)?,
        };
        let mut at = whole.data;
        let mut samples = Vec::with_capacity(whole.pieces.len());
        for piece in whole.pieces {
            let size = piece.size as usize;
            let part = parts.iter().find(|p| (p.from as usize..p.from as usize + p.len as usize).contains(&at));
            let place = match part {
                Some(p) => Place::File(p.at + (at - p.from as usize) as u64),
                None => Place::Dropped(whole.payload.slice(at..at + size)),
            };
            at += size;
            samples.push(OriginSample { piece, place });
        }
        Ok(Origin { header: whole.header, chain_before, format: whole.format, samples })
    }
}
