//! What a ring is asked to be, and the layout that follows from it. Which file is which block is decided here and nowhere else.

use crate::{
    error::RingError,
    format::{PAGE, footer::STREAM_ENTRY, page_up},
};
use std::{path::PathBuf, time::Duration};

/// Largest access unit any ring records, in bytes. Rings of small blocks take less: [`RingSpec::max_access_unit`].
pub const MAX_ACCESS_UNIT: usize = 8 << 20;
/// Usual size of a block file.
pub const DEFAULT_BLOCK: u64 = 128 << 20;
/// Usual promise: no received sample stays unsynced longer.
pub const DEFAULT_SYNC: Duration = Duration::from_millis(800);

/// A ring as needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingSpec {
    /// Its name, for messages and metrics.
    pub name: String,
    /// Directories its block files are spread over, in turn.
    pub paths: Vec<PathBuf>,
    /// Bytes of all block files together; rounded down to whole blocks.
    pub size: u64,
    /// Bytes of one block file, a multiple of 4096, 64 KiB to 1 GiB.
    pub block_size: u64,
    /// No received sample stays unsynced longer.
    pub sync: Duration,
    /// Recordings older than this are erased, while the clock is to be trusted.
    pub max_age: Option<Duration>,
    /// Directories for which a disk was mounted when they were last used: without it they are left alone.
    pub mounted: Vec<PathBuf>,
    /// The name its files gave it when they were last used, if that is known from elsewhere.
    pub id: Option<[u8; 16]>,
    /// Takes any file system. For tests: promises about power cuts then do not hold.
    pub any_filesystem: bool,
}

impl RingSpec {
    /// A ring with the usual block size for its size, the usual promise, and no age limit.
    #[must_use]
    pub fn new(name: &str, paths: Vec<PathBuf>, size: u64) -> Self {
        Self {
            name: name.to_owned(),
            paths,
            size,
            block_size: Self::usual_block(size),
            sync: DEFAULT_SYNC,
            max_age: None,
            mounted: Vec::new(),
            id: None,
            any_filesystem: false,
        }
    }

    /// 128 MiB, or less (down to 1 MiB) where fewer than 16 such blocks would fit.
    #[must_use]
    pub fn usual_block(size: u64) -> u64 {
        let mut block = DEFAULT_BLOCK;
        while block > 1 << 20 && size / block < 16 {
            block /= 2;
        }
        block
    }

    /// Block files in all.
    #[must_use]
    pub fn blocks(&self) -> usize {
        usize::try_from(self.size / self.block_size.max(1)).unwrap_or(usize::MAX)
    }

    /// Bytes at a block's end kept for its footer.
    #[must_use]
    pub fn footer_size(&self) -> u64 {
        page_up((self.block_size / 64).max((16 << 10).min(self.block_size / 8)))
    }

    /// Where batches must end.
    #[must_use]
    pub fn data_limit(&self) -> u64 {
        self.block_size.saturating_sub(self.footer_size())
    }

    /// Largest access unit this ring records: a larger one is refused where it arrives.
    #[must_use]
    pub fn max_access_unit(&self) -> usize {
        let room = self.data_limit().saturating_sub(PAGE + (24 << 10));
        usize::try_from(room).unwrap_or(usize::MAX).min(MAX_ACCESS_UNIT)
    }

    /// Most streams one footer names.
    pub(crate) fn max_streams(&self) -> usize {
        usize::try_from(self.footer_size() / 2).unwrap_or(usize::MAX) / STREAM_ENTRY
    }

    /// Which directory a block lies in, and its number there.
    pub(crate) fn place(&self, slot: usize) -> (usize, usize) {
        let paths = self.paths.len().max(1);
        (slot % paths, slot / paths)
    }

    /// How many blocks lie in a directory.
    pub(crate) fn blocks_in(&self, path: usize) -> usize {
        let paths = self.paths.len().max(1);
        (self.blocks() + paths - 1).saturating_sub(path) / paths
    }

    /// A block's file.
    pub(crate) fn file(&self, slot: usize) -> PathBuf {
        let (path, number) = self.place(slot);
        self.paths.get(path).cloned().unwrap_or_default().join(block_name(number))
    }

    /// Refuses what cannot be laid out.
    ///
    /// # Errors
    /// [`RingError::Spec`] with what would be right.
    pub fn check(&self) -> Result<(), RingError> {
        let bad = |reason: String| Err(RingError::Spec { ring: self.name.clone(), reason });
        if self.paths.is_empty() {
            return bad("it has no path: name at least one directory in `paths`".into());
        }
        if !self.block_size.is_multiple_of(PAGE) || !((64 << 10)..=(1 << 30)).contains(&self.block_size) {
            return bad(format!("block size {} is not a multiple of 4096 from 64 KiB to 1 GiB", self.block_size));
        }
        let least = 3.max(self.paths.len());
        if self.blocks() < least {
            let need = self.block_size.saturating_mul(least as u64);
            return bad(format!(
                "{} bytes hold {} blocks, at least {least} are needed: make `size` {need} or more",
                self.size,
                self.blocks()
            ));
        }
        if self.blocks() > 4 << 20 {
            return bad(format!("{} blocks are more than 4194304: make the blocks larger", self.blocks()));
        }
        if self.sync < Duration::from_millis(300) || self.sync > Duration::from_secs(60) {
            return bad(format!("`sync` is {:?}: use 300ms to 60s", self.sync));
        }
        Ok(())
    }
}

/// Name of a block file.
pub(crate) fn block_name(number: usize) -> String {
    format!("block-{number:05}.mtr")
}

/// Name of the index file of a directory.
pub(crate) const INDEX_NAME: &str = "ring.index";
/// Name of the lock file of a directory.
pub(crate) const LOCK_NAME: &str = "ring.lock";
/// Names of the two snapshots of what is covered, in the first directory.
pub(crate) const SPANS_NAMES: [&str; 2] = ["ring.spans-a", "ring.spans-b"];
