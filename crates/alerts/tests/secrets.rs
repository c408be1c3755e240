//! What must not be told is told nowhere. A program of its own: a log is caught for the whole process.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fall like the tests")]

mod support;

use domain::SimClock;
use matthon_alerts::{follow, push::Vapid};
use std::{
    io,
    sync::{Arc, Mutex},
};
use support::{
    Core, NOON, Receiver, SECRET, hook,
    phone::{Browser, List, phonebook, raised},
    status,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Refused, not TLS, not a name, an answer of 500: each is logged, none with what must not be told.
#[tokio::test]
async fn no_secret_reaches_log_nor_outbox() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let receiver = Receiver::start(|_| status(500)).await;
    let port = receiver.port;
    let urls = [
        format!("http://127.0.0.1:{port}/token-geheim?key=geheim"),
        format!("https://127.0.0.1:{port}/token-geheim?key=geheim"),
        "http://127.0.0.1:1/token-geheim?key=geheim".to_owned(),
        "http://no.such.host.invalid/token-geheim?key=geheim".to_owned(),
    ];
    let hooks: Vec<_> = urls.iter().enumerate().map(|(i, url)| hook(&format!("hook-{i}"), url)).collect();
    let core = Core::start(Arc::default(), Arc::new(SimClock::at(NOON)), hooks);
    for i in 0..urls.len() {
        core.put(&format!("hook-{i}"), "{}");
        let row = core.outbox.until(i + 1, |r| r.parcel.tries > 0).await;
        assert!(!row.trouble.is_empty() && !row.trouble.contains("geheim"), "{}", row.trouble);
    }
    core.stop().await;
    // Phones: refused, gone, nobody there.
    let (outbox, list, vapid) = (Arc::<support::Memory>::default(), Arc::<List>::default(), Vapid::generate());
    let (key, pem) = (vapid.public_key().to_owned(), vapid.to_pem().unwrap());
    let browsers = [Browser::start(&key, |_| status(403)).await, Browser::start(&key, |_| status(410)).await];
    for (i, browser) in browsers.iter().enumerate() {
        list.sign_up(&format!("push:{i}"), browser);
    }
    list.sign_up_at("push:2", &browsers[0], "http://127.0.0.1:1/geheim");
    let (news, seen) = watch::channel(0);
    let stop = CancellationToken::new();
    let clock = Arc::new(SimClock::at(NOON));
    let running = tokio::spawn(follow(outbox.clone(), phonebook(&list, vapid), clock, seen, stop.clone()));
    for i in 0..3 {
        outbox.put(&format!("push:{i}"), &raised(1, "cho", "raised"), NOON);
    }
    news.send_modify(|n| *n += 1);
    for i in 1..=3 {
        let row = outbox.until(i, |r| r.parcel.tries > 0 || r.settled.is_some()).await;
        assert!(!row.trouble.contains("geheim"), "{}", row.trouble);
    }
    stop.cancel();
    running.await.unwrap();
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for i in 0..3 {
        assert!(text.contains(&format!("push:{i}")), "{text}");
    }
    let recipient = browsers[0].recipient();
    let pem = pem.expose().lines().nth(1).unwrap();
    for secret in [recipient.p256dh.expose(), recipient.auth.expose(), &pem[..20], "vapid t="] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    for i in 0..urls.len() {
        assert!(text.contains(&format!("hook-{i}")), "{text}");
    }
    assert!(!text.contains("geheim") && !text.contains(SECRET), "{text}");
    let shown = format!("{:?}", matthon_alerts::Webhook::new("a".into(), urls[0].parse().unwrap(), domain::Secret::new(SECRET.into())));
    assert!(!shown.contains("geheim") && !shown.contains(SECRET), "{shown}");
}
