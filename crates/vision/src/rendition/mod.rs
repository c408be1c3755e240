//! A rendition: one stream's pictures in H.264, covered where that is asked, made by a worker of its own while somebody watches.
//!
//! Belongs here: the core's side of one such worker from its start to its end. Does not belong here: who watches, how many there are at a time,
//! when one is started again (`matthon`).
//!
//! Samples wait in the hub's bounded queue, beside a small socket: a worker that does not keep up loses groups of pictures, and nothing else
//! of the box notices. What comes back has the times of the samples it was made from, and only theirs.

#[cfg(test)]
mod tests;

use crate::{
    launcher::{Launcher, Purpose},
    lone::{self, Lone, LoneError},
    pipe::{self, Held, read, write},
    protocol::{
        Codec, Down, ToWorker,
        rendition::{PICTURE_MAX, Spec, Up},
    },
    still,
    supervisor::plain,
};
use domain::{Format, Sample, StreamId, VideoCodec, WallTime, mask::Mask};
use hub::{Capacity, Delivery, Fanout, Join};
use std::{
    collections::VecDeque,
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream as StdStream,
    },
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    io::AsyncReadExt,
    net::unix::{OwnedReadHalf, OwnedWriteHalf},
    time::{Instant, MissedTickBehavior, interval, timeout},
};

/// No wider and no higher, pixels: a phone's screen, and what one thread encodes beside detection.
const FIT: (u32, u32) = (1280, 1280);
/// Most kilobits a second.
const KBIT: u32 = 3000;
/// What waits in the hub: some seconds.
const WAITING: Capacity = Capacity { items: 100, bytes: 4 << 20 };
/// A worker that takes or gives nothing for so long hangs.
const STALLED: Duration = Duration::from_secs(10);
/// How often that is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Samples on their way: more than ever fit into the socket.
const UNDER_WAY: usize = 8192;
/// Complaints of decoders beyond one a sample.
const COMPLAINTS: u64 = 64;

/// What is converted, and where it goes.
#[derive(Clone, Debug)]
pub struct Rendition {
    /// For log lines: `cong-lang/sub`.
    pub name: String,
    /// The name its samples have.
    pub stream: Arc<StreamId>,
    /// The camera's samples.
    pub source: Fanout<Sample>,
    /// What is painted black.
    pub masks: Vec<Mask>,
    /// Where its samples go.
    pub out: Fanout<Sample>,
}

/// Why a rendition ended.
#[derive(Debug, thiserror::Error)]
pub enum RenditionError {
    /// There is no worker, or it ended, hangs, or says what cannot be.
    #[error(transparent)]
    Worker(#[from] LoneError),
    /// It cannot make one.
    #[error("the worker cannot convert the stream: {0}")]
    Refused(String),
    /// Nobody publishes the stream any more.
    #[error("the stream is gone")]
    Gone,
}

impl Rendition {
    /// Starts a worker and lets it convert until this future is dropped; pictures go to `out`.
    ///
    /// # Errors
    /// When there is no worker, it ends, hangs, or cannot do it. It never ends otherwise.
    pub async fn convert(&self, launcher: Arc<dyn Launcher>) -> RenditionError {
        match self.begin(launcher).await {
            Ok((worker, socket)) => self.serve(worker, socket).await,
            Err(error) => error,
        }
    }

    async fn begin(&self, launcher: Arc<dyn Launcher>) -> Result<(Lone, StdStream), RenditionError> {
        let (name, spec) = (self.name.clone(), Spec { fit: FIT, kbit: KBIT, masks: self.masks.clone() });
        // Starting waits for a process, which is not for a thread that serves pages.
        let started = tokio::task::spawn_blocking(move || -> Result<_, LoneError> {
            let worker = Lone::start(&*launcher, &Purpose::Rendition(name), None)?;
            let (ours, theirs) = StdStream::pair().map_err(LoneError::Io)?;
            rustix::net::sockopt::set_socket_send_buffer_size(&ours, pipe::ROOM).map_err(|e| LoneError::Io(e.into()))?;
            ours.set_nonblocking(true).map_err(LoneError::Io)?;
            worker.tell(&ToWorker::Rendition(spec), &[theirs.as_fd()])?;
            Ok((worker, ours))
        });
        Ok(started.await.map_err(|e| LoneError::Io(io::Error::other(e)))??)
    }

    async fn serve(&self, worker: Lone, socket: StdStream) -> RenditionError {
        let control = match worker.counts() {
            Ok(control) => control,
            Err(e) => return LoneError::Io(e).into(),
        };
        let mut worker = Held(Some(worker));
        let socket = match tokio::net::UnixStream::from_std(socket) {
            Ok(socket) => socket,
            Err(e) => return LoneError::Io(e).into(),
        };
        let (source, sink) = socket.into_split();
        let under_way = UnderWay::default();
        let ended = tokio::select! {
            ended = self.hear(source, &under_way) => ended,
            ended = self.tell(&sink, &under_way, &control) => ended,
        };
        let RenditionError::Worker(error) = ended else { return ended };
        // How it ended tells more than that it did.
        let Some(mut worker) = worker.0.take() else { return error.into() };
        let judged = tokio::task::spawn_blocking(move || worker.judged(error)).await;
        judged.unwrap_or_else(|e| LoneError::Io(io::Error::other(e))).into()
    }

