//! The control socket: start, streams come and go, stills, films and replays are asked for, counts are told.
//!
//! Belongs here: who is told to do what. Does not belong here: any of the work, which has threads of its own.

use crate::{
    copy,
    counts::Tally,
    live::Live,
    look::{self, Around, Pool},
    note::Notes,
    recent::Recent,
    rendition,
    replay::Replay,
    still::{Job, Stills, deadline},
    uplink::Uplink,
    wall,
};
use anyhow::Context;
use detect::{DetectError, Detector, Hooks, Runtime};
use std::{
    collections::BTreeMap,
    io,
    net::Shutdown,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};
use vision::protocol::{FromWorker, ModelSpec, Ready, STREAMS_MAX, Sandbox, Start, StillSource, ToWorker, control};

/// How often counts are told.
const TELL: Duration = Duration::from_secs(1);
/// How long threads may take to end when the control socket has.
const LEAVE: Duration = Duration::from_secs(3);
/// The version both sides must have.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Serves the control socket until it ends.
///
/// # Errors
/// When the core speaks another version or says what cannot be, or the system refuses threads.
pub fn serve(socket: impl AsFd, runtime: &Result<Runtime, DetectError>, sandbox: Sandbox) -> anyhow::Result<()> {
    let control = Arc::new(socket.as_fd().try_clone_to_owned()?);
    let Some((first, descriptors)) = control::receive::<ToWorker>(&control).context("standard input is not the core's control socket")?
    else {
        return Ok(());
    };
    let ToWorker::Start(start) = first else { anyhow::bail!("the core did not begin with a start") };
    anyhow::ensure!(start.version == VERSION, "the core is version {}, the worker {VERSION}: install both from one release", start.version);
    let mut session = Session::new(control, runtime, &start, descriptors)?;
    let ready = Ready {
        version: VERSION.to_owned(),
        runtime: session.input.and(runtime.as_ref().ok()).map(|r| r.version().to_owned()),
        trouble: session.trouble.take(),
        sandbox,
    };
    session.send(&FromWorker::Ready(ready))?;
    session.tell_counts()?;
    let outcome = session.listen();
    session.end();
    outcome
}

struct Session {
    control: Arc<OwnedFd>,
    notes: Notes,
    tally: Arc<Tally>,
    recent: Arc<Recent>,
    detectors: Vec<Detector>,
    pool: Option<Arc<Pool>>,
    // The counting thread looks for the pool here: it comes with the first stream.
    pool_seen: Arc<std::sync::OnceLock<Arc<Pool>>>,
    input: Option<(u32, u32)>,
    trouble: Option<String>,
    stills: Stills,
    streams: BTreeMap<u32, Stream>,
    replay: Option<(Arc<Uplink>, JoinHandle<()>)>,
    /// A viewing copy, a wall or a rendition.
    film: Option<(UnixStream, JoinHandle<()>)>,
    // Dropped last of all: it ends the counting thread.
    counting: Option<mpsc::Sender<()>>,
}

struct Stream {
    uplink: Arc<Uplink>,
    thread: JoinHandle<()>,
}

impl Session {
    fn new(
        control: Arc<OwnedFd>,
        runtime: &Result<Runtime, DetectError>,
        start: &Start,
        descriptors: Vec<OwnedFd>,
    ) -> anyhow::Result<Self> {
        let mut descriptors = descriptors.into_iter();
        let notes = Notes::new(descriptors.next().context("the start came without its notes")?)?;
        let recent = Arc::new(Recent::default());
        let (mut detectors, mut input, mut trouble) = (Vec::new(), None, None);
        if let Some(spec) = &start.model {
            match load(runtime, spec, descriptors.next(), start.detectors) {
                Ok(made) => (detectors, input) = (made, Some(spec.input)),
                Err(why) => trouble = Some(why),
            }
        }
        let answers = control.clone();
        let stills = Stills::start(
            recent.clone(),
            notes.clone(),
            Box::new(move |job, outcome| {
                // A core that is gone is noticed by the thread that listens to it.
                let _ = control::send(&answers, &FromWorker::Still { job, outcome }, &[]);
            }),
        )?;
        Ok(Self {
            control,
            notes,
            tally: Arc::default(),
            recent,
            detectors,
            pool: None,
            pool_seen: Arc::default(),
            input,
            trouble,
            stills,
            streams: BTreeMap::new(),
            replay: None,
            film: None,
            counting: None,
        })
    }

