//! The chains of all streams, followed record by record through the blocks in their order.

use crate::format::{footer::Footer, record::RecordHeader};
use domain::StreamId;
use std::collections::HashMap;

/// Where a stream's chain stands.
#[derive(Clone, Copy, Debug)]
struct Link {
    seq: u64,
    /// None behind a record whose header could not be read.
    chain: Option<[u8; 32]>,
}

/// How a record goes on from the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// As it should, as far as can be told.
    Good,
    /// The same record a second time: its batch was written again after a refused sync.
    Twice,
    /// So many records are not there.
    Missing(u64),
    /// It does not follow from the record before it.
    Broken,
}

/// All streams.
#[derive(Debug, Default)]
pub(super) struct Chains(HashMap<StreamId, Link>);

impl Chains {
    /// Takes the next record of its stream.
    pub(super) fn record(&mut self, header: &RecordHeader) -> Step {
        let next = Link { seq: header.seq, chain: Some(header.chain) };
        let Some(last) = self.0.get(&header.stream).copied() else {
            // What came before the oldest block is gone: only a stream's very first record can be checked.
            self.0.insert(header.stream.clone(), next);
            let begins = header.seq != 0 || header.chain == header.chain_after(&[0; 32]);
            return if begins { Step::Good } else { Step::Broken };
        };
        if header.seq <= last.seq {
            return Step::Twice;
        }
        self.0.insert(header.stream.clone(), next);
        match (header.seq - last.seq, last.chain) {
            (1, Some(chain)) if header.chain != header.chain_after(&chain) => Step::Broken,
            (1, _) => Step::Good,
            (n, _) => Step::Missing(n - 1),
        }
    }

    /// A record is known to have been there, but cannot be read: the chain goes on behind it.
    pub(super) fn unreadable(&mut self, stream: &StreamId, seq: u64) {
        let link = self.0.entry(stream.clone()).or_insert(Link { seq, chain: None });
        if seq >= link.seq {
            *link = Link { seq, chain: None };
        }
    }

    /// Streams of a seal whose heads are not where the records led. What a seal says is what goes on.
    pub(super) fn seal(&mut self, footer: &Footer) -> Vec<StreamId> {
        let mut wrong = Vec::new();
        for line in &footer.streams {
            let Some(seq) = line.next_seq.checked_sub(1) else { continue };
            match self.0.get(&line.stream) {
                Some(link) if link.seq == seq && link.chain.is_none_or(|chain| chain == line.chain) => {}
                // Of a stream that has nothing in the blocks that are left, the seal alone knows.
                None if line.records == 0 => {}
                _ => wrong.push(line.stream.clone()),
            }
            self.0.insert(line.stream.clone(), Link { seq, chain: Some(line.chain) });
        }
        wrong
    }
}
