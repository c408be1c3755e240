//! Looking at a video file from its beginning to its end, in a worker of its own.
//!
//! Belongs here: the core's side of a replay; it blocks. Does not belong here: rules (`analytics`), opening the file.

use crate::{
    launcher::{Launcher, Purpose},
    lone::{self, Lone, LoneError},
    model::Model,
    protocol::{ToWorker, Up, stream},
    supervisor::plain,
};
use domain::Observation;
use std::{
    fs::File,
    io::{self, Read},
    os::{fd::AsFd, unix::net::UnixStream},
    time::Duration,
};

/// A worker that does not look at a single picture for so long hangs.
const PROGRESS: Duration = Duration::from_secs(60);

/// A file that was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Pictures decoded.
    pub decoded: u64,
    /// Times the decoder said no.
    pub undecodable: u64,
    /// Length of the file, µs: end of the last picture shown.
    pub length_micros: i64,
}

/// Why a file was not looked at to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The worker cannot run the model.
    #[error("the worker cannot detect: {0}")]
    NoDetection(String),
    /// It is no video file, or one that cannot be read.
    #[error("the video file cannot be read: {0}")]
    File(String),
    /// There is no worker, or it ended, hangs, or says what cannot be.
    #[error(transparent)]
    Worker(#[from] LoneError),
}

/// Decodes `file` from its beginning in a worker of its own and hands over every observation, in order, without the motion gate.
/// `Observation::capture` counts from the file's beginning (µs). Blocks until the file is over.
///
/// # Errors
/// When there is no worker, it cannot run the model, ends early, hangs, or the file is no video.
pub fn replay(launcher: &dyn Launcher, model: Model, fps: f32, file: File, on: impl FnMut(Observation)) -> Result<Replayed, ReplayError> {
    let mut worker = Lone::start(launcher, &Purpose::Replay, Some(model))?;
    if let Some(why) = worker.trouble.take() {
        return Err(ReplayError::NoDetection(why));
    }
    run(&worker, fps, file, on).map_err(|error| match error {
        ReplayError::Worker(error) => worker.judged(error).into(),
        other => other,
    })
}

fn run(worker: &Lone, fps: f32, file: File, mut on: impl FnMut(Observation)) -> Result<Replayed, ReplayError> {
    let (ours, theirs) = UnixStream::pair().map_err(LoneError::Io)?;
    ours.set_read_timeout(Some(PROGRESS)).map_err(LoneError::Io)?;
    worker.tell(&ToWorker::Replay { fps }, &[file.as_fd(), theirs.as_fd()])?;
    drop((file, theirs));
    let mut source = io::BufReader::new(ours);
    let mut done = Replayed::default();
    loop {
        worker.drain();
        match next(&mut source)? {
            Some(Up::Seen(observation)) => on(observation),
            Some(Up::Undecodable { what }) => {
                done.undecodable += 1;
                tracing::warn!(what = %plain(&what), "a picture of the file cannot be decoded");
            }
            Some(Up::End { decoded, length_micros }) => return Ok(Replayed { decoded, length_micros, ..done }),
            Some(Up::Failed { what }) => return Err(ReplayError::File(plain(&what))),
            None => return Err(LoneError::Crashed(String::new()).into()),
        }
    }
}

fn next(source: &mut impl Read) -> Result<Option<Up>, LoneError> {
    let mut prefix = [0; 4];
    match source.read_exact(&mut prefix) {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other.map_err(|e| lone::fault(e, PROGRESS))?,
    }
    let mut head = vec![0; stream::length(prefix).map_err(|e| lone::fault(e, PROGRESS))?];
    source.read_exact(&mut head).map_err(|e| lone::fault(e, PROGRESS))?;
    stream::decode(&head).map(Some).map_err(|e| lone::fault(e, PROGRESS))
}

#[cfg(test)]
mod tests;