    fn send(&self, message: &FromWorker) -> anyhow::Result<()> {
        match control::send(&self.control, message, &[]) {
            // Its end is heard by whoever listens.
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe || e.kind() == io::ErrorKind::ConnectionReset => Ok(()),
            other => other.context("the control socket"),
        }
    }

    fn tell_counts(&mut self) -> io::Result<()> {
        let (end, ended) = mpsc::channel::<()>();
        let (control, tally, pool) = (self.control.clone(), self.tally.clone(), self.pool_seen.clone());
        thread::Builder::new().name("counts".into()).spawn(move || {
            while ended.recv_timeout(TELL) == Err(mpsc::RecvTimeoutError::Timeout) {
                let mut counts = tally.read();
                if let Some(stats) = pool.get().map(|p| p.stats()) {
                    counts.inferred += stats.inferred;
                    counts.superseded += stats.superseded;
                    counts.inference_micros += stats.busy_micros;
                }
                if control::send(&control, &FromWorker::Counts(counts), &[]).is_err() {
                    return;
                }
            }
        })?;
        self.counting = Some(end);
        Ok(())
    }

    fn listen(&mut self) -> anyhow::Result<()> {
        loop {
            match control::receive::<ToWorker>(&self.control) {
                Ok(Some((message, descriptors))) => self.hear(message, descriptors)?,
                Ok(None) => return Ok(()),
                // The core closed with words of ours unread.
                Err(e) if e.kind() == io::ErrorKind::ConnectionReset => return Ok(()),
                Err(e) => return Err(e).context("the control socket"),
            }
        }
    }

    /// Lets every thread come to its end, so that no C code is at work while the process is taken down.
    fn end(mut self) {
        // A thread that hangs in C code must not keep the process.
        let spawned = thread::Builder::new().name("last".into()).spawn(|| {
            thread::sleep(LEAVE);
            crate::say("a thread does not end: the process is ended with it");
            std::process::abort();
        });
        if spawned.is_err() {
            std::process::abort();
        }
        for open in self.streams.values() {
            open.uplink.close();
        }
        while let Some(stream) = self.streams.keys().next().copied() {
            self.close(stream);
        }
        if let Some((uplink, thread)) = self.replay.take() {
            uplink.close();
            let _ = thread.join();
        }
        if let Some((socket, thread)) = self.film.take() {
            let _ = socket.shutdown(Shutdown::Both);
            let _ = thread.join();
        }
    }

    fn hear(&mut self, message: ToWorker, descriptors: Vec<OwnedFd>) -> anyhow::Result<()> {
        let mut descriptors = descriptors.into_iter();
        match message {
            ToWorker::Start(_) => anyhow::bail!("the core started twice"),
            ToWorker::Open { stream, name, fps } => {
                let socket = descriptors.next().context("a stream came without its socket")?;
                self.open(stream, name, fps, socket.into())?;
            }
            ToWorker::Close { stream } => self.close(stream),
            ToWorker::Still { job, source, max_width, masks, deadline_ms } => {
                let out = descriptors.next().context("a still came without where to put it")?;
                let samples = descriptors.next();
                anyhow::ensure!(
                    samples.is_some() == matches!(source, StillSource::Samples { .. }),
                    "a still came with the wrong descriptors"
                );
                let asked = self.stills.ask(Job { number: job, source, max_width, masks, deadline: deadline(deadline_ms), out, samples });
                if let Err(why) = asked {
                    self.send(&FromWorker::Still { job, outcome: Err(why) })?;
                }
            }
            ToWorker::Replay { fps } => {
                let file = descriptors.next().context("a replay came without its file")?;
                let socket = descriptors.next().context("a replay came without its socket")?;
                anyhow::ensure!(self.idle(), "a replay was asked of a worker that is at work");
                let uplink = Arc::new(Uplink::patient(socket.into())?);
                let replay = Replay {
                    file: file.into(),
                    fps,
                    uplink: uplink.clone(),
                    detector: self.detectors.pop(),
                    input: self.input.unwrap_or((416, 416)),
                    notes: self.notes.clone(),
                    tally: self.tally.clone(),
                };
                let thread = thread::Builder::new().name("replay".into()).spawn(move || replay.run())?;
                self.replay = Some((uplink, thread));
            }
            ToWorker::Copy(spec) => {
                let socket = UnixStream::from(descriptors.next().context("a copy came without its socket")?);
                let font = descriptors.next().context("a copy came without its font")?;
                anyhow::ensure!(self.idle(), "a copy was asked of a worker that is at work");
                let (notes, tally, end) = (self.notes.clone(), self.tally.clone(), socket.try_clone()?);
                let thread = thread::Builder::new().name("copy".into()).spawn(move || copy::run(&socket, &spec, font, &notes, &tally))?;
                self.film = Some((end, thread));
            }
            ToWorker::Wall(spec) => {
                let socket = UnixStream::from(descriptors.next().context("a wall came without its socket")?);
                let font = descriptors.next().context("a wall came without its font")?;
                anyhow::ensure!(self.idle(), "a wall was asked of a worker that is at work");
                let (notes, tally, end) = (self.notes.clone(), self.tally.clone(), socket.try_clone()?);
                let thread = thread::Builder::new().name("wall".into()).spawn(move || wall::run(&socket, &spec, font, &notes, &tally))?;
                self.film = Some((end, thread));
            }
            ToWorker::Rendition(spec) => {
                let socket = UnixStream::from(descriptors.next().context("a rendition came without its socket")?);
                anyhow::ensure!(self.idle(), "a rendition was asked of a worker that is at work");
                let (notes, tally, end) = (self.notes.clone(), self.tally.clone(), socket.try_clone()?);
                let thread =
                    thread::Builder::new().name("rendition".into()).spawn(move || rendition::run(&socket, &spec, &notes, &tally))?;
                self.film = Some((end, thread));
            }
            ToWorker::Ping(n) => self.send(&FromWorker::Pong(n))?,
        }
        Ok(())
    }

