//! Many viewers of a few cameras that are all recorded: what they cost the server, what they and the recording lose.
//!
//! The client shares the machine, so it is lean: one thread, one buffer for all sockets, of each message the head and no more.

use crate::{
    farm::{Farm, cameras},
    latency::stamp,
    meter::{Usage, usage},
};
use anyhow::{Context, Result, bail, ensure};
use std::{
    cell::RefCell,
    rc::Rc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tests::{Village, api::Api};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::LocalSet,
};

const WARM_UP: Duration = Duration::from_secs(5);
/// So much of a message is looked at: its boxes' heads, and the stamp in front of its picture.
const LOOK: usize = 512;
/// Read at once, of whichever socket has something.
const CHUNK: usize = 256 << 10;

/// What all viewers saw.
#[derive(Default)]
struct Seen {
    fragments: u64,
    /// Numbers of fragments that one of them jumped over.
    lost: u64,
    /// Groups of pictures that the server said it left out.
    skipped: u64,
    bytes: u64,
    ms: Vec<f64>,
    /// What it saw so far is joining; not counted.
    measuring: bool,
}

impl Seen {
    /// Counts what one viewer read, whose fragment before was number `last`; how many pings were among it.
    fn take(&mut self, heads: &mut Heads, last: &mut Option<u32>, bytes: &[u8]) -> u32 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as i64;
        let mut pings = 0;
        self.bytes += bytes.len() as u64;
        heads.feed(bytes, |opcode, front| match opcode {
            1 if front.starts_with(b"{\"type\":\"skipped\"") => self.skipped += 1,
            2 if front.get(4..8) == Some(b"moof") && front.get(12..16) == Some(b"mfhd") && front.len() >= 24 => {
                let number = front[20..24].iter().fold(0, |n, b| n << 8 | u32::from(*b));
                let jump = last.replace(number).map_or(0, |last| number.wrapping_sub(last).wrapping_sub(1));
                if self.measuring {
                    self.fragments += 1;
                    self.lost += u64::from(jump);
                    self.ms.extend(stamp(front).map(|sent| (now - sent) as f64 / 1e6));
                }
            }
            9 => pings += 1,
            _ => {}
        });
        pings
    }
}

/// Takes a server's messages apart (RFC 6455), of any pieces of the stream.
#[derive(Default)]
struct Heads {
    head: Vec<u8>,
    skip: usize,
}

impl Heads {
    /// Calls `message` with opcode and front of each.
    fn feed(&mut self, mut bytes: &[u8], mut message: impl FnMut(u8, &[u8])) {
        loop {
            let skipped;
            (skipped, bytes) = bytes.split_at(self.skip.min(bytes.len()));
            self.skip -= skipped.len();
            let Some(missing) = self.missing() else {
                let (front, length, look) = self.known();
                message(self.head[0] & 15, &self.head[front..front + look]);
                self.skip = length - look;
                self.head.clear();
                continue;
            };
            if bytes.is_empty() {
                return;
            }
            let (taken, rest) = bytes.split_at(missing.min(bytes.len()));
            self.head.extend_from_slice(taken);
            bytes = rest;
        }
    }

