//! A worker seen from the core's side, and clips for it.
//!
//! Belongs here: what several test files need. Does not belong here: assertions about one behaviour.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]
#![allow(clippy::option_env_unwrap, reason = "an example shares this file, and the two are set for tests alone")]
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part")]

pub mod clip;
pub mod rendering;
pub mod viewing;
pub mod walling;

use domain::WallTime;
use rustix::{
    fs::{MemfdFlags, memfd_create},
    net::sockopt::{Timeout, set_socket_timeout},
};
use std::{
    fs::File,
    io::{Read, Write},
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::{fs::FileExt, net::UnixStream},
    },
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use vision::protocol::{
    ChannelOrder, Codec, Down, FromWorker, Layout, ModelSpec, Ready, STILL_MAX, SampleHead, Start, StillDone, StillError, StillSource,
    ToWorker, Up, control, notes, stream,
};

/// Nothing here takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running worker.
pub struct Worker {
    pub control: OwnedFd,
    pub notes: File,
    pub ready: Ready,
    pub child: Child,
    jobs: u64,
    /// What stills are to be covered by.
    pub masks: Vec<domain::mask::Mask>,
}

pub fn memfd(len: u64) -> File {
    let file = File::from(memfd_create("test", MemfdFlags::CLOEXEC).unwrap());
    file.set_len(len).unwrap();
    file
}

/// A file of the shared test data, or `None` after noting the skip by name.
pub fn shared(test: &str, file: &str) -> Option<PathBuf> {
    let root = std::env::var_os("MATTHON_SHARED").map(PathBuf::from);
    let dir = root.clone().unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let path = dir.join(file);
    if path.exists() {
        return Some(path);
    }
    assert!(root.is_none(), "{} is missing although MATTHON_SHARED is set", path.display());
    if let Some(list) = std::env::var_os("MATTHON_SKIPS") {
        writeln!(std::fs::OpenOptions::new().append(true).create(true).open(list).unwrap(), "{test}").unwrap();
    }
    eprintln!("skipped: {test} needs {}", path.display());
    None
}

/// The inference runtime that `tools/ort` puts into the checkout.
pub fn runtime() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../third_party/onnxruntime/libonnxruntime.so")
}

/// What the manifest of `yolox-nano` says, with COCO's first classes.
pub fn yolox() -> ModelSpec {
    let words = [(0, "person"), (1, "bicycle"), (2, "car"), (3, "motorcycle"), (5, "bus"), (7, "truck"), (17, "horse")];
    let labels = (0..80).map(|n| words.iter().find(|(class, _)| *class == n).map(|(_, word)| (*word).to_owned())).collect();
    ModelSpec {
        name: "yolox-nano".into(),
        layout: Layout::Yolox,
        input: (416, 416),
        channels: ChannelOrder::Bgr,
        mean: [0.0; 3],
        scale: [1.0; 3],
        pad: 114,
        labels,
        threshold: 0.1,
        nms: 0.65,
    }
}

/// The model, when it and the runtime are here.
pub fn model(test: &str) -> Option<(ModelSpec, File)> {
    let path = shared(test, "data/models/yolox_nano.onnx")?;
    if !runtime().exists() {
        assert!(std::env::var_os("MATTHON_SHARED").is_none(), "{} is missing: run `tools/ort`", runtime().display());
        eprintln!("skipped: {test} needs {}", runtime().display());
        return None;
    }
    Some((yolox(), File::open(path).unwrap()))
}

pub fn program() -> Command {
    let mut command = Command::new(option_env!("CARGO_BIN_EXE_matthon-worker").expect("built for a test"));
    let registry = PathBuf::from(option_env!("CARGO_TARGET_TMPDIR").expect("built for a test")).join("gstreamer-registry.bin");
    command.env("GST_REGISTRY", registry).env("MATTHON_ORT", runtime()).env("MATTHON_WORKER_MEMORY", (3u64 << 30).to_string());
    command
}

impl Worker {
    pub fn start(model: Option<(ModelSpec, File)>) -> Self {
        let (ours, theirs) = control::pair().unwrap();
        set_socket_timeout(&ours, Timeout::Recv, Some(PATIENCE)).unwrap();
        let child = program().stdin(Stdio::from(theirs)).stdout(Stdio::null()).spawn().unwrap();
        let notes = memfd(notes::LEN);
        let (spec, bytes) = model.unzip();
        let start = Start { version: env!("CARGO_PKG_VERSION").into(), detectors: 1, model: spec };
        let mut descriptors = vec![notes.as_fd()];
        descriptors.extend(bytes.as_ref().map(AsFd::as_fd));
        control::send(&ours, &ToWorker::Start(start), &descriptors).unwrap();
        let ready = loop {
            match control::receive::<FromWorker>(&ours).unwrap().expect("the worker ended before it was ready").0 {
                FromWorker::Ready(ready) => break ready,
                FromWorker::Counts(_) => {}
                other => panic!("{other:?} before ready"),
            }
        };
        Self { control: ours, notes, ready, child, jobs: 0, masks: Vec::new() }
    }

