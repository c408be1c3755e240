//! One worker process, as the engine holds it: its sockets, its notes, its tasks.
//!
//! Belongs here: starting one, speaking to it, ending it. Does not belong here: what to say when (`engine`, `keeper`).

use super::{Config, VERSION, notes::HangWatch};
use crate::{
    keeper::{Role, Why, WorkerId},
    launcher::{Exit, Launcher, Process, Purpose},
    memory,
    protocol::{Counts, FromWorker, Start, ToWorker, control, notes},
};
use std::{
    collections::BTreeMap,
    fs::File,
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::Arc,
    time::Duration,
};
use tokio::{io::Interest, net::UnixStream, sync::mpsc};
use tokio_util::task::AbortOnDropHandle;

/// The system says how a killed process ended within moments; after this the core goes on without knowing.
const REAPED: Duration = Duration::from_secs(2);

/// What a worker's tasks tell the engine.
#[derive(Debug)]
pub(super) enum Report {
    /// It said something.
    Said { worker: WorkerId, message: FromWorker },
    /// Its control socket ended; with a reason when it said what cannot be read.
    Silent { worker: WorkerId, nonsense: Option<String> },
    /// It is gone.
    Exited { worker: WorkerId, exit: Exit },
    /// A stream is not fed any longer.
    Fed { worker: WorkerId, stream: u32, end: super::feed::FeedEnd },
}

/// A running worker.
#[derive(Debug)]
pub(super) struct Hand {
    pub(super) role: Role,
    pub(super) purpose: Purpose,
    pub(super) pid: u32,
    pub(super) notes: File,
    pub(super) watch: HangWatch,
    pub(super) counts: Counts,
    pub(super) ready: bool,
    /// Why it was ended, if it was by us.
    pub(super) killed: Option<Why>,
    pub(super) feeds: BTreeMap<u32, AbortOnDropHandle<()>>,
    /// A packet socket; the type is tokio's safe way to wait for any Unix socket, no byte goes through its stream side.
    control: Arc<UnixStream>,
    process: Option<Box<dyn Process>>,
    _listener: AbortOnDropHandle<()>,
}

impl Hand {
    /// Starts a worker and says the first words to it.
    pub(super) fn start(
        worker: WorkerId,
        role: Role,
        purpose: Purpose,
        config: &Config,
        launcher: &dyn Launcher,
        reports: mpsc::Sender<Report>,
    ) -> io::Result<Self> {
        let notes = memory::fixed("matthon-notes", notes::LEN)?;
        let model = config.model.as_ref().map(|m| m.descriptor()).transpose()?;
        let launched = launcher.launch(&purpose)?;
        rustix::io::ioctl_fionbio(&launched.control, true)?;
        let control = Arc::new(UnixStream::from_std(launched.control.into())?);
        let detectors = if role == Role::Main { config.detectors } else { 1 };
        let start = Start {
            version: VERSION.to_owned(),
            detectors: u32::try_from(detectors).unwrap_or(1),
            model: config.model.as_ref().map(|m| m.spec.clone()),
        };
        let descriptors: Vec<BorrowedFd<'_>> = std::iter::once(notes.as_fd()).chain(model.as_ref().map(AsFd::as_fd)).collect();
        control::send(&control, &ToWorker::Start(start), &descriptors)?;
        let listener = tokio::spawn(listen(worker, control.clone(), reports));
        Ok(Self {
            role,
            purpose,
            pid: launched.process.pid(),
            notes,
            watch: HangWatch::default(),
            counts: Counts::default(),
            ready: false,
            killed: None,
            feeds: BTreeMap::new(),
            control,
            process: Some(launched.process),
            _listener: AbortOnDropHandle::new(listener),
        })
    }

    /// Says something. Never waits.
    ///
    /// # Errors
    /// `WouldBlock` when it does not read; else it is gone or about to be.
    pub(super) fn say(&self, message: &ToWorker, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        control::send(self.control.as_ref(), message, descriptors)
    }

    /// Ends it, if it is not gone already; [`Report::Exited`] follows, once.
    pub(super) fn end(&mut self, worker: WorkerId, reports: mpsc::Sender<Report>) {
        let Some(mut process) = self.process.take() else { return };
        process.kill();
        tokio::spawn(async move {
            let reaping = tokio::task::spawn_blocking(move || process.wait());
            let exit = match tokio::time::timeout(REAPED, reaping).await {
                Ok(Ok(Ok(exit))) => exit,
                _ => Exit::Unknown,
            };
            // The engine may have stopped: then nobody needs to know.
            let _ = reports.send(Report::Exited { worker, exit }).await;
        });
    }
}

async fn listen(worker: WorkerId, control: Arc<UnixStream>, reports: mpsc::Sender<Report>) {
    loop {
        let report = match hear(&control).await {
            // Nothing a worker says comes with descriptors: those are closed here.
            Ok(Some((message, _))) => Report::Said { worker, message },
            Ok(None) => Report::Silent { worker, nonsense: None },
            Err(e) if e.kind() == io::ErrorKind::InvalidData => Report::Silent { worker, nonsense: Some(e.to_string()) },
            Err(_) => Report::Silent { worker, nonsense: None },
        };
        let last = matches!(report, Report::Silent { .. });
        if reports.send(report).await.is_err() || last {
            return;
        }
    }
}

async fn hear(control: &UnixStream) -> io::Result<Option<(FromWorker, Vec<OwnedFd>)>> {
    loop {
        control.readable().await?;
        match control.try_io(Interest::READABLE, || control::receive(control)) {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
            result => return result,
        }
    }
}
