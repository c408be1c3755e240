//! A worker for tests: a thread at the other ends of the true sockets, speaking the true protocol.
//!
//! Belongs here: the machinery. What a worker does in a test is the test's script.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use crate::{
    launcher::{Exit, Launched, Launcher, Process, Purpose},
    memory,
    model::{Library, Model},
    protocol::{Down, FromWorker, Ready, SampleHead, Sandbox, Start, ToWorker, Up, control, stream},
};
use domain::{Observation, WallTime};
use std::{
    fmt,
    fs::File,
    io::{self, Read, Write},
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::{fs::FileExt, net::UnixStream},
    },
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// Longest wait of any test for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What happened, in order, for tests that wait for it.
#[derive(Debug)]
pub(crate) struct Log<T>(Mutex<Vec<T>>, Condvar);

impl<T> Default for Log<T> {
    fn default() -> Self {
        Self(Mutex::default(), Condvar::new())
    }
}

impl<T: Clone + fmt::Debug> Log<T> {
    pub(crate) fn push(&self, entry: T) {
        self.0.lock().unwrap().push(entry);
        self.1.notify_all();
    }

    pub(crate) fn all(&self) -> Vec<T> {
        self.0.lock().unwrap().clone()
    }

    /// Waits until the entries show what is wanted.
    pub(crate) fn wait<R>(&self, what: &str, mut shows: impl FnMut(&[T]) -> Option<R>) -> R {
        let until = Instant::now() + PATIENCE;
        let mut entries = self.0.lock().unwrap();
        loop {
            if let Some(found) = shows(&entries) {
                return found;
            }
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{what} did not come; there was {entries:?}");
            entries = self.1.wait_timeout(entries, left).unwrap().0;
        }
    }
}

/// Starts fake workers that follow a script.
pub(crate) struct FakeLauncher {
    script: Arc<dyn Fn(FakeWorker) + Send + Sync>,
    count: AtomicU32,
    pub(crate) launched: Arc<Log<Purpose>>,
    pub(crate) killed: Arc<Log<u32>>,
}

impl FakeLauncher {
    pub(crate) fn new(script: impl Fn(FakeWorker) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { script: Arc::new(script), count: AtomicU32::new(0), launched: Arc::default(), killed: Arc::default() })
    }
}

impl Launcher for FakeLauncher {
    fn launch(&self, purpose: &Purpose) -> io::Result<Launched> {
        let (ours, theirs) = control::pair()?;
        let number = self.count.fetch_add(1, SeqCst) + 1;
        let sockets = Sockets::default();
        sockets.keep(theirs.as_fd());
        let worker = FakeWorker { number, purpose: purpose.clone(), control: theirs, sockets: sockets.clone(), notes: None, model: None };
        let script = self.script.clone();
        let thread = std::thread::spawn(move || script(worker));
        self.launched.push(purpose.clone());
        let killed = self.killed.clone();
        Ok(Launched {
            control: ours,
            process: Box::new(FakeProcess { number, sockets, thread: Some(thread), killed, dead: AtomicBool::default() }),
        })
    }
}

/// Every socket of a worker, so that its death closes them all.
#[derive(Clone, Debug, Default)]
struct Sockets(Arc<Mutex<Vec<OwnedFd>>>);

impl Sockets {
    fn keep(&self, socket: BorrowedFd<'_>) {
        self.0.lock().unwrap().push(socket.try_clone_to_owned().unwrap());
    }

    fn close(&self) {
        for socket in self.0.lock().unwrap().drain(..) {
            let _ = rustix::net::shutdown(socket, rustix::net::Shutdown::Both);
        }
    }
}

#[derive(Debug)]
struct FakeProcess {
    number: u32,
    sockets: Sockets,
    thread: Option<JoinHandle<()>>,
    killed: Arc<Log<u32>>,
    dead: AtomicBool,
}

impl Process for FakeProcess {
    fn pid(&self) -> u32 {
        self.number
    }

    fn kill(&mut self) {
        if !self.dead.swap(true, SeqCst) {
            self.killed.push(self.number);
        }
        self.sockets.close();
    }

    fn wait(&mut self) -> io::Result<Exit> {
        let clean = self.thread.take().is_none_or(|t| t.join().is_ok());
        Ok(if clean { Exit::Signal(9) } else { Exit::Status(101) })
    }
}

