//! A wall composed by a worker of its own: one picture of many cameras, ten times a second, while somebody watches.
//!
//! Belongs here: the core's side of one such worker from its start to its end. Does not belong here: what is shown ([`Screen`] comes
//! in), who watches, when one is started again (`matthon`).
//!
//! Samples of the cameras on the screen wait in the hub's bounded queues, beside a small socket. A worker that does not keep up makes
//! single streams lose groups of pictures, and is asked for fewer pictures; nothing else of the box notices.

pub mod layout;
#[cfg(test)]
mod tests;

use crate::{
    launcher::{Launcher, Purpose},
    lone::{self, Lone, LoneError},
    memory,
    pipe::{self, Held, read, write},
    protocol::{
        Codec, ToWorker,
        wall::{Down, FPS, PICTURE_MAX, Screen, Spec, Up},
    },
    still,
    supervisor::plain,
};
use bytes::Bytes;
use domain::{CameraId, Channel, Clock, Format, Sample, StreamId, StreamKind, VideoCodec};
use hub::{Capacity, Consumer, Delivery, Fanout, Join};
use std::{
    collections::BTreeMap,
    io::{self, Write},
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream as StdStream,
    },
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    io::AsyncReadExt,
    net::unix::{OwnedReadHalf, OwnedWriteHalf},
    sync::watch,
    time::{MissedTickBehavior, interval, timeout},
};

/// Most kilobits a second: a screen full of moving leaves, still sharp, through a village's wireless bridge.
const KBIT: u32 = 6000;
/// What waits in the hub for each camera: some seconds.
const WAITING: Capacity = Capacity { items: 100, bytes: 4 << 20 };
/// Pictures asked for and not there yet, beyond which no other is asked for.
const ASKED_MAX: u64 = 2;
/// A worker that takes or gives nothing for so long hangs.
const STALLED: Duration = Duration::from_secs(10);
/// Complaints of decoders beyond one a sample.
const COMPLAINTS: u64 = 64;

/// A camera that may be on the screen; a tile names it by its place in the list.
#[derive(Clone, Debug)]
pub struct Source {
    /// For log lines.
    pub name: String,
    /// Its samples.
    pub samples: Fanout<Sample>,
}

/// What a wall is made of.
#[derive(Clone)]
pub struct Wall {
    /// All cameras there are.
    pub sources: Vec<Source>,
    /// A TrueType font that has the letters.
    pub font: Bytes,
    /// The box's clock.
    pub clock: Arc<dyn Clock>,
    /// The name its samples have.
    pub camera: CameraId,
    /// Where its samples go.
    pub out: Fanout<Sample>,
}

/// Why a wall ended.
#[derive(Debug, thiserror::Error)]
pub enum WallError {
    /// There is no worker, or it ended, hangs, or says what cannot be.
    #[error(transparent)]
    Worker(#[from] LoneError),
    /// It cannot make one.
    #[error("the worker cannot compose the wall: {0}")]
    Refused(String),
}

impl Wall {
    /// Starts a worker and lets it compose what `screen` says until this future is dropped; pictures go to `out`.
    ///
    /// # Errors
    /// When there is no worker, it ends, hangs, or cannot do it. It never ends otherwise.
    pub async fn compose(&self, launcher: Arc<dyn Launcher>, screen: watch::Receiver<Screen>) -> WallError {
        match self.begin(launcher).await {
            Ok((worker, socket)) => self.serve(worker, socket, screen).await,
            Err(error) => error,
        }
    }

    async fn begin(&self, launcher: Arc<dyn Launcher>) -> Result<(Lone, StdStream), WallError> {
        let font = self.font.clone();
        // Starting waits for a process, which is not for a thread that serves pages.
        let started = tokio::task::spawn_blocking(move || -> Result<_, LoneError> {
            let worker = Lone::start(&*launcher, &Purpose::Wall, None)?;
            let (ours, theirs) = StdStream::pair().map_err(LoneError::Io)?;
            rustix::net::sockopt::set_socket_send_buffer_size(&ours, pipe::ROOM).map_err(|e| LoneError::Io(e.into()))?;
            ours.set_nonblocking(true).map_err(LoneError::Io)?;
            let mut letters = memory::anonymous("matthon-font").map_err(LoneError::Io)?;
            letters.write_all(&font).and_then(|()| memory::seal(&letters)).map_err(LoneError::Io)?;
            let letters = memory::reopen(&letters).map_err(LoneError::Io)?;
            worker.tell(&ToWorker::Wall(Spec { kbit: KBIT }), &[theirs.as_fd(), letters.as_fd()])?;
            Ok((worker, ours))
        });
        Ok(started.await.map_err(|e| LoneError::Io(io::Error::other(e)))??)
    }