    pub fn tell(&self, message: &ToWorker, descriptors: &[BorrowedFd<'_>]) {
        control::send(&self.control, message, descriptors).unwrap();
    }

    /// The next message that a look finds what it wants in.
    pub fn hear<T>(&self, mut look: impl FnMut(FromWorker) -> Option<T>) -> T {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            let message = control::receive::<FromWorker>(&self.control).unwrap().expect("the worker ended").0;
            if let Some(found) = look(message) {
                return found;
            }
        }
        panic!("the worker did not say it in time");
    }

    /// Alive and answering.
    pub fn ping(&self) {
        self.tell(&ToWorker::Ping(77), &[]);
        self.hear(|m| (m == FromWorker::Pong(77)).then_some(()));
    }

    /// Counts that satisfy a condition.
    pub fn counts(&self, when: impl Fn(&vision::protocol::Counts) -> bool) -> vision::protocol::Counts {
        self.hear(|m| match m {
            FromWorker::Counts(c) if when(&c) => Some(c),
            _ => None,
        })
    }

    pub fn open(&self, stream: u32, fps: f32) -> Stream {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_read_timeout(Some(PATIENCE)).unwrap();
        self.tell(&ToWorker::Open { stream, name: format!("test-{stream}/sub"), fps }, &[theirs.as_fd()]);
        Stream { socket: ours }
    }

    pub fn still(
        &mut self,
        source: StillSource,
        max_width: u32,
        deadline_ms: u32,
        samples: Option<&File>,
    ) -> Result<(StillDone, Vec<u8>), StillError> {
        let (job, out) = self.ask(source, max_width, deadline_ms, samples);
        let outcome = self.hear(|m| match m {
            FromWorker::Still { job: j, outcome } if j == job => Some(outcome),
            _ => None,
        });
        outcome.map(|done| {
            let mut jpeg = vec![0; done.len as usize];
            out.read_exact_at(&mut jpeg, 0).unwrap();
            (done, jpeg)
        })
    }

    pub fn ask(&mut self, source: StillSource, max_width: u32, deadline_ms: u32, samples: Option<&File>) -> (u64, File) {
        self.jobs += 1;
        let out = memfd(STILL_MAX as u64);
        let mut descriptors = vec![out.as_fd()];
        descriptors.extend(samples.map(AsFd::as_fd));
        self.tell(&ToWorker::Still { job: self.jobs, source, max_width, masks: self.masks.clone(), deadline_ms }, &descriptors);
        (self.jobs, out)
    }

    /// Ends the control socket; the worker ends by itself.
    pub fn end(mut self) {
        let (spare, _) = control::pair().unwrap();
        drop(std::mem::replace(&mut self.control, spare));
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The core's end of a stream.
pub struct Stream {
    pub socket: UnixStream,
}

impl Stream {
    pub fn say(&mut self, message: &Down) {
        self.socket.write_all(&stream::encode(message).unwrap()).unwrap();
    }

    pub fn format(&mut self, codec: &Codec) {
        self.say(&Down::Format(codec.clone()));
    }

    pub fn sample(&mut self, head: SampleHead, data: &[u8]) {
        self.say(&Down::Sample(head));
        self.socket.write_all(data).unwrap();
    }

    /// The next message from the worker; `None` at the end.
    pub fn up(&mut self) -> Option<Up> {
        let mut prefix = [0; 4];
        if self.socket.read(&mut prefix[..1]).unwrap() == 0 {
            return None;
        }
        self.socket.read_exact(&mut prefix[1..]).unwrap();
        let mut bytes = vec![0; stream::length(prefix).unwrap()];
        self.socket.read_exact(&mut bytes).unwrap();
        Some(stream::decode(&bytes).unwrap())
    }

    /// The next `n` observations.
    pub fn seen(&mut self, n: usize) -> Vec<domain::Observation> {
        let mut seen = Vec::new();
        while seen.len() < n {
            match self.up().expect("the stream ended") {
                Up::Seen(o) => seen.push(o),
                other => panic!("{other:?}"),
            }
        }
        seen
    }
}

/// Capture time of the picture shown at a time: the tests' cameras started at second 1000.
pub fn capture(pts: i64) -> WallTime {
    WallTime::from_secs(1000).plus_micros(pts * 100 / 9)
}