    /// Sends samples as they come.
    async fn tell(&self, sink: &OwnedWriteHalf, under_way: &UnderWay, control: &OwnedFd) -> RenditionError {
        let mut samples = self.source.subscribe(Join::CurrentGop, WAITING, "rendition").hurry();
        let mut every = interval(LOOK);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut format, mut lost): (Option<Arc<Format>>, bool) = (None, true);
        loop {
            let delivery = tokio::select! {
                delivery = samples.next() => delivery,
                _ = every.tick() => {
                    lone::drain(control);
                    if under_way.stalled() {
                        return LoneError::Silent(STALLED).into();
                    }
                    continue;
                }
            };
            let sample = match delivery {
                None => return RenditionError::Gone,
                Some(Delivery::Skipped { .. }) => {
                    lost = true;
                    continue;
                }
                Some(Delivery::Item(sample)) => sample,
            };
            lost |= sample.loss_before;
            if lost && !sample.random_access {
                continue;
            }
            let (Some(video), Some(head)) = (sample.format.video(), still::head(&sample, lost)) else {
                lost = true;
                continue;
            };
            let step = async {
                if pipe::changed(format.as_ref(), &sample) {
                    write(sink, &Down::Format(Codec::from(video)), &[]).await?;
                }
                under_way.sent(std::mem::take(&mut lost), sample.pts, sample.capture);
                write(sink, &Down::Sample(head), &sample.data).await
            };
            match timeout(STALLED, step).await {
                Err(_) => return LoneError::Silent(STALLED).into(),
                // Its last words may tell why; whoever hears them ends this.
                Ok(Err(e)) if e.kind() == io::ErrorKind::BrokenPipe => std::future::pending().await,
                Ok(Err(e)) => return lone::fault(e, STALLED).into(),
                Ok(Ok(())) => format = Some(sample.format.clone()),
            }
        }
    }

    /// Takes pictures as they are made.
    async fn hear(&self, mut source: OwnedReadHalf, under_way: &UnderWay) -> RenditionError {
        let nonsense = |what: &str| RenditionError::from(LoneError::Protocol(what.to_owned()));
        let mut format: Option<Arc<Format>> = None;
        let (mut seq, mut complaints, mut fresh) = (0, 0u64, true);
        loop {
            let up = match read(&mut source).await {
                Ok(up) => up,
                Err(e) => return lone::fault(e, STALLED).into(),
            };
            match up {
                Up::Format(config) => match media::params::video_format(VideoCodec::H264, &config) {
                    Ok(video) => (format, fresh) = (Some(Arc::new(Format::Video(video))), true),
                    Err(e) => return nonsense(&format!("its format: {e}")),
                },
                Up::Picture { capture, pts, random_access, len } => {
                    let Some(format) = &format else { return nonsense("a picture came without a format") };
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
                    let Some(begins) = under_way.came(pts, capture) else {
                        return nonsense("a picture is of no sample, or not in its order");
                    };
                    fresh |= begins;
                    if fresh && !random_access {
                        return nonsense("it begins anew without a key frame");
                    }
                    let (stream, format) = (self.stream.clone(), format.clone());
                    let loss_before = std::mem::take(&mut fresh);
                    let data = data.into();
                    self.out.publish(Sample { stream, format, seq, capture, pts, dts: pts, random_access, loss_before, data });
                    seq += 1;
                }
                Up::Undecodable(what) => {
                    complaints += 1;
                    if complaints > under_way.all() + COMPLAINTS {
                        return nonsense("it complains more often than there are samples");
                    }
                    under_way.answered();
                    if complaints == 1 {
                        tracing::warn!(stream = self.name, what = plain(&what), "cannot be decoded for a rendition");
                    }
                }
                Up::End => return nonsense("it ended by itself"),
                Up::Failed(what) => return RenditionError::Refused(plain(&what)),
            }
        }
    }
}

/// Samples that went to the worker and whose pictures did not come yet.
#[derive(Debug, Default)]
struct UnderWay(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Rises where something is missing: times may go back there.
    epoch: u64,
    all: u64,
    waiting: VecDeque<(u64, i64, WallTime)>,
    /// Of the picture that came last.
    last: Option<(u64, i64)>,
    /// Since when samples went and nothing came.
    since: Option<Instant>,
}

impl UnderWay {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sent(&self, anew: bool, pts: i64, capture: WallTime) {
        let mut state = self.lock();
        state.epoch += u64::from(anew);
        state.all += 1;
        state.since.get_or_insert_with(Instant::now);
        let epoch = state.epoch;
        state.waiting.push_back((epoch, pts, capture));
        if state.waiting.len() > UNDER_WAY {
            state.waiting.pop_front();
        }
    }

    /// A picture came: whether it is the first since something was missing. `None`: it is of no sample that waits.
    fn came(&self, pts: i64, capture: WallTime) -> Option<bool> {
        let mut state = self.lock();
        let epoch = state.waiting.iter().find(|(_, p, c)| (*p, *c) == (pts, capture)).map(|(epoch, ..)| *epoch)?;
        if state.last.is_some_and(|last| last >= (epoch, pts)) {
            return None;
        }
        // What was to be shown earlier will not come any more.
        state.waiting.retain(|(e, p, _)| (*e, *p) > (epoch, pts));
        let begins = state.last.replace((epoch, pts)).is_none_or(|(before, _)| before != epoch);
        state.since = None;
        Some(begins)
    }

    /// A decoder said something: the worker is alive.
    fn answered(&self) {
        self.lock().since = None;
    }

    fn all(&self) -> u64 {
        self.lock().all
    }

    fn stalled(&self) -> bool {
        self.lock().since.is_some_and(|since| since.elapsed() > STALLED)
    }
}
