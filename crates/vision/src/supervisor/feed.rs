//! One stream on its way to a worker, and what the worker sees in it on its way back.
//!
//! The socket's buffer is small and the hub's queue is bounded: a worker that does not keep up loses whole GOPs of this
//! stream, and no other stream notices.
//!
//! Belongs here: one socket. Does not belong here: which worker has which stream (`keeper`).

use super::{Eyes, Watched, plain};
use crate::{
    protocol::{Codec, Down, Up, stream},
    still,
};
use domain::{BBox, Format, Observation, Sample, WallTime};
use hub::{Capacity, Consumer, Delivery, Join};
use std::{
    io::{self, IoSlice},
    os::unix::net::UnixStream as StdStream,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    io::AsyncReadExt,
    net::unix::{OwnedReadHalf, OwnedWriteHalf},
    sync::watch,
};

/// Room of the socket, bytes: a key frame of a small picture or two seconds of the pictures between; more would only be stale.
const SOCKET_ROOM: usize = 128 << 10;
/// What waits in the hub beside it: about four seconds of a sub stream.
const WAITING: Capacity = Capacity { items: 100, bytes: 1 << 20 };
/// The worker maps capture times through its decoder's clock, which rounds.
const CAPTURE_SLACK: i64 = 1_000_000;
/// Most things on one picture.
const DETECTIONS_MAX: usize = 1000;
/// Complaints a decoder may have beyond one a sample.
const COMPLAINTS: u64 = 64;

/// One watched stream, whichever worker has it.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) watched: Watched,
    /// Whether pictures are wanted even where nothing moves; outlives workers.
    pub(super) interest: watch::Sender<bool>,
    pub(super) seen: AtomicU64,
    pub(super) undecodable: AtomicU64,
    pub(super) skipped: AtomicU64,
}

impl Lane {
    pub(super) fn new(watched: Watched) -> Self {
        let [seen, undecodable, skipped] = [0; 3].map(AtomicU64::new);
        Self { watched, interest: watch::Sender::new(false), seen, undecodable, skipped }
    }
}

/// Why a stream is not fed any longer.
#[derive(Debug)]
pub(super) enum FeedEnd {
    /// The worker's end is closed.
    Dropped,
    /// The source is no more.
    Over,
    /// The worker said what cannot be.
    Nonsense(String),
    /// The worker reads nothing.
    Stalled,
}

/// A stream's sockets: the core's end, ready for [`run`], and the worker's.
pub(super) fn sockets() -> io::Result<(StdStream, StdStream)> {
    let (ours, theirs) = StdStream::pair()?;
    rustix::net::sockopt::set_socket_send_buffer_size(&ours, SOCKET_ROOM)?;
    ours.set_nonblocking(true)?;
    Ok((ours, theirs))
}

/// Feeds a stream until it cannot be fed any longer. `fresh`: begin at the next random access point.
pub(super) async fn run(lane: Arc<Lane>, socket: StdStream, fresh: bool, stalled: Duration, eyes: Arc<dyn Eyes>) -> FeedEnd {
    let join = if fresh { Join::NextRandomAccess } else { Join::CurrentGop };
    let consumer = lane.watched.source.subscribe(join, WAITING, "vision");
    let socket = match tokio::net::UnixStream::from_std(socket) {
        Ok(socket) => socket,
        Err(e) => {
            tracing::warn!(stream = lane.watched.name, error = %e, "a stream's socket cannot be used");
            return FeedEnd::Dropped;
        }
    };
    let (source, sink) = socket.into_split();
    let sent = Sent::default();
    tokio::select! {
        end = hear(&lane, source, &sent, eyes.as_ref()) => end,
        end = tell(&lane, sink, &sent, consumer, stalled) => end,
    }
}

/// What was sent on this socket: what comes back must be about it.
#[derive(Debug)]
struct Sent {
    samples: AtomicU64,
    earliest: AtomicI64,
    latest: AtomicI64,
}

impl Default for Sent {
    fn default() -> Self {
        Self { samples: AtomicU64::new(0), earliest: AtomicI64::new(i64::MAX), latest: AtomicI64::new(i64::MIN) }
    }
}

impl Sent {
    fn note(&self, capture: WallTime) {
        self.earliest.fetch_min(capture.0, Relaxed);
        self.latest.fetch_max(capture.0, Relaxed);
        self.samples.fetch_add(1, Relaxed);
    }

    fn covers(&self, capture: WallTime) -> bool {
        let (earliest, latest) = (self.earliest.load(Relaxed), self.latest.load(Relaxed));
        (earliest.saturating_sub(CAPTURE_SLACK)..=latest.saturating_add(CAPTURE_SLACK)).contains(&capture.0)
    }
}

async fn tell(lane: &Lane, sink: OwnedWriteHalf, sent: &Sent, mut consumer: Consumer<Sample>, stalled: Duration) -> FeedEnd {
    let mut interest = lane.interest.subscribe();
    // A new worker begins without interest.
    if *interest.borrow_and_update() {
        interest.mark_changed();
    }
    let mut down = Downward { sink, format: None, lost: false, waiting: false };
    loop {
        let result = tokio::select! {
            delivery = consumer.next() => match delivery {
                None => return FeedEnd::Over,
                Some(Delivery::Skipped { gops }) => {
                    lane.skipped.fetch_add(gops, Relaxed);
                    down.lost = true;
                    Ok(())
                }
                Some(Delivery::Item(sample)) => down.sample(&sample, sent, stalled).await,
            },
            Ok(()) = interest.changed() => {
                let wanted = *interest.borrow_and_update();
                down.message(&Down::Interest(wanted), &[], stalled).await
            }
        };
        match result {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::TimedOut => return FeedEnd::Stalled,
            Err(_) => return FeedEnd::Dropped,
        }
    }
}

