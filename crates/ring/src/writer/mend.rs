//! What others ask of the writer while it records: a footer written anew, the whole index. One piece a turn, behind the
//! batches; the thread that asks has read the block, here is only written what nobody else may write.

use super::core::Core;
use crate::{
    format::{
        footer::Footer,
        index::{BlockState, BlockSummary},
    },
    table::BlockTable,
    writer::start,
};
use std::{
    io::{self, IoSlice},
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    time::Duration,
};

/// How long one piece may take until whoever asked gives up: a disk that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A piece of work.
pub(crate) enum Mend {
    /// A block's footer, not signed yet.
    Footer { slot: usize, footer: Box<Footer> },
    /// Every line of the index.
    Index,
}

type Answer = io::Result<Option<[u8; 32]>>;
type Asked = (Mend, SyncSender<Answer>);

/// Asks the writer.
#[derive(Clone)]
pub(crate) struct Mends(SyncSender<Asked>);

/// Where the writer looks for what it is asked.
pub(crate) struct Inbox(Receiver<Asked>);

/// Both ends; one piece waits at most.
pub(crate) fn channel() -> (Mends, Inbox) {
    let (ask, asked) = sync_channel(1);
    (Mends(ask), Inbox(asked))
}

impl Mends {
    /// Waits until it is done: the digest of the footer, or none when there was nothing to do any more.
    pub(crate) fn ask(&self, mend: Mend) -> Answer {
        let ended = || io::Error::other("the recorder has ended");
        let (answer, answered) = sync_channel(1);
        self.0.send((mend, answer)).map_err(|_| ended())?;
        match answered.recv_timeout(PATIENCE) {
            Ok(answer) => answer,
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => Err(io::ErrorKind::TimedOut.into()),
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => Err(ended()),
        }
    }
}

impl Core {
    /// Does one piece, if one is asked for.
    pub(super) fn mend_next(&mut self) {
        let Ok((mend, answer)) = self.inbox.0.try_recv() else { return };
        let done = match mend {
            Mend::Footer { slot, footer } => self.mend_footer(slot, *footer),
            Mend::Index => self.mend_index().map(|()| None),
        };
        // Whoever asked may have gone.
        let _ = answer.try_send(done);
    }

    fn mend_footer(&mut self, slot: usize, mut footer: Footer) -> Answer {
        let known = self.catalog.slot(slot);
        let held = self.open.as_ref().is_some_and(|o| o.slot == slot) || self.unsealed.iter().any(|u| u.slot == slot);
        let same = known.sequence == footer.sequence && known.state == BlockState::Sealed;
        // A block that the start could not read: taken in under its own number, when no other has it.
        let lost =
            known.sequence == 0 && footer.sequence < self.sequence && self.catalog.slots().iter().all(|s| s.sequence != footer.sequence);
        let own = footer.ring == [0; 16] || footer.ring == self.ring;
        if held || !own || !(same || lost) {
            return Ok(None);
        }
        footer.ring = self.ring;
        let (bytes, digest) = footer.seal(&*self.signer);
        let path = self.catalog.spec.file(slot);
        self.catalog
            .disk
            .open(&path, true)
            .and_then(|f| {
                f.write_all_at(&[IoSlice::new(&bytes)], self.catalog.spec.data_limit())?;
                f.sync_data()
            })
            .inspect_err(|e| self.catalog.paths.refused(self.catalog.spec.place(slot).0, e, self.clock.wall()))?;
        let (sequence, data_end) = (footer.sequence, u64::from(footer.data_end));
        let table = Arc::new(BlockTable::of_footer(footer));
        let summary: BlockSummary = table.summary(sequence, BlockState::Sealed, data_end);
        self.write_index(slot, &summary, false);
        self.catalog.coverage.sealed(sequence, &table, self.catalog.oldest_sequence());
        self.catalog.set(slot, summary);
        tracing::info!(ring = %self.catalog.spec.name, block = sequence, "footer written anew");
        Ok(Some(digest))
    }

    /// Once the first block of a new era is there, the index says how many paths the ring has now.
    pub(super) fn recount(&mut self) {
        if self.recount && self.figures.written > 0 {
            self.recount = false;
            if let Err(error) = self.mend_index() {
                self.trouble(&format!("cannot write the index: {error}; the next start counts on from a new era"));
            }
        }
    }

    fn mend_index(&self) -> io::Result<()> {
        let catalog = &self.catalog;
        let slots = catalog.slots();
        let mut refused = Ok(());
        // Each that takes it gets it; the last refusal is told.
        for n in (0..catalog.spec.paths.len()).filter(|n| catalog.paths.is_in(*n)) {
            if let Err(error) = start::write_index(&catalog.spec, &*catalog.disk, n, catalog.spec.paths.len(), self.ring, &slots) {
                refused = Err(error);
            }
        }
        refused
    }
}
