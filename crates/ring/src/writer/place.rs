//! Where batches go: laying one out, writing and syncing it, taking the next block.

use super::{
    backoff::Backoff,
    builder::{Built, Head},
    core::{Core, OpenBlock},
};
use crate::{
    disk::{DiskFile, read_exact_at},
    format::{
        PAGE,
        batch::{BatchHeader, Entry, MAX_RECORDS},
        block::{BLOCK_HEADER, BlockHeader},
        footer::Footer,
        index::{BlockState, BlockSummary, INDEX_ENTRY},
    },
    recover::crc_field,
    spec::INDEX_NAME,
};
use domain::{MonoTime, StreamId};
use metrics::counter;
use std::{
    collections::HashSet,
    io::{self, IoSlice},
    sync::Arc,
    time::Duration,
};

/// A batch grows no larger, unless a single record does.
const BATCH: u64 = 16 << 20;
/// How many blocks are tried in turn while a disk refuses.
const TURNS: usize = 4;
/// Waits after a path refused: others record meanwhile, and a dying disk that hangs for seconds is not asked at every block.
const PATH_RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));
static ZEROS: [u8; PAGE as usize] = [0; PAGE as usize];

impl Core {
    /// Writes and syncs the next batch. Returns when its oldest sample came; `None` when the records were given up.
    pub(super) fn write_batch(&mut self) -> Result<Option<MonoTime>, String> {
        let count = match &self.open {
            Some(open) => self.fitting(open),
            None => 0,
        };
        if count == 0 {
            let fresh = self.open.as_ref().is_some_and(|o| o.batches == 0);
            if fresh {
                return Ok(self.give_up());
            }
            if let Some(full) = self.open.take() {
                self.retire(full, 0);
            }
            self.take_block()?;
            return Ok(None);
        }
        let records: Vec<Built> = self.ready.drain(..count).collect();
        let Some(mut open) = self.open.take() else { return Ok(None) };
        match self.write_records(&mut open, &records) {
            Ok(bytes) => {
                self.figures.written += bytes;
                counter!("matthon_ring_bytes_written_total", "ring" => self.catalog.spec.name.clone()).increment(bytes);
                let oldest = records.iter().map(|r| r.arrived).min();
                for r in &records {
                    self.intake.release(&r.stream, r.weight);
                }
                if let Some(to) = records.iter().map(|r| r.header.wall_end()).max() {
                    self.note_newest(to);
                }
                self.refused.remove(&self.catalog.spec.place(open.slot).0);
                self.catalog.paths.took(self.catalog.spec.place(open.slot).0);
                self.refusals = 0;
                self.open = Some(open);
                Ok(oldest)
            }
            Err(e) => {
                // What of this batch reached the disk is unknown: the block ends before it, and the same records go to the next.
                for r in records.into_iter().rev() {
                    self.ready.push_front(r);
                }
                let path = self.catalog.spec.file(open.slot);
                self.refuse(open.slot, &e);
                if open.batches == 0 && !self.refusals.is_multiple_of(TURNS) {
                    // Nothing is in it yet: it is tried again before another block's recordings are given up.
                    self.open = Some(open);
                } else {
                    self.retire(open, 0);
                }
                Err(format!("cannot write {}: {e}; trying the next block (look at the disk's cables and health)", path.display()))
            }
        }
    }

    /// How many of the waiting records the block still takes.
    fn fitting(&self, open: &OpenBlock) -> usize {
        let spec = &self.catalog.spec;
        let mut bytes = 0u64;
        let mut new: HashSet<&StreamId> = HashSet::new();
        let mut count = 0;
        for r in self.ready.iter().take(MAX_RECORDS) {
            let len = r.header.len();
            if open.table.line(&r.stream).is_none() {
                new.insert(&*r.stream);
            }
            let streams = open.table.streams.len() + new.len();
            let lines = self.heads.len().max(streams).min(spec.max_streams());
            let footer = Footer::size(lines.max(streams), open.table.records.len() + count + 1) as u64;
            let end = open.at + BatchHeader::total(count + 1, bytes + len);
            if end > spec.data_limit() || footer > spec.footer_size() || streams > spec.max_streams() || (count > 0 && bytes + len > BATCH)
            {
                break;
            }
            bytes += len;
            count += 1;
        }
        count
    }

