//! One stream's life: ask for a turn, connect, read, fail, wait, and again. `reconnect` decides, this obeys.

use crate::{
    Failure, Ingest, Reason, Session, StreamTarget,
    assemble::Assembler,
    audio::AudioAssembler,
    gate::Pass,
    reconnect::{Event, Step},
    report::Reporter,
    run::Kept,
    session::Reading,
};
use domain::{Link, MonoTime, StreamId, StreamKind};
use std::{sync::Arc, time::Duration};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Longest a network may take to open a session; networks have tighter deadlines of their own.
const OPEN: Duration = Duration::from_secs(30);
/// Longest a farewell may take.
const CLOSE: Duration = Duration::from_secs(2);

pub(crate) struct Stream {
    ingest: Ingest,
    target: StreamTarget,
    kept: Arc<Kept>,
    stop: CancellationToken,
    reporter: Reporter,
    pass: Option<Pass>,
    session: Option<Box<dyn Session>>,
}

impl Stream {
    pub(crate) fn new(ingest: Ingest, target: StreamTarget, kept: Arc<Kept>, stop: CancellationToken) -> Self {
        let reporter = Reporter::new(&target, ingest.board.clone(), ingest.clock.clone());
        Self { ingest, target, kept, stop, reporter, pass: None, session: None }
    }

    /// Runs until told to stop. `crash`: why the previous task of this stream died, if it did.
    pub(crate) async fn keep(mut self, crash: Option<Failure>) {
        let stop = self.stop.clone();
        let mut event = match crash {
            Some(failure) => self.fail(&failure),
            None => Event::Due,
        };
        loop {
            let step = self.kept.machine().handle(self.ingest.clock.mono(), event);
            event = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                event = self.obey(step) => event,
            };
        }
        self.close().await;
    }

    async fn obey(&mut self, step: Step) -> Event {
        match step {
            Step::Wait { until } => {
                self.close().await;
                self.wait(until).await;
                Event::Due
            }
            Step::Queue => {
                self.queue().await;
                Event::Admitted
            }
            Step::Open => self.open().await,
            Step::Read => self.read().await,
        }
    }

    async fn wait(&mut self, until: MonoTime) {
        sleep(until.since(self.ingest.clock.mono())).await;
    }

    /// Waits for a turn. A named failure stays on the board meanwhile, until the stream is back or fails otherwise.
    async fn queue(&mut self) {
        let host = self.target.url.host_str().unwrap_or_default();
        let turn = self.ingest.gate.enter(host);
        tokio::pin!(turn);
        let pass = match futures::poll!(turn.as_mut()) {
            std::task::Poll::Ready(pass) => pass,
            std::task::Poll::Pending => {
                if is_fresh(self.reporter.link()) {
                    self.reporter.link_is(Link::Queued, "");
                }
                turn.await
            }
        };
        self.pass = Some(pass);
    }

    async fn open(&mut self) -> Event {
        if is_fresh(self.reporter.link()) {
            self.reporter.link_is(Link::Connecting, "");
        }
        let opened = timeout(OPEN, self.ingest.network.open(&self.target)).await;
        self.pass = None;
        match opened {
            Ok(Ok(session)) => {
                self.session = Some(session);
                self.reporter.session_begins();
                Event::Opened
            }
            Ok(Err(failure)) => self.fail(&failure),
            Err(_) => self.fail(&Failure::new(Reason::Silent, format!("no session after {} s", OPEN.as_secs()))),
        }
    }

    async fn read(&mut self) -> Event {
        let Some(session) = self.session.as_mut() else {
            return self.fail(&Failure::new(Reason::Ended, "there is no session to read"));
        };
        let id = |kind| Arc::new(StreamId::new(self.target.camera.clone(), self.target.channel, kind));
        let mut reading = Reading {
            video: Assembler::new(id(StreamKind::Video), self.kept.video.clone(), self.ingest.limits.max_access_unit),
            audio: AudioAssembler::new(id(StreamKind::Audio), self.kept.audio.clone()),
            reporter: &mut self.reporter,
            kept: &self.kept,
            clock: self.ingest.clock.as_ref(),
            sink: self.ingest.sink.as_ref(),
        };
        let failure = reading.run(session.as_mut()).await;
        self.fail(&failure)
    }

    fn fail(&mut self, failure: &Failure) -> Event {
        self.reporter.failed(failure);
        Event::Failed(failure.reason)
    }

    async fn close(&mut self) {
        if let Some(session) = self.session.take() {
            let _too_slow = timeout(CLOSE, session.close()).await;
        }
    }
}

/// Whether nothing is known to be wrong, so that the way to the camera may be shown.
fn is_fresh(link: Link) -> bool {
    matches!(link, Link::Starting | Link::Queued | Link::Connecting | Link::Ok)
}
