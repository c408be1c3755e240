//! The socket over which a lone worker is fed by a task that must not wait for it.
//!
//! Belongs here: messages with their bytes, and what becomes of the worker when the task is dropped. Does not belong here: which messages.

use crate::{lone::Lone, protocol::stream};
use domain::{Format, Sample};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    io::{self, IoSlice},
    sync::Arc,
};
use tokio::{
    io::AsyncReadExt,
    net::unix::{OwnedReadHalf, OwnedWriteHalf},
};

/// Room of such a socket, bytes.
pub(crate) const ROOM: usize = 256 << 10;

/// A worker whose end is waited for where waiting is allowed, also when the last viewer leaves and a future is dropped: a process that
/// the kernel does not let go must not hold up those that watch cameras.
pub(crate) struct Held(pub(crate) Option<Lone>);

impl Drop for Held {
    fn drop(&mut self) {
        let Some(worker) = self.0.take() else { return };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(move || drop(worker))),
            // The runtime is gone: so is whoever could be held up.
            Err(_) => drop(worker),
        }
    }
}

/// Whether a sample has other parameters than the one before it.
pub(crate) fn changed(before: Option<&Arc<Format>>, sample: &Sample) -> bool {
    before.is_none_or(|f| !Arc::ptr_eq(f, &sample.format) && **f != *sample.format)
}

/// Sends a message, and bytes behind it.
pub(crate) async fn write(sink: &OwnedWriteHalf, message: &impl Serialize, data: &[u8]) -> io::Result<()> {
    let head = stream::encode(message)?;
    let mut slices = [IoSlice::new(&head), IoSlice::new(data)];
    let mut rest: &mut [IoSlice<'_>] = &mut slices;
    while !rest.is_empty() {
        match sink.try_write_vectored(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => IoSlice::advance_slices(&mut rest, n),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => sink.writable().await?,
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Takes a message.
pub(crate) async fn read<T: DeserializeOwned>(source: &mut OwnedReadHalf) -> io::Result<T> {
    let mut prefix = [0; 4];
    source.read_exact(&mut prefix).await?;
    let mut head = vec![0; stream::length(prefix)?];
    source.read_exact(&mut head).await?;
    stream::decode(&head)
}