    fn idle(&self) -> bool {
        self.streams.is_empty() && self.replay.is_none() && self.film.is_none()
    }

    fn open(&mut self, stream: u32, name: String, fps: f32, socket: UnixStream) -> anyhow::Result<()> {
        anyhow::ensure!((stream as usize) < STREAMS_MAX, "there is no stream {stream}: the last is {}", STREAMS_MAX - 1);
        anyhow::ensure!(!self.streams.contains_key(&stream), "stream {stream} is open already");
        anyhow::ensure!(self.replay.is_none() && self.film.is_none(), "a stream was given to a worker that does something else");
        let pool = self.pool()?;
        let uplink = Arc::new(Uplink::prompt(socket.try_clone()?)?);
        let input = self.input.unwrap_or((416, 416));
        let (notes, tally, closing) = (self.notes.clone(), self.tally.clone(), uplink.clone());
        let live = Live { stream, name, fps, socket, uplink: uplink.clone(), pool, input, notes, tally };
        let thread = thread::Builder::new().name(format!("stream-{stream}")).spawn(move || {
            let name = live.name.clone();
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| live.run()));
            match ended {
                Ok(Ok(())) => {}
                Ok(Err(e)) => crate::say(format_args!("{name}: its socket ended: {e}")),
                Err(_) => crate::say(format_args!("{name}: its thread panicked")),
            }
            // The core opens it again when it sees this end.
            closing.close();
        })?;
        self.streams.insert(stream, Stream { uplink, thread });
        Ok(())
    }

    fn close(&mut self, stream: u32) {
        let Some(open) = self.streams.remove(&stream) else { return };
        open.uplink.close();
        // Its number is free once this returns. It may take as long as decoding one access unit; if that hangs, the notes tell.
        let _ = open.thread.join();
        if let Some(pool) = &self.pool {
            pool.remove(stream);
        }
        self.recent.forget(stream);
    }

    /// The detectors' pool, made when the first stream needs it.
    fn pool(&mut self) -> io::Result<Option<Arc<Pool>>> {
        if self.pool.is_none() && !self.detectors.is_empty() {
            let around: Arc<dyn Hooks<look::Tag>> =
                Arc::new(Around { notes: self.notes.clone(), recent: self.recent.clone(), tally: self.tally.clone() });
            let pool = Arc::new(Pool::start(std::mem::take(&mut self.detectors), &around)?);
            let _ = self.pool_seen.set(pool.clone());
            self.pool = Some(pool);
        }
        Ok(self.pool.clone())
    }
}

fn load(runtime: &Result<Runtime, DetectError>, spec: &ModelSpec, model: Option<OwnedFd>, count: u32) -> Result<Vec<Detector>, String> {
    let model = model.ok_or_else(|| format!("model {}: the core sent no bytes", spec.name))?;
    look::detectors(runtime, spec, model, count)
}
