//! The viewing copy of a film, made by a worker of its own: samples in, pictures with words burnt in and encoded anew out.
//!
//! Belongs here: the core's side, which blocks and holds one sample and one picture at a time. Does not belong here: what is
//! done with the pictures (`evidence`), where the samples come from.

mod room;

use crate::{
    launcher::{Launcher, Purpose},
    lone::{self, Lone, LoneError},
    memory,
    protocol::{
        Codec, ToWorker,
        copy::{Down, Inbox, Spec, Up, words},
        stream,
    },
    still,
    supervisor::plain,
};
use domain::{Format, Sample, VideoCodec, VideoFormat, WallTime};
use room::Room;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::{
    io::{self, IoSlice, Read, Write},
    net::Shutdown,
    os::{fd::AsFd, unix::net::UnixStream},
    sync::Arc,
    time::{Duration, Instant},
};

/// A worker that neither takes nor gives anything for so long hangs.
const PROGRESS: Duration = Duration::from_secs(60);
/// Between two looks at whether to go on.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };
/// Lines of the log about what cannot be decoded; the rest is counted.
const COMPLAINTS: u64 = 3;

/// Pieces taken before looking again at whether to go on.
const PIECES: usize = 16;

/// What is wanted.
pub struct Wanted<'a> {
    /// The pictures, the words at their top, size and rate.
    pub spec: Spec,
    /// A TrueType font that has the letters; none is needed where nothing is written.
    pub font: &'a [u8],
    /// What stands at the bottom of a picture captured then.
    pub words: &'a dyn Fn(WallTime) -> String,
    /// Whether to go on; asked several times a second.
    pub go_on: &'a dyn Fn() -> bool,
}

/// What comes out.
#[derive(Debug)]
pub enum Made {
    /// Once, before the first picture.
    Format(VideoFormat),
    /// A picture, in the order of showing, length-prefixed NAL units.
    Picture {
        /// When it was captured.
        capture: WallTime,
        /// When it is shown in its session, 90 kHz.
        pts: i64,
        /// Decoding may start here.
        random_access: bool,
        /// The bytes.
        data: Vec<u8>,
    },
}

/// How it went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Pictures that were to be shown.
    pub wanted: u64,
    /// Pictures that are in the copy; the others could not be decoded.
    pub shown: u64,
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// There is no worker, or it ended, hangs, or says what cannot be.
    #[error(transparent)]
    Worker(#[from] LoneError),
    /// It cannot make one.
    #[error("the worker cannot make a viewing copy: {0}")]
    Refused(String),
    /// The recording cannot be read.
    #[error("the recording cannot be read: {0}")]
    Source(io::Error),
    /// What was made cannot be kept.
    #[error("the viewing copy cannot be written: {0}")]
    Sink(io::Error),
    /// Somebody called it off.
    #[error("the export was called off")]
    Cancelled,
}

/// Makes a viewing copy of samples in decoding order, which begin at a random access point. Blocks until it is whole.
///
/// # Errors
/// When there is no worker, it ends early or hangs, nothing can be decoded, samples cannot be had, or `made` says no.
pub fn copy(
    launcher: &dyn Launcher,
    wanted: &Wanted<'_>,
    samples: impl Iterator<Item = io::Result<Sample>>,
    made: impl FnMut(Made) -> io::Result<()>,
) -> Result<Copied, CopyError> {
    let mut worker = Lone::start(launcher, &Purpose::Copy, None)?;
    run(&worker, wanted, samples, made).map_err(|error| match error {
        CopyError::Worker(error) => worker.judged(error).into(),
        other => other,
    })
}

fn run(
    worker: &Lone,
    wanted: &Wanted<'_>,
    samples: impl Iterator<Item = io::Result<Sample>>,
    made: impl FnMut(Made) -> io::Result<()>,
) -> Result<Copied, CopyError> {
    let (ours, theirs) = UnixStream::pair().map_err(LoneError::Io)?;
    ours.set_nonblocking(true).map_err(LoneError::Io)?;
    let mut font = memory::anonymous("matthon-font").map_err(LoneError::Io)?;
    font.write_all(wanted.font).and_then(|()| memory::seal(&font)).map_err(LoneError::Io)?;
    let font = memory::reopen(&font).map_err(LoneError::Io)?;
    let spec = Spec { title: words(&wanted.spec.title), ..wanted.spec.clone() };
    let (from, to) = (spec.from, spec.to);
    worker.tell(&ToWorker::Copy(spec), &[theirs.as_fd(), font.as_fd()])?;
    drop((theirs, font));
    let way = Way { worker, socket: ours, wanted };
    let room = Room::new(wanted.spec.kbit);
    let mut taking =
        Taking { inbox: Inbox::default(), made, room, begun: false, ended: false, sent: 0, done: Copied::default(), complaints: 0 };
    let mut format: Option<Arc<Format>> = None;
    let mut begun = false;
    for sample in samples {
        let sample = sample.map_err(CopyError::Source)?;
        let Some(video) = sample.format.video() else { continue };
        let in_range = sample.capture < to && (begun || sample.capture >= from);
        begun |= in_range;
        taking.done.wanted += u64::from(in_range);
        // What is too long for the worker is missing from the copy, and counted as that.
        let Some(head) = still::head(&sample, sample.loss_before) else { continue };
        if format.as_ref().is_none_or(|f| !Arc::ptr_eq(f, &sample.format) && **f != *sample.format) {
            way.send(&Down::Format(Codec::from(video)), &[], &mut taking)?;
            format = Some(sample.format.clone());
        }
        taking.sent += 1;
        taking.room.sample(sample.capture);
        way.send(&Down::Sample { head, words: words(&(wanted.words)(sample.capture)) }, &sample.data, &mut taking)?;
        if taking.ended {
            return Err(LoneError::Protocol("it ended before the film did".into()).into());
        }
    }
    way.socket.shutdown(Shutdown::Write).map_err(|e| lone::fault(e, PROGRESS))?;
    while !taking.ended {
        way.wait(PollFlags::IN, &mut taking)?;
    }
    if taking.done.shown == 0 {
        return Err(CopyError::Refused("no picture of it can be decoded".into()));
    }
    Ok(taking.done)
}

