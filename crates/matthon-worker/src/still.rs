//! Stills: one thread, last in priority, with a short queue and deadlines.
//!
//! Belongs here: jobs and how each is done. Does not belong here: JPEG itself, the socket that answers go to.

use crate::{
    decode::{self, Decoder, Frame, Order, Tap, Unit},
    film::cover::Covers,
    jpeg,
    note::Notes,
    recent::Recent,
    scale::Scaling,
};
use detect::Picture;
use domain::mask::Mask;
use std::{
    fs::File,
    io::{self, BufReader, Read},
    os::{fd::OwnedFd, unix::fs::FileExt},
    sync::{
        Arc,
        mpsc::{self, SyncSender, TrySendError},
    },
    thread,
    time::{Duration, Instant},
};
use vision::protocol::{Down, STILL_MAX, STILL_SAMPLES_MAX, StillDone, StillError, StillSource, notes, stream};

/// Jobs that may wait; a village's alerts are told apart by minutes.
const QUEUE: usize = 8;
/// What the thread yields to: detection, which yields to recording.
const NICE: i32 = 10;

/// One job.
#[derive(Debug)]
pub struct Job {
    /// Comes back in the answer.
    pub number: u64,
    /// Of what.
    pub source: StillSource,
    /// At most this wide; 0: as it is.
    pub max_width: u32,
    /// What is painted black.
    pub masks: Vec<Mask>,
    /// After this nobody waits for it.
    pub deadline: Instant,
    /// Where the JPEG goes.
    pub out: OwnedFd,
    /// The samples, when they are the source.
    pub samples: Option<OwnedFd>,
}

/// How an answer reaches the core.
pub type Answer = Box<dyn Fn(u64, Result<StillDone, StillError>) + Send + 'static>;

/// The queue's end that jobs are put in.
#[derive(Debug)]
pub struct Stills {
    queue: SyncSender<Job>,
}

impl Stills {
    /// Starts the thread; it ends when this is dropped.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start(recent: Arc<Recent>, notes: Notes, answer: Answer) -> io::Result<Self> {
        let (queue, jobs) = mpsc::sync_channel::<Job>(QUEUE);
        thread::Builder::new().name("stills".into()).spawn(move || {
            // Best effort; `None` is this thread on Linux.
            let _ = rustix::process::setpriority_process(None, NICE);
            for job in jobs {
                let outcome = work(&job, &recent, &notes);
                answer(job.number, outcome);
            }
        })?;
        Ok(Self { queue })
    }

    /// Puts a job in.
    ///
    /// # Errors
    /// [`StillError::Busy`] when the queue is full.
    pub fn ask(&self, job: Job) -> Result<(), StillError> {
        self.queue.try_send(job).map_err(|e| match e {
            TrySendError::Full(_) => StillError::Busy,
            TrySendError::Disconnected(_) => StillError::Gone,
        })
    }
}

/// Deadline of a job that came just now.
#[must_use]
pub fn deadline(ms: u32) -> Instant {
    Instant::now() + Duration::from_millis(u64::from(ms))
}

fn work(job: &Job, recent: &Recent, notes: &Notes) -> Result<StillDone, StillError> {
    in_time(job.deadline)?;
    let mut picture = match job.source {
        StillSource::Recent { stream, capture } => {
            let picture = recent.get(stream, capture).ok_or(StillError::Gone)?;
            shrink(&picture, job.max_width)?
        }
        StillSource::Samples { pts } => {
            let samples = job.samples.as_ref().ok_or(StillError::Gone)?;
            let _working = notes.begin(notes::STILL);
            let frame = frame(samples, pts, job.deadline)?;
            let size = narrow((frame.info.width(), frame.info.height()), job.max_width);
            Arc::new(Scaling::default().to(&frame, size).map_err(|_| StillError::Undecodable)?)
        }
    };
    if !job.masks.is_empty() {
        Covers::default().paint(&job.masks, Arc::make_mut(&mut picture));
    }
    in_time(job.deadline)?;
    let jpeg = jpeg::encode(&picture).filter(|j| j.len() <= STILL_MAX).ok_or(StillError::Undecodable)?;
    let out = File::from(job.out.try_clone().map_err(|_| StillError::Busy)?);
    out.write_all_at(&jpeg, 0).map_err(|e| {
        crate::say(format_args!("a still cannot be handed over: {e}"));
        StillError::Gone
    })?;
    Ok(StillDone { len: u32::try_from(jpeg.len()).unwrap_or(u32::MAX), width: picture.width, height: picture.height })
}

