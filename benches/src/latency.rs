//! Camera's send → bytes at a viewer: the farm stamps each frame with its time of sending; the stamp travels in the stream.

use crate::farm::{Farm, cameras};
use anyhow::{Result, ensure};
use futures::StreamExt;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tests::Village;
use tokio_tungstenite::tungstenite::Message;

const UUID: &[u8] = b"\xa7\xd1\xf0\xc3\x5b\x9e\x4e\x42\xb1\xc6\x6e\x76\x72\x2d\x6c\x61";

/// Unix nanoseconds of the stamp in a message, if it carries one.
pub(crate) fn stamp(bytes: &[u8]) -> Option<i64> {
    let at = bytes.windows(UUID.len()).position(|w| w == UUID)? + UUID.len();
    let hex = bytes.get(at..at + 18)?.strip_prefix(b"t=")?;
    i64::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()
}

/// Prints the quantiles in milliseconds.
pub(crate) async fn run(n: usize, seconds: u64) -> Result<()> {
    let dir = std::env::temp_dir().join(format!("matthon-bench-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let measured = measure(&dir, n, seconds).await;
    std::fs::remove_dir_all(&dir)?;
    let mut ms = measured?;
    ensure!(ms.len() > 50, "only {} frames arrived", ms.len());
    ms.sort_by(f64::total_cmp);
    let at = |q: f64| ms[((ms.len() as f64 * q) as usize).min(ms.len() - 1)];
    println!(
        "{n} cameras recording, {} frames: min {:.2} ms, p50 {:.2} ms, p95 {:.2} ms, p99 {:.2} ms, max {:.2} ms",
        ms.len(),
        ms[0],
        at(0.5),
        at(0.95),
        at(0.99),
        at(1.0)
    );
    Ok(())
}

async fn measure(dir: &std::path::Path, n: usize, seconds: u64) -> Result<Vec<f64>> {
    let farm = Farm::start(dir).await?;
    let village = Village::new(&cameras(&farm, n));
    let _daemon = village.start().await;
    let api = village.admin().await;
    for i in 0..n {
        api.until_link(&format!("c{i}"), "main", "ok", 60).await;
    }
    let mut socket = api.socket("cameras/c0/live?stream=main").await;
    let (begun, mut ms) = (Instant::now(), Vec::new());
    while let Some(message) = socket.next().await {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as i64;
        // The frames handed over at the join are old by design; 3 s leave them behind.
        if let Message::Binary(bytes) = message
            && begun.elapsed() > Duration::from_secs(3)
            && let Some(sent) = stamp(&bytes)
        {
            ms.push((now - sent) as f64 / 1e6);
        }
        if begun.elapsed() > Duration::from_secs(3 + seconds) {
            break;
        }
    }
    Ok(ms)
}