    async fn serve(&self, worker: Lone, socket: StdStream, screen: watch::Receiver<Screen>) -> WallError {
        let mut worker = Held(Some(worker));
        let socket = match tokio::net::UnixStream::from_std(socket) {
            Ok(socket) => socket,
            Err(e) => return LoneError::Io(e).into(),
        };
        let Some(counted) = worker.0.as_ref().map(Lone::counts) else { return WallError::Refused(String::new()) };
        let control = match counted {
            Ok(control) => control,
            Err(e) => return LoneError::Io(e).into(),
        };
        let (source, sink) = socket.into_split();
        let counts = Counts::default();
        let ended = tokio::select! {
            ended = self.hear(source, &counts) => ended,
            ended = self.tell(sink, &counts, screen, &control) => ended,
        };
        let WallError::Worker(error) = ended else { return ended };
        // How it ended tells more than that it did.
        let Some(mut worker) = worker.0.take() else { return error.into() };
        let judged = tokio::task::spawn_blocking(move || worker.judged(error)).await;
        judged.unwrap_or_else(|e| LoneError::Io(io::Error::other(e))).into()
    }

    async fn tell(&self, sink: OwnedWriteHalf, counts: &Counts, mut screen: watch::Receiver<Screen>, control: &OwnedFd) -> WallError {
        let mut feeds = Feeds { sink, shown: BTreeMap::new() };
        let mut every = interval(Duration::from_millis(1000 / u64::from(FPS)));
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        screen.mark_changed();
        loop {
            every.tick().await;
            lone::drain(control);
            if counts.stalled() {
                return LoneError::Silent(STALLED).into();
            }
            let step = async {
                if screen.has_changed().unwrap_or(false) {
                    let now = screen.borrow_and_update().clone();
                    feeds.show(self, &now);
                    feeds.send(&Down::Screen(now), &[]).await?;
                }
                feeds.forward(counts).await?;
                if counts.asked.load(Relaxed) < counts.came.load(Relaxed) + ASKED_MAX {
                    counts.asked.fetch_add(1, Relaxed);
                    let pts = i64::try_from(self.clock.mono().0 / 100 * 9).unwrap_or(0);
                    feeds.send(&Down::Draw { at: self.clock.wall(), pts }, &[]).await?;
                } else {
                    counts.waited.fetch_add(1, Relaxed);
                }
                Ok::<_, io::Error>(())
            };
            match timeout(STALLED, step).await {
                Err(_) => return LoneError::Silent(STALLED).into(),
                // Its last words may tell why; whoever hears them ends this.
                Ok(Err(e)) if e.kind() == io::ErrorKind::BrokenPipe => std::future::pending().await,
                Ok(Err(e)) => return lone::fault(e, STALLED).into(),
                Ok(Ok(())) => {}
            }
        }
    }