    /// A record that no empty block takes would stop the ring for good. The limits make it impossible but for absurd parameter sets.
    fn give_up(&mut self) -> Option<MonoTime> {
        let r = self.ready.pop_front()?;
        tracing::error!(ring = %self.catalog.spec.name, stream = %r.stream, bytes = r.header.len(), "record larger than a block: dropped");
        counter!("matthon_ring_samples_dropped_total", "ring" => self.catalog.spec.name.clone()).increment(u64::from(r.header.samples));
        self.intake.release(&r.stream, r.weight);
        None
    }

    fn write_records(&mut self, open: &mut OpenBlock, records: &[Built]) -> io::Result<u64> {
        let mut offset = BatchHeader::front(records.len());
        let mut headers = Vec::with_capacity(records.len());
        let mut entries = Vec::with_capacity(records.len());
        for r in records {
            let header = crate::format::record::RecordHeader { block: open.sequence, ..r.header.clone() };
            let bytes = header.to_bytes();
            let len = small(header.len());
            entries.push(Entry { offset: small(offset as u64), len, header_crc: crc_field(&bytes) });
            offset += len as usize;
            headers.push((header, bytes));
        }
        let total = crate::format::page_up(offset as u64);
        let front = BatchHeader::write(open.sequence, open.batches, open.batches, small(total), self.clock.wall(), &entries);
        let padding = usize::try_from(total - offset as u64).unwrap_or(0);
        let mut slices = vec![IoSlice::new(&front)];
        for (r, (_, bytes)) in records.iter().zip(&headers) {
            slices.push(IoSlice::new(bytes));
            slices.push(IoSlice::new(&r.front));
            slices.extend(r.samples.iter().map(|s| IoSlice::new(s)));
        }
        slices.push(IoSlice::new(ZEROS.get(..padding).unwrap_or(&[])));
        let began = self.clock.mono();
        open.file.write_all_at(&slices, open.at)?;
        open.file.sync_data()?;
        self.figures.sync_took = self.clock.mono().since(began);
        let table = Arc::make_mut(&mut open.table);
        for ((r, (header, _)), e) in records.iter().zip(&headers).zip(&entries) {
            table.push(header, e.header_crc, small(open.at + u64::from(e.offset)), Some(&r.pieces));
            let head = Head {
                next_seq: header.seq.saturating_add(1),
                next_gop: header.gop.saturating_add(1),
                chain: header.chain,
                format: header.format,
                last_block: open.sequence,
            };
            self.heads.insert(r.stream.clone(), head);
        }
        open.at += total;
        open.batches += 1;
        let now = self.catalog.slot(open.slot);
        let batch = headers.iter().map(|(h, _)| h);
        let summary = BlockSummary {
            from: batch.clone().map(|h| h.wall).chain((now.records > 0).then_some(now.from)).min().unwrap_or_default(),
            to: batch.clone().map(|h| h.wall_end()).chain((now.records > 0).then_some(now.to)).max().unwrap_or_default(),
            records: small(open.table.records.len() as u64),
            clock_unsynced: now.clock_unsynced || batch.clone().any(|h| h.has(crate::format::record::FLAG_CLOCK_UNSYNCED)),
            data_end: small(open.at),
            ..now
        };
        self.catalog.publish(open.slot, open.sequence, open.table.clone(), open.at, open.batches, summary);
        Ok(total)
    }