fn in_time(deadline: Instant) -> Result<(), StillError> {
    if Instant::now() < deadline { Ok(()) } else { Err(StillError::Busy) }
}

/// Even sizes, the same shape, at most so wide.
fn narrow(size: (u32, u32), max_width: u32) -> (u32, u32) {
    let (width, height) = (u64::from(size.0.max(2)), u64::from(size.1.max(2)));
    let to = if max_width == 0 { width } else { width.min(u64::from(max_width).max(2)) };
    // Never wider than asked for: an odd width goes down.
    let size = |v: u64| u32::try_from(v.max(2)).unwrap_or(u32::MAX);
    (size(to / 2 * 2), size((height * to + width) / (2 * width) * 2))
}

fn shrink(picture: &Arc<Picture>, max_width: u32) -> Result<Arc<Picture>, StillError> {
    if max_width == 0 || picture.width <= max_width {
        return Ok(picture.clone());
    }
    let size = narrow((picture.width, picture.height), max_width);
    crate::scale::picture(picture, size).map(Arc::new).map_err(|_| StillError::Undecodable)
}

/// Keeps the last picture that is not after the one wanted.
struct Before {
    pts: i64,
    best: Option<Frame>,
    any: bool,
    past: bool,
}

impl Tap for Before {
    fn picture(&mut self, frame: Frame) {
        self.any = true;
        if frame.pts > self.pts {
            self.past = true;
        } else if self.best.as_ref().is_none_or(|b| b.pts <= frame.pts) {
            self.best = Some(frame);
        }
    }
}

fn frame(samples: &OwnedFd, pts: i64, deadline: Instant) -> Result<Frame, StillError> {
    let file = File::from(samples.try_clone().map_err(|_| StillError::Busy)?);
    let mut source = BufReader::new(FromStart { file, at: 0 }.take(STILL_SAMPLES_MAX as u64));
    let mut decoder: Option<Decoder<Before>> = None;
    let mut caps = None;
    let mut data = Vec::new();
    let mut ended = false;
    while let Some(message) = stream::read_down(&mut source, &mut data).map_err(|_| StillError::Undecodable)? {
        in_time(deadline)?;
        match message {
            Down::Format(codec) => caps = Some(decode::caps(&codec)),
            Down::Interest(_) => {}
            Down::Sample(head) => {
                let decoder = match &mut decoder {
                    Some(decoder) => decoder,
                    None => {
                        let caps = caps.as_ref().ok_or(StillError::Undecodable)?;
                        let tap = Before { pts, best: None, any: false, past: false };
                        decoder.insert(Decoder::new(caps, Order::Exact, tap).map_err(|_| StillError::Undecodable)?)
                    }
                };
                let data = std::mem::take(&mut data);
                let unit = Unit { pts: head.pts, dts: head.dts, capture: head.capture, random_access: head.random_access, data };
                ended = decoder.push(unit).is_err() || decoder.tap(|t| t.past);
            }
        }
        if ended {
            break;
        }
    }
    let mut decoder = decoder.ok_or(StillError::Undecodable)?;
    if !ended {
        decoder.finish();
    }
    decoder.tap(|t| t.best.take().ok_or(if t.any { StillError::Gone } else { StillError::Undecodable }))
}

/// Reads a file from its beginning, wherever others have left its position.
struct FromStart {
    file: File,
    at: u64,
}

impl Read for FromStart {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read_at(into, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_even_and_keep_the_shape() {
        assert_eq!(narrow((1920, 1080), 0), (1920, 1080));
        assert_eq!(narrow((1920, 1080), 640), (640, 360));
        assert_eq!(narrow((640, 360), 1280), (640, 360));
        assert_eq!(narrow((1280, 720), 333), (332, 188));
        assert_eq!(narrow((0, 0), 7), (2, 2));
    }
}