    /// Bytes until the front is whole; `None`: it is.
    fn missing(&self) -> Option<usize> {
        let Some(second) = self.head.get(1) else { return Some(2 - self.head.len()) };
        let front = match second & 127 {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        let whole = if self.head.len() < front { front } else { front + self.known().2 };
        (self.head.len() < whole).then(|| whole - self.head.len())
    }

    /// Of a head that is there: where the payload begins, how long it is, how much of it is looked at.
    fn known(&self) -> (usize, usize, usize) {
        let (front, length) = match self.head[1] & 127 {
            126 => (4, usize::from(u16::from_be_bytes([self.head[2], self.head[3]]))),
            127 => (10, self.head[2..10].iter().fold(0, |n, b| n << 8 | usize::from(*b))),
            short => (2, usize::from(short)),
        };
        (front, length, length.min(LOOK))
    }
}

/// Opens one viewer.
async fn open(port: u16, token: &str, camera: &str) -> Result<TcpStream> {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await?;
    let request = format!(
        "GET /api/v1/cameras/{camera}/live?stream=main HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n\
         Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bWF0dGhvbi1iZW5jaC1rZXk=\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(socket.read_u8().await?);
        ensure!(answer.len() < 4096, "an endless answer");
    }
    ensure!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
    Ok(socket)
}

/// Counts what it is sent, until the end.
async fn watch(mut socket: TcpStream, seen: Rc<RefCell<Seen>>, buffer: Rc<RefCell<Vec<u8>>>) -> Result<()> {
    let (mut heads, mut last) = (Heads::default(), None);
    loop {
        socket.readable().await?;
        let pings = {
            let mut buffer = buffer.borrow_mut();
            match socket.try_read(&mut buffer) {
                Ok(0) => bail!("the server ended a viewer"),
                Ok(read) => seen.borrow_mut().take(&mut heads, &mut last, &buffer[..read]),
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => 0,
                Err(e) => return Err(e.into()),
            }
        };
        for _ in 0..pings {
            // A pong of nothing, masked by nothing.
            socket.write_all(&[0x8a, 0x80, 0, 0, 0, 0]).await?;
        }
    }
}

/// A counter of `/metrics`, all its rows that have `label` together.
fn counter(metrics: &str, name: &str, label: &str) -> f64 {
    let rows = metrics.lines().filter(|line| line.starts_with(name) && line.contains(label));
    rows.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
}

/// What was received and what the ring lost, so far.
async fn recorded(api: &Api) -> (f64, f64) {
    let metrics = api.metrics().await;
    let lost = counter(&metrics, "matthon_ring_samples_dropped_total", "") + counter(&metrics, "matthon_gop_dropped_total", "\"ring\"");
    (counter(&metrics, "matthon_samples_received_total", ""), lost + counter(&metrics, "matthon_packets_lost_total", ""))
}

async fn measure(pids: &[u32], seconds: u64) -> Result<Vec<Usage>> {
    let each = || pids.iter().map(|pid| usage(&[*pid])).collect::<Result<Vec<_>>>();
    let (before, begun) = (each()?, Instant::now());
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let (after, span) = (each()?, begun.elapsed().as_secs_f64());
    Ok(before.iter().zip(after).map(|(before, after)| Usage { cpu: (after.cpu - before.cpu) / span, ..after }).collect())
}

/// Prints one row without viewers and one with them.
pub(crate) async fn run(viewers: usize, n: usize, seconds: u64) -> Result<()> {
    let dir = std::env::temp_dir().join(format!("matthon-bench-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let done = LocalSet::new().run_until(table(&dir, viewers, n, seconds)).await;
    std::fs::remove_dir_all(&dir)?;
    done
}

async fn table(dir: &std::path::Path, viewers: usize, n: usize, seconds: u64) -> Result<()> {
    let farm = Farm::start(dir).await?;
    let village = Village::new(&cameras(&farm, n));
    let daemon = village.start().await;
    let api = village.admin().await;
    for i in 0..n {
        api.until_link(&format!("c{i}"), "main", "ok", 60).await;
    }
    let (me, server, farm_pid) = (std::process::id(), daemon.pid(), farm.pid().context("the farm runs")?);
    tokio::time::sleep(WARM_UP).await;
    let alone = measure(&[server], seconds).await?;
    let (seen, buffer) = (Rc::new(RefCell::new(Seen::default())), Rc::new(RefCell::new(vec![0; CHUNK])));
    let mut tasks = tokio::task::JoinSet::new();
    for v in 0..viewers {
        // One after the other: of connections that are not live yet an address has few.
        let socket = open(village.port, api.token(), &format!("c{}", v % n)).await?;
        tasks.spawn_local(watch(socket, seen.clone(), buffer.clone()));
    }
    tokio::time::sleep(WARM_UP).await;
    let before = recorded(&api).await;
    seen.borrow_mut().measuring = true;
    let begun = Instant::now();
    let bytes = seen.borrow().bytes;
    let used = measure(&[server, me, farm_pid], seconds).await?;
    let span = begun.elapsed().as_secs_f64();
    seen.borrow_mut().measuring = false;
    let after = recorded(&api).await;
    if let Some(ended) = tasks.try_join_next() {
        ended??;
    }
    let mut seen = seen.borrow_mut();
    ensure!(!seen.ms.is_empty(), "no stamped frame arrived");
    seen.ms.sort_by(f64::total_cmp);
    let at = |q: f64| seen.ms[((seen.ms.len() as f64 * q) as usize).min(seen.ms.len() - 1)];
    let due = (after.0 - before.0) / n as f64 * viewers as f64;
    println!("{n} cameras recorded, {viewers} viewers, {seconds} s; load {}", std::fs::read_to_string("/proc/loadavg")?.trim());
    println!("| | CPU | PSS |\n|---|---|---|");
    for (name, used) in [("server, nobody watching", &alone[0]), ("server", &used[0]), ("viewers", &used[1]), ("cameras", &used[2])] {
        println!("| {name} | {:.3} core | {:.0} MiB |", used.cpu, used.pss);
    }
    println!(
        "sent {:.0} Mbit/s; fragments {} of about {due:.0}, lost {}, skips told {}; ms p50 {:.2}, p95 {:.2}, p99 {:.2}, most {:.2}",
        (seen.bytes - bytes) as f64 * 8.0 / 1e6 / span,
        seen.fragments,
        seen.lost,
        seen.skipped,
        at(0.5),
        at(0.95),
        at(0.99),
        at(1.0)
    );
    println!("recorder: {:.0} samples received, {:.0} lost", after.0 - before.0, after.1 - before.1);
    drop(daemon);
    Ok(())
}