/// A worker, as its script has it. When the script returns, the worker is gone.
pub(crate) struct FakeWorker {
    /// Counts launches from 1.
    pub(crate) number: u32,
    pub(crate) purpose: Purpose,
    control: OwnedFd,
    sockets: Sockets,
    notes: Option<Arc<File>>,
    pub(crate) model: Option<Vec<u8>>,
}

impl FakeWorker {
    /// Takes the first words.
    pub(crate) fn started(&mut self) -> Option<Start> {
        let (message, descriptors) = self.hear()?;
        let ToWorker::Start(start) = message else { panic!("{message:?} comes first") };
        let mut descriptors = descriptors.into_iter().map(File::from);
        self.notes = descriptors.next().map(Arc::new);
        self.model = descriptors.next().map(|mut file| {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            bytes
        });
        Some(start)
    }

    pub(crate) fn ready(&self, trouble: Option<&str>) {
        let sandbox = Sandbox { files: true, calls: true, memory: 0 };
        let runtime = self.model.is_some().then(|| "Fake 1".to_owned());
        self.say(&FromWorker::Ready(Ready {
            version: crate::supervisor::VERSION.into(),
            runtime,
            trouble: trouble.map(str::to_owned),
            sandbox,
        }));
    }

    pub(crate) fn hear(&self) -> Option<(ToWorker, Vec<OwnedFd>)> {
        control::receive(&self.control).unwrap_or(None)
    }

    pub(crate) fn say(&self, message: &FromWorker) {
        // The core may have closed its end meanwhile.
        let _ = control::send(&self.control, message, &[]);
    }

    /// Sends a packet that is no message.
    pub(crate) fn babble(&self, bytes: &[u8]) {
        let _ = rustix::net::send(&self.control, bytes, rustix::net::SendFlags::NOSIGNAL);
    }

    pub(crate) fn note(&self, cell: u64, value: u64) {
        self.notes.as_ref().unwrap().write_all_at(&value.to_ne_bytes(), cell).unwrap();
    }

    /// A stream's socket, closed with the worker.
    pub(crate) fn stream(&self, descriptor: OwnedFd) -> UnixStream {
        self.sockets.keep(descriptor.as_fd());
        descriptor.into()
    }

    /// Starts, is ready, answers pings, and leaves the rest to `more` until that says no.
    pub(crate) fn serve(mut self, mut more: impl FnMut(&Self, ToWorker, Vec<OwnedFd>) -> bool) {
        if self.started().is_none() {
            return;
        }
        self.ready(None);
        while let Some((message, descriptors)) = self.hear() {
            match message {
                ToWorker::Ping(number) => self.say(&FromWorker::Pong(number)),
                other => {
                    if !more(&self, other, descriptors) {
                        return;
                    }
                }
            }
        }
    }
}

impl Drop for FakeWorker {
    fn drop(&mut self) {
        self.sockets.close();
    }
}

/// Reads a stream to its end; `on` gets every message with its sample's bytes, and the way back.
pub(crate) fn follow(mut socket: UnixStream, mut on: impl FnMut(&mut UnixStream, Down, &[u8]) + Send + 'static) {
    std::thread::spawn(move || {
        let mut data = Vec::new();
        while let Ok(Some(message)) = stream::read_down(&mut socket, &mut data) {
            on(&mut socket, message, &data);
        }
    });
}

/// Sends something up; whether anybody listens is not the worker's business.
pub(crate) fn up(socket: &mut UnixStream, message: &Up) {
    let _ = socket.write_all(&stream::encode(message).unwrap());
}

/// What a worker would see on a picture on which there is nothing.
pub(crate) fn nothing(capture: WallTime) -> Observation {
    Observation { capture, width: 640, height: 352, motion: 0.0, detections: Vec::new() }
}

/// Sees nothing on every sample.
pub(crate) fn look(socket: &mut UnixStream, head: SampleHead) {
    up(socket, &Up::Seen(nothing(head.capture)));
}

/// A model whose bytes nobody will run.
pub(crate) fn model() -> Model {
    let mut file = memory::anonymous("model").unwrap();
    file.write_all(b"weights").unwrap();
    memory::seal(&file).unwrap();
    let spec = Library::new(Vec::new()).manifest("yolox-nano").unwrap().spec();
    Model { name: "fake".into(), spec, bytes: Arc::new(file.into()), sha256: String::new() }
}