/// The way down, and what the worker knows already.
struct Downward {
    sink: OwnedWriteHalf,
    format: Option<Arc<Format>>,
    /// Samples are missing before the next one that is sent.
    lost: bool,
    /// Nothing can be sent before a random access point.
    waiting: bool,
}

impl Downward {
    async fn sample(&mut self, sample: &Sample, sent: &Sent, stalled: Duration) -> io::Result<()> {
        self.lost |= sample.loss_before;
        // What follows a hole cannot be decoded cleanly; neither can what follows an access unit too long for the worker.
        self.waiting |= self.lost;
        if self.waiting && !sample.random_access {
            return Ok(());
        }
        let (Some(video), Some(head)) = (sample.format.video(), still::head(sample, self.lost)) else {
            (self.lost, self.waiting) = (true, true);
            return Ok(());
        };
        if self.format.as_ref().is_none_or(|f| !Arc::ptr_eq(f, &sample.format) && **f != *sample.format) {
            self.message(&Down::Format(Codec::from(video)), &[], stalled).await?;
        }
        self.format = Some(sample.format.clone());
        (self.lost, self.waiting) = (false, false);
        // Before the bytes: the answer may be read before this function goes on.
        sent.note(sample.capture);
        self.message(&Down::Sample(head), &sample.data, stalled).await
    }

    async fn message(&self, message: &Down, data: &[u8], stalled: Duration) -> io::Result<()> {
        let head = stream::encode(message)?;
        let mut slices = [IoSlice::new(&head), IoSlice::new(data)];
        let mut rest: &mut [IoSlice<'_>] = &mut slices;
        while !rest.is_empty() {
            match self.sink.try_write_vectored(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => IoSlice::advance_slices(&mut rest, n),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    tokio::time::timeout(stalled, self.sink.writable()).await.map_err(|_| io::ErrorKind::TimedOut)??;
                }
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}

async fn hear(lane: &Lane, mut source: OwnedReadHalf, sent: &Sent, eyes: &dyn Eyes) -> FeedEnd {
    let (mut seen, mut complaints) = (0u64, 0u64);
    loop {
        let up = match read(&mut source).await {
            Ok(up) => up,
            Err(e) if e.kind() == io::ErrorKind::InvalidData => return FeedEnd::Nonsense(e.to_string()),
            Err(_) => return FeedEnd::Dropped,
        };
        match up {
            Up::Seen(observation) => {
                seen += 1;
                // A picture is looked at once; more would be a flood that ends in the ring.
                if seen > sent.samples.load(Relaxed) {
                    return FeedEnd::Nonsense("it saw more pictures than there were".to_owned());
                }
                let observation = match sound(observation, sent) {
                    Ok(observation) => observation,
                    Err(what) => return FeedEnd::Nonsense(what.to_owned()),
                };
                lane.seen.fetch_add(1, Relaxed);
                let wanted = eyes.seen(&lane.watched.camera, observation);
                lane.interest.send_if_modified(|now| std::mem::replace(now, wanted) != wanted);
            }
            Up::Undecodable { what } => {
                complaints += 1;
                if complaints > sent.samples.load(Relaxed) + COMPLAINTS {
                    return FeedEnd::Nonsense("it complains more often than there are samples".to_owned());
                }
                lane.undecodable.fetch_add(1, Relaxed);
                metrics::counter!("matthon_vision_undecodable_total", "camera" => lane.watched.camera.to_string()).increment(1);
                // A broken camera complains with every frame: the first time is worth a line, the rest is in the metric.
                if complaints == 1 {
                    tracing::warn!(stream = lane.watched.name, what = plain(&what), "cannot be decoded");
                }
            }
            Up::End { .. } | Up::Failed { .. } => return FeedEnd::Nonsense("it speaks of a replay on a stream".to_owned()),
        }
    }
}

async fn read(source: &mut OwnedReadHalf) -> io::Result<Up> {
    let mut prefix = [0; 4];
    source.read_exact(&mut prefix).await?;
    let mut head = vec![0; stream::length(prefix)?];
    source.read_exact(&mut head).await?;
    stream::decode(&head)
}

/// Checks what a worker saw: what no worker can have seen is nonsense, single boxes and numbers that are none are left out.
fn sound(mut observation: Observation, sent: &Sent) -> Result<Observation, &'static str> {
    if !sent.covers(observation.capture) {
        return Err("it saw a picture at a time at which there was none");
    }
    if ![observation.width, observation.height].iter().all(|n| (1..=16_384).contains(n)) {
        return Err("it saw a picture of an impossible size");
    }
    if observation.detections.len() > DETECTIONS_MAX || observation.detections.iter().any(|d| d.class.as_str().len() > 64) {
        return Err("it saw more than can be on a picture");
    }
    observation.motion = if observation.motion.is_finite() { observation.motion.clamp(0.0, 1.0) } else { 0.0 };
    observation.detections.retain(|d| d.score.is_finite() && BBox::is_sound(&d.bbox));
    Ok(observation)
}