    async fn hear(&self, mut source: OwnedReadHalf, counts: &Counts) -> WallError {
        let nonsense = |what: &str| WallError::from(LoneError::Protocol(what.to_owned()));
        let stream = Arc::new(StreamId::new(self.camera.clone(), Channel::Main, StreamKind::Video));
        let mut format: Option<Arc<Format>> = None;
        let (mut last, mut complaints, mut first) = (i64::MIN, 0u64, true);
        loop {
            let up = match read(&mut source).await {
                Ok(up) => up,
                Err(e) => return lone::fault(e, STALLED).into(),
            };
            match up {
                Up::Format(_) if format.is_some() => return nonsense("it told the format twice"),
                Up::Format(config) => match media::params::video_format(VideoCodec::H264, &config) {
                    Ok(video) => format = Some(Arc::new(Format::Video(video))),
                    Err(e) => return nonsense(&format!("its format: {e}")),
                },
                Up::Picture { at, pts, random_access, len } => {
                    let Some(format) = &format else { return nonsense("a picture came without a format") };
                    if counts.came.load(Relaxed) == counts.asked.load(Relaxed) || pts <= last {
                        return nonsense("it made a picture that nobody asked for");
                    }
                    if len == 0 || len as usize > PICTURE_MAX {
                        return nonsense("a picture is longer than one may be");
                    }
                    let mut data = vec![0; len as usize];
                    if let Err(e) = source.read_exact(&mut data).await {
                        return lone::fault(e, STALLED).into();
                    }
                    if media::nal::units(&data).any(|unit| unit.is_err()) {
                        return nonsense("what it made is no picture");
                    }
                    last = pts;
                    counts.waited.store(0, Relaxed);
                    let seq = counts.came.fetch_add(1, Relaxed);
                    let sample = Sample {
                        stream: stream.clone(),
                        format: format.clone(),
                        seq,
                        capture: at,
                        pts,
                        dts: pts,
                        random_access,
                        loss_before: std::mem::take(&mut first),
                        data: data.into(),
                    };
                    self.out.publish(sample);
                }
                Up::Undecodable { source, what } => {
                    complaints += 1;
                    if complaints > counts.sent.load(Relaxed) + COMPLAINTS {
                        return nonsense("it complains more often than there are samples");
                    }
                    if complaints == 1 {
                        let name = self.sources.get(usize::from(source)).map_or("", |s| s.name.as_str());
                        tracing::warn!(stream = name, what = plain(&what), "cannot be decoded for the wall");
                    }
                }
                Up::Failed(what) => return WallError::Refused(plain(&what)),
            }
        }
    }
}

/// What was sent and what came.
#[derive(Debug, Default)]
struct Counts {
    asked: AtomicU64,
    came: AtomicU64,
    sent: AtomicU64,
    /// Turns in a row in which nothing was asked because nothing came.
    waited: AtomicU64,
}

impl Counts {
    fn stalled(&self) -> bool {
        self.waited.load(Relaxed) > STALLED.as_secs() * u64::from(FPS)
    }
}

/// Cameras on their way down one socket.
struct Feeds {
    sink: OwnedWriteHalf,
    shown: BTreeMap<u16, Feed>,
}

struct Feed {
    samples: Consumer<Sample>,
    format: Option<Arc<Format>>,
    /// Samples are missing before the next one that is sent.
    lost: bool,
}

impl Feeds {
    /// Begins with cameras that are on the screen now, and leaves those that were.
    fn show(&mut self, wall: &Wall, screen: &Screen) {
        self.shown.retain(|n, _| screen.tiles.iter().any(|t| t.source == *n));
        for tile in &screen.tiles {
            let Some(source) = wall.sources.get(usize::from(tile.source)) else { continue };
            self.shown.entry(tile.source).or_insert_with(|| Feed {
                // Ten pictures a second show whether a camera's come evenly.
                samples: source.samples.subscribe(Join::CurrentGop, WAITING, "wall").hurry(),
                format: None,
                lost: true,
            });
        }
    }

    /// Sends what waits, camera by camera.
    async fn forward(&mut self, counts: &Counts) -> io::Result<()> {
        let Self { sink, shown } = self;
        for (number, feed) in shown {
            // What waits now; who sends faster than the worker reads does not keep the others waiting.
            for _ in 0..feed.samples.waiting().0 {
                match feed.samples.try_next() {
                    Some(Delivery::Item(sample)) => feed.sample(sink, *number, &sample, counts).await?,
                    Some(Delivery::Skipped { .. }) => feed.lost = true,
                    None => break,
                }
            }
        }
        Ok(())
    }

    async fn send(&self, message: &Down, data: &[u8]) -> io::Result<()> {
        write(&self.sink, message, data).await
    }
}

impl Feed {
    async fn sample(&mut self, sink: &OwnedWriteHalf, source: u16, sample: &Sample, counts: &Counts) -> io::Result<()> {
        self.lost |= sample.loss_before;
        if self.lost && !sample.random_access {
            return Ok(());
        }
        let (Some(video), Some(head)) = (sample.format.video(), still::head(sample, self.lost)) else {
            self.lost = true;
            return Ok(());
        };
        if pipe::changed(self.format.as_ref(), sample) {
            write(sink, &Down::Format { source, codec: Codec::from(video) }, &[]).await?;
        }
        self.format = Some(sample.format.clone());
        self.lost = false;
        counts.sent.fetch_add(1, Relaxed);
        write(sink, &Down::Sample { source, head }, &sample.data).await
    }
}
