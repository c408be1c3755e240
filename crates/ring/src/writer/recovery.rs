//! What a cut left: chain heads from the newest seal, then from the blocks behind it that never got theirs.

use super::{
    backoff::Backoff,
    builder::Head,
    core::{Found, Unsealed},
};
use crate::{
    catalog::{Catalog, first_batch, summary_from_block},
    format::{
        PAGE,
        footer::SEAL_RECOVERED,
        index::{BlockState, BlockSummary},
    },
    recover::{block_header, scan},
    table::BlockTable,
};
use domain::{Clock, ClockTrust, StreamId};
use std::{collections::BTreeMap, sync::Arc};

/// Chain heads from the last seal, then from the blocks behind it that have none.
pub(super) fn recover(catalog: &Catalog, clock: &dyn Clock, found: &mut Found) {
    let mut slots: Vec<(usize, BlockSummary)> = catalog.slots().into_iter().enumerate().filter(|(_, s)| s.sequence > 0).collect();
    slots.sort_by_key(|(_, s)| std::cmp::Reverse(s.sequence));
    let (mut behind, mut late, mut sealed) = (Vec::new(), Vec::new(), false);
    for (n, (slot, s)) in slots.into_iter().enumerate() {
        // Before the newest seal only those matter that never got theirs: on a disk that was away, or refused it.
        if sealed && s.state != BlockState::Open {
            continue;
        }
        let opened = catalog.file(slot).and_then(|file| Ok((block_header(&*file)?, file)));
        let (header, file) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                let error = catalog.io("read", catalog.spec.file(slot), error);
                tracing::warn!(ring = %catalog.spec.name, block = s.sequence, %error, "one of the newest blocks cannot be read: left as it is");
                continue;
            }
        };
        // A header that rotted says nothing; the batches repeat whose they are.
        let written = || matches!(first_batch(&*file), Ok(Some(n)) if n == s.sequence);
        let own = header.as_ref().map_or_else(written, |h| h.sequence == s.sequence);
        if n == 0 {
            let same = header.as_ref().filter(|h| h.boot == clock.boot_id() && h.clock_synchronised);
            found.trust = same.map_or_else(ClockTrust::default, |h| ClockTrust::since(h.wall, h.mono));
        }
        // Its line of the index may not have reached the disk: a seal that is there is not written again.
        let found_sealed = if s.state == BlockState::Open && own { catalog.footer(slot, s.sequence).ok().flatten() } else { None };
        let s = match found_sealed {
            Some(footer) => {
                let data_end = footer.data_end;
                let sealed = BlockTable::of_footer(footer).summary(s.sequence, BlockState::Sealed, data_end.into());
                catalog.set(slot, sealed);
                sealed
            }
            None => s,
        };
        if sealed && s.state != BlockState::Open {
            continue;
        }
        match s.state {
            BlockState::Sealed => match catalog.footer(slot, s.sequence) {
                Ok(Some(footer)) => {
                    found.last_seal = footer.digest();
                    for e in footer.streams {
                        let head =
                            Head { next_seq: e.next_seq, next_gop: e.next_gop, chain: e.chain, format: e.format, last_block: e.last_block };
                        found.heads.insert(Arc::new(e.stream), head);
                    }
                    sealed = true;
                }
                // A footer that rotted is written anew.
                _ if own => behind.push((slot, s)),
                _ => {}
            },
            BlockState::Open if own && sealed => late.push((slot, s)),
            BlockState::Open if own => behind.push((slot, s)),
            // Taken by the index, but its header never became durable: nothing of it was overwritten, so it is what it was.
            BlockState::Open => {
                let was = summary_from_block(&*file, &catalog.spec, Some(found.ring)).map(|(_, s)| s).unwrap_or_default();
                catalog.set(slot, was);
            }
            BlockState::Empty | BlockState::Erased => {}
        }
    }
    for (slot, s) in late.into_iter().rev() {
        recover_block(catalog, found, slot, s, true);
    }
    for (slot, s) in behind.into_iter().rev() {
        recover_block(catalog, found, slot, s, false);
    }
}

/// `late`: newer blocks are sealed already; the heads of chains are theirs.
fn recover_block(catalog: &Catalog, found: &mut Found, slot: usize, s: BlockSummary, late: bool) {
    let scanned = catalog.file(slot).and_then(|file| scan(&*file, s.sequence, catalog.spec.data_limit(), PAGE, 0));
    let scanned = match scanned {
        Ok(scanned) => scanned,
        Err(error) => {
            // One unreadable block must not keep the others from recording.
            tracing::warn!(ring = %catalog.spec.name, block = s.sequence, %error, "cannot read the block the last run left open: left as it is");
            return;
        }
    };
    tracing::info!(
        ring = %catalog.spec.name, block = s.sequence, records = scanned.records.len(), torn = scanned.torn, damaged = scanned.damaged,
        "recovered the block the last run left open"
    );
    if scanned.records.is_empty() {
        catalog.set(slot, BlockSummary::default());
        return;
    }
    let table = Arc::new(BlockTable::of(&scanned));
    for r in &scanned.records {
        let (h, id): (_, StreamId) = (&r.header, r.header.stream.clone());
        let next_seq = h.seq.saturating_add(1);
        let head = found.heads.entry(Arc::new(id)).or_default();
        // Blocks are in order over eras, counts are not.
        if late && (head.last_block > h.block || head.next_seq >= next_seq) {
            continue;
        }
        *head = Head { next_seq, next_gop: h.gop.saturating_add(1), chain: h.chain, format: h.format, last_block: h.block };
    }
    let summary = table.summary(s.sequence, BlockState::Open, scanned.data_end);
    catalog.publish(slot, s.sequence, table.clone(), scanned.data_end, scanned.next_batch, summary);
    if !catalog.paths.is_in(catalog.spec.place(slot).0) {
        return;
    }
    found.unsealed.push_back(Unsealed {
        slot,
        sequence: s.sequence,
        data_end: scanned.data_end,
        batches: scanned.batches,
        table,
        heads: if late { BTreeMap::new() } else { found.heads.clone() },
        flags: SEAL_RECOVERED,
        tries: 0,
        retry: Backoff::default(),
    });
}
