//! An outbox in memory, a receiver on a real socket, and a clock that is moved by hand.
#![allow(clippy::unwrap_used, dead_code, reason = "helpers of tests may fall like the tests; not every test needs all")]

pub(crate) mod phone;

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Response, Uri},
};
use domain::{Clock, Secret, SimClock, WallTime};
use matthon_alerts::{Channel, Outbox, OutboxError, Outcome, Parcel, Webhook, run};
use serde_json::Value;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

pub(crate) const NOON: WallTime = WallTime::from_secs(1_795_430_520);
pub(crate) const SECRET: &str = "một bí mật";
/// Nothing here takes this long; a test that waits longer has failed.
const DEADLINE: Duration = Duration::from_secs(30);

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) parcel: Parcel,
    pub(crate) channel: String,
    pub(crate) due: WallTime,
    pub(crate) settled: Option<Outcome>,
    pub(crate) trouble: String,
}

#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) rows: Mutex<Vec<Row>>,
    pub(crate) fails: Mutex<bool>,
    pub(crate) changed: watch::Sender<u64>,
}

impl Memory {
    pub(crate) fn put(&self, channel: &str, body: &str, now: WallTime) {
        let mut rows = self.rows.lock().unwrap();
        let id = rows.len() as i64 + 1;
        let parcel = Parcel {
            id,
            delivery: format!("00000000-0000-4000-8000-{id:012}"),
            event: "case.raised".to_owned(),
            happened: now,
            first_due: now,
            tries: 0,
            body: body.to_owned(),
        };
        rows.push(Row { parcel, channel: channel.to_owned(), due: now, settled: None, trouble: String::new() });
    }

    pub(crate) fn row(&self, id: usize) -> Row {
        self.rows.lock().unwrap()[id - 1].clone()
    }

    /// Waits until a row is as wanted.
    pub(crate) async fn until(&self, id: usize, wanted: impl Fn(&Row) -> bool) -> Row {
        let mut changed = self.changed.subscribe();
        let wait = async {
            while !wanted(&self.row(id)) {
                changed.changed().await.unwrap();
            }
        };
        assert!(timeout(DEADLINE, wait).await.is_ok(), "{:?}", self.row(id));
        self.row(id)
    }

    fn check(&self) -> Result<(), OutboxError> {
        if *self.fails.lock().unwrap() { Err(OutboxError("disk full".to_owned())) } else { Ok(()) }
    }
}

impl Outbox for Memory {
    fn take(&self, channel: &str, now: WallTime, limit: usize) -> Result<Vec<Parcel>, OutboxError> {
        self.check()?;
        let rows = self.rows.lock().unwrap();
        let due = rows.iter().filter(|r| r.channel == channel && r.settled.is_none() && r.due <= now);
        Ok(due.take(limit).map(|r| r.parcel.clone()).collect())
    }

    fn settle(&self, id: i64, outcome: &Outcome, _: WallTime) -> Result<(), OutboxError> {
        self.check()?;
        let mut rows = self.rows.lock().unwrap();
        let row = rows.iter_mut().find(|r| r.parcel.id == id).unwrap();
        row.parcel.tries += 1;
        match outcome {
            Outcome::Later { due, trouble } => (row.due, row.trouble) = (*due, trouble.clone()),
            settled => row.settled = Some(settled.clone()),
        }
        drop(rows);
        self.changed.send_modify(|n| *n += 1);
        Ok(())
    }

    fn next_due(&self, channel: &str) -> Result<Option<WallTime>, OutboxError> {
        self.check()?;
        let rows = self.rows.lock().unwrap();
        Ok(rows.iter().filter(|r| r.channel == channel && r.settled.is_none()).map(|r| r.due).min())
    }
}

/// The core that delivers, and everything it has.
pub(crate) struct Core {
    pub(crate) outbox: Arc<Memory>,
    pub(crate) clock: Arc<SimClock>,
    pub(crate) news: watch::Sender<i64>,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl Core {
    pub(crate) fn start(outbox: Arc<Memory>, clock: Arc<SimClock>, channels: Vec<Arc<dyn Channel>>) -> Self {
        let (news, seen) = watch::channel(0);
        let stop = CancellationToken::new();
        let shared: Arc<dyn Clock> = clock.clone();
        let running = tokio::spawn(run(outbox.clone(), channels, shared, seen, stop.clone()));
        Self { outbox, clock, news, stop, running }
    }

    pub(crate) fn with(channels: Vec<Arc<dyn Channel>>) -> Self {
        Self::start(Arc::default(), Arc::new(SimClock::at(NOON)), channels)
    }

    pub(crate) fn put(&self, channel: &str, body: &str) {
        self.outbox.put(channel, body, self.clock.wall());
        self.wake();
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.wake();
    }

    fn wake(&self) {
        self.news.send_modify(|n| *n += 1);
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        timeout(DEADLINE, self.running).await.unwrap().unwrap();
    }
}

/// What a receiver got.
pub(crate) struct Got {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
    pub(crate) json: Value,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap().to_str().unwrap()
    }
}

/// A receiver on a real socket.
pub(crate) struct Receiver {
    pub(crate) port: u16,
    got: mpsc::UnboundedReceiver<Got>,
}

impl Receiver {
    /// `answer` says what comes back for the nth request (from 0); `None`: never anything.
    pub(crate) async fn start(answer: impl Fn(usize) -> Option<Response<Body>> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, got) = mpsc::unbounded_channel();
        let answer = Arc::new((answer, Mutex::new(0)));
        let handler = move |uri: Uri, headers: HeaderMap, bytes: Bytes| async move {
            let json = serde_json::from_slice(&bytes).unwrap();
            tell.send(Got { path: uri.to_string(), headers, bytes, json }).unwrap();
            let n = {
                let mut n = answer.1.lock().unwrap();
                *n += 1;
                *n - 1
            };
            match (answer.0)(n) {
                Some(response) => response,
                None => std::future::pending().await,
            }
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(handler)).await });
        Self { port, got }
    }

    pub(crate) async fn next(&mut self) -> Got {
        timeout(DEADLINE, self.got.recv()).await.unwrap().unwrap()
    }

    pub(crate) fn is_quiet(&mut self) -> bool {
        self.got.try_recv().is_err()
    }

    pub(crate) fn hook(&self, name: &str) -> Arc<dyn Channel> {
        hook(name, &format!("http://127.0.0.1:{}/hook?key=geheim", self.port))
    }
}

pub(crate) fn hook(name: &str, url: &str) -> Arc<dyn Channel> {
    Arc::new(Webhook::new(name.to_owned(), url.parse().unwrap(), Secret::new(SECRET.to_owned())))
}

pub(crate) fn status(code: u16) -> Option<Response<Body>> {
    Some(Response::builder().status(code).body(Body::empty()).unwrap())
}