    /// Makes the oldest block the newest. Its header is durable before the first batch overwrites what it held.
    pub(super) fn take_block(&mut self) -> Result<(), String> {
        let slot = self.next_slot()?;
        let old = self.catalog.slot(slot);
        self.sequence += 1;
        let header = BlockHeader {
            ring: self.ring,
            sequence: self.sequence,
            block_size: self.catalog.spec.block_size,
            footer_size: small(self.catalog.spec.footer_size()),
            clock_synchronised: self.clock.synchronised() && !self.trust.is_doubtful(),
            wall: self.clock.wall(),
            mono: self.clock.mono(),
            boot: self.clock.boot_id(),
            public_key: self.signer.public_key(),
        };
        let summary = BlockSummary { sequence: self.sequence, state: BlockState::Open, data_end: PAGE as u32, ..BlockSummary::default() };
        let left = self.catalog.coverage.leaving(&self.catalog, slot);
        // The index first: a start must never find a block newer than the newest the index knows.
        self.write_index(slot, &summary, true);
        self.catalog.publish(slot, self.sequence, Arc::default(), PAGE, 0, summary);
        let path = self.catalog.spec.file(slot);
        let opened = self.catalog.disk.open(&path, true).and_then(|file| {
            let mut held = vec![0; BLOCK_HEADER];
            read_exact_at(&*file, 0, &mut held)?;
            let written = file.write_all_at(&[IoSlice::new(&header.to_bytes())], 0).and_then(|()| file.sync_data());
            if written.is_err() {
                // What the block holds is whole as long as its header stands: a disk that refuses must not cost old recordings.
                let _ = file.write_all_at(&[IoSlice::new(&held)], 0).and_then(|()| file.sync_data());
            }
            written.map(|()| file)
        });
        match opened {
            Ok(file) => {
                self.open = Some(OpenBlock { slot, sequence: self.sequence, file, at: PAGE, batches: 0, table: Arc::default() });
                Ok(())
            }
            Err(e) => {
                self.refuse(slot, &e);
                self.write_index(slot, &old, false);
                self.catalog.set(slot, old);
                if let Some(left) = &left {
                    self.catalog.coverage.stayed(left);
                }
                Err(format!("cannot begin {}: {e}; trying the next block (look at the disk's cables and health)", path.display()))
            }
        }
    }

    /// The oldest block of a path that has not just refused. While everything refuses only the few oldest are tried in
    /// turn: one of them may be bad, but trying all would touch every recording there is.
    fn next_slot(&mut self) -> Result<usize, String> {
        let spec = &self.catalog.spec;
        let now = self.clock.mono();
        // While every path refuses, the one that was left alone longest is asked.
        let next = (0..spec.paths.len()).filter_map(|p| self.refused.get(&p).map(Backoff::due)).min().unwrap_or(now);
        let there = self.catalog.paths.count_in();
        let all = self.refused.len() >= there && !self.refused.values().any(|b| b.is_due(now));
        let asked = |p: usize| {
            self.catalog.paths.is_in(p) && self.refused.get(&p).is_none_or(|b| if all { b.due() == next } else { b.is_due(now) })
        };
        let busy: HashSet<usize> = self.unsealed.iter().filter(|u| u.is_fresh()).map(|u| u.slot).collect();
        let free = self.catalog.oldest_slots(TURNS, |n| !busy.contains(&n) && asked(spec.place(n).0));
        let turn = (self.refusals / there.max(1)) % free.len().max(1);
        if let Some(&slot) = free.get(turn) {
            return Ok(slot);
        }
        // Every block waits for its footer: the oldest of them does without.
        self.unsealed.pop_front().map(|u| u.slot).ok_or_else(|| "there is no block to write to".to_owned())
    }

    fn refuse(&mut self, slot: usize, error: &io::Error) {
        let now = self.clock.mono();
        self.catalog.paths.refused(self.catalog.spec.place(slot).0, error, self.clock.wall());
        self.refused.entry(self.catalog.spec.place(slot).0).or_default().refused(now, PATH_RETRY.0, PATH_RETRY.1);
        self.refusals += 1;
    }

    /// One line of the index. It is a cache: a refusal is told and recording goes on.
    pub(super) fn write_index(&self, slot: usize, summary: &BlockSummary, sync: bool) {
        let (path, number) = self.catalog.spec.place(slot);
        let Some(dir) = self.catalog.spec.paths.get(path) else { return };
        let at = PAGE + (number * INDEX_ENTRY) as u64;
        let done = self.catalog.disk.open(&dir.join(INDEX_NAME), true).and_then(|f: Arc<dyn DiskFile>| {
            f.write_all_at(&[IoSlice::new(&summary.to_bytes())], at)?;
            if sync { f.sync_data() } else { Ok(()) }
        });
        if let Err(error) = done {
            tracing::warn!(ring = %self.catalog.spec.name, dir = %dir.display(), %error, "cannot write the index: the next start will read the blocks instead");
        }
    }
}

pub(super) fn small(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
