//! Reading the workers' notes: who was at work at the end, and who does not go on.
//!
//! Belongs here: what the cells say. Does not belong here: what follows from it (`keeper`).

use crate::protocol::{STREAMS_MAX, notes};
use domain::MonoTime;
use std::{fs::File, os::unix::fs::FileExt, time::Duration};

/// All cells as they are now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cells(Vec<u64>);

impl Cells {
    /// Reads them. The file's length is fixed, so that only a system out of memory can fail here; then nobody is suspected.
    pub(super) fn read(file: &File) -> Self {
        let mut bytes = vec![0; notes::LEN as usize];
        if let Err(e) = file.read_exact_at(&mut bytes, 0) {
            tracing::warn!(error = %e, "a worker's notes cannot be read");
            bytes.fill(0);
        }
        Self(bytes.chunks_exact(8).map(|c| u64::from_ne_bytes(c.try_into().unwrap_or_default())).collect())
    }

    /// Streams that were decoded or looked at.
    pub(super) fn streams(&self) -> Vec<u32> {
        (0..STREAMS_MAX as u32).filter(|&s| cells_of(s).into_iter().any(|i| self.at(i) != 0)).collect()
    }

    /// Whether a still job's samples were being decoded.
    pub(super) fn still(&self) -> bool {
        self.at(cell(notes::STILL)) != 0
    }

    fn at(&self, index: usize) -> u64 {
        self.0.get(index).copied().unwrap_or(0)
    }
}

/// Notices cells that stay the same although somebody is at work.
#[derive(Debug, Default)]
pub(super) struct HangWatch {
    last: Vec<(u64, MonoTime)>,
}

/// Who hangs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hung {
    pub(super) streams: Vec<u32>,
    pub(super) still: bool,
}

impl HangWatch {
    /// Compares with the last look; tells who has been at the same thing for `limit` or longer.
    pub(super) fn look(&mut self, now: MonoTime, cells: &Cells, limit: Duration) -> Option<Hung> {
        self.last.resize(cells.0.len(), (0, now));
        for (last, &value) in self.last.iter_mut().zip(&cells.0) {
            if last.0 != value || value == 0 {
                *last = (value, now);
            }
        }
        let hangs = |index: usize| self.last.get(index).is_some_and(|(value, since)| *value != 0 && now.since(*since) >= limit);
        let streams: Vec<u32> = (0..STREAMS_MAX as u32).filter(|&s| cells_of(s).into_iter().any(hangs)).collect();
        let still = hangs(cell(notes::STILL));
        (still || !streams.is_empty()).then_some(Hung { streams, still })
    }
}

fn cells_of(stream: u32) -> [usize; 2] {
    [cell(notes::decoding(stream)), cell(notes::detecting(stream))]
}

fn cell(offset: u64) -> usize {
    (offset / 8) as usize
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

    use super::*;
    use crate::memory;

    fn note(file: &File, at: u64, value: u64) {
        file.write_all_at(&value.to_ne_bytes(), at).unwrap();
    }

    #[test]
    fn who_was_at_work_is_read_from_both_kinds_of_cells() {
        let file = memory::fixed("notes", notes::LEN).unwrap();
        assert!(Cells::read(&file).streams().is_empty());
        note(&file, notes::decoding(3), 17);
        note(&file, notes::detecting(255), 1);
        assert_eq!(Cells::read(&file).streams(), [3, 255]);
        assert!(!Cells::read(&file).still());
        note(&file, notes::STILL, 1);
        assert!(Cells::read(&file).still());
    }

    #[test]
    fn only_a_cell_that_stays_the_same_and_is_not_idle_hangs() {
        let file = memory::fixed("notes", notes::LEN).unwrap();
        let (mut watch, limit) = (HangWatch::default(), Duration::from_secs(10));
        let at = |secs: u64| MonoTime(secs * 1_000_000);
        for second in 0..30 {
            note(&file, notes::decoding(1), second + 1); // goes on
            note(&file, notes::decoding(2), if second < 20 { 5 } else { 0 }); // hangs from 0 to 20
            let hung = watch.look(at(second), &Cells::read(&file), limit);
            let expected = (10..20).contains(&second).then(|| Hung { streams: vec![2], still: false });
            assert_eq!(hung, expected, "second {second}");
        }
    }

    #[test]
    fn the_worker_cannot_make_the_notes_longer_or_shorter() {
        let file = memory::fixed("notes", notes::LEN).unwrap();
        assert!(file.set_len(1 << 40).is_err());
        assert!(file.set_len(0).is_err());
    }
}