/// The socket, both ways at once: a worker that waits until its pictures are taken takes no samples meanwhile.
struct Way<'a> {
    worker: &'a Lone,
    socket: UnixStream,
    wanted: &'a Wanted<'a>,
}

impl Way<'_> {
    fn send<F: FnMut(Made) -> io::Result<()>>(&self, message: &Down, data: &[u8], taking: &mut Taking<F>) -> Result<(), CopyError> {
        let head = stream::encode(message).map_err(LoneError::Io)?;
        let mut slices = [IoSlice::new(&head), IoSlice::new(data)];
        let mut rest: &mut [IoSlice<'_>] = &mut slices;
        while !rest.is_empty() {
            match (&self.socket).write_vectored(rest) {
                Ok(0) => return Err(LoneError::Crashed(String::new()).into()),
                Ok(n) => IoSlice::advance_slices(&mut rest, n),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => self.wait(PollFlags::IN | PollFlags::OUT, taking)?,
                // Its last words may tell why.
                Err(e) => {
                    taking.take(&self.socket)?;
                    return Err(lone::fault(e, PROGRESS).into());
                }
            }
        }
        Ok(())
    }

    /// Waits until the socket is ready for one of these, and takes what came.
    fn wait<F: FnMut(Made) -> io::Result<()>>(&self, flags: PollFlags, taking: &mut Taking<F>) -> Result<(), CopyError> {
        let begun = Instant::now();
        loop {
            if !(self.wanted.go_on)() {
                return Err(CopyError::Cancelled);
            }
            self.worker.drain();
            let mut fds = [PollFd::new(&self.socket, flags)];
            let ready = match poll(&mut fds, Some(&LOOK)) {
                Err(rustix::io::Errno::INTR) => 0,
                other => other.map_err(|e| LoneError::Io(e.into()))?,
            };
            if ready > 0 {
                return taking.take(&self.socket);
            }
            if begun.elapsed() > PROGRESS {
                return Err(LoneError::Silent(PROGRESS).into());
            }
        }
    }
}

/// What the worker made so far.
struct Taking<F> {
    inbox: Inbox,
    made: F,
    room: Room,
    begun: bool,
    ended: bool,
    sent: u64,
    done: Copied,
    complaints: u64,
}

impl<F: FnMut(Made) -> io::Result<()>> Taking<F> {
    /// Takes what is there, or the first MiB of it; a worker that closes too early has ended.
    fn take(&mut self, mut socket: &UnixStream) -> Result<(), CopyError> {
        let mut piece = vec![0; 64 << 10];
        for _ in 0..PIECES {
            if self.ended {
                break;
            }
            match socket.read(&mut piece) {
                Ok(0) => return Err(LoneError::Crashed(String::new()).into()),
                Ok(n) if self.room.came(n) => {
                    return Err(LoneError::Protocol("it sends more bytes than a copy of this film can have".into()).into());
                }
                Ok(n) => self.inbox.push(piece.get(..n).unwrap_or_default()),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(lone::fault(e, PROGRESS).into()),
            }
            while let Some((up, data)) = self.inbox.take().map_err(|e| lone::fault(e, PROGRESS))? {
                self.hear(up, data)?;
            }
        }
        Ok(())
    }

    fn hear(&mut self, up: Up, data: Vec<u8>) -> Result<(), CopyError> {
        let nonsense = |what: &str| Err(LoneError::Protocol(what.to_owned()).into());
        match up {
            Up::Format(_) if self.begun => nonsense("it told the format twice"),
            Up::Format(config) => {
                self.begun = true;
                match media::params::video_format(VideoCodec::H264, &config) {
                    Ok(format) => (self.made)(Made::Format(format)).map_err(CopyError::Sink),
                    Err(e) => nonsense(&format!("its format: {e}")),
                }
            }
            Up::Picture { .. } if !self.begun => nonsense("a picture came without a format"),
            // A picture is made of a sample.
            Up::Picture { .. } if self.done.shown == self.sent => nonsense("it made more pictures than there were"),
            Up::Picture { .. } if data.is_empty() || media::nal::units(&data).any(|unit| unit.is_err()) => {
                nonsense("what it made is no picture")
            }
            Up::Picture { capture, pts, random_access, .. } => {
                self.done.shown += 1;
                (self.made)(Made::Picture { capture, pts, random_access, data }).map_err(CopyError::Sink)
            }
            Up::Undecodable(what) => {
                self.complaints += 1;
                if self.complaints <= COMPLAINTS {
                    tracing::warn!(what = %plain(&what), "part of a film cannot be decoded for its viewing copy");
                }
                if self.complaints > self.sent { nonsense("it complains more often than there are samples") } else { Ok(()) }
            }
            Up::Failed(what) => Err(CopyError::Refused(plain(&what))),
            Up::End => {
                self.ended = true;
                if self.inbox.is_empty() { Ok(()) } else { nonsense("it goes on after its end") }
            }
        }
    }
}

#[cfg(test)]
mod tests;
