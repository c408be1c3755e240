//! Many viewers of some cameras while all record: what the core uses for them, and that the recorder loses nothing by them.

use crate::{
    farm::{Farm, cameras},
    meter::usage,
};
use anyhow::{Context, Result, ensure};
use futures::StreamExt;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tests::Village;
use tokio_tungstenite::tungstenite::Message;

/// Prints the two rows: without viewers, and with them.
pub(crate) async fn run(recording: usize, watched: usize, viewers: usize, seconds: u64) -> Result<()> {
    ensure!(watched <= recording, "only what records can be watched here");
    let dir = std::env::temp_dir().join(format!("matthon-bench-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let measured = measure(&dir, recording, watched, viewers, seconds).await;
    std::fs::remove_dir_all(&dir)?;
    measured
}

async fn measure(dir: &std::path::Path, recording: usize, watched: usize, viewers: usize, seconds: u64) -> Result<()> {
    let farm = Farm::start(dir).await?;
    let village = Village::new(&cameras(&farm, recording));
    let daemon = village.start().await;
    let api = village.admin().await;
    for i in 0..recording {
        api.until_link(&format!("c{i}"), "main", "ok", 60).await;
    }
    let pid = [daemon.pid()];
    let quiet = over(&pid, seconds).await?;
    println!("{recording} recording, nobody watches: {:.3} core, {:.0} MiB", quiet.0, quiet.1);
    let mut tasks = tokio::task::JoinSet::new();
    let mut counts = Vec::new();
    let first = Instant::now();
    for n in 0..viewers {
        let mut socket = api.socket(&format!("cameras/c{}/live?stream=main", n % watched)).await;
        let pictures = Arc::new(AtomicU64::new(0));
        counts.push(Arc::clone(&pictures));
        tasks.spawn(async move {
            while let Some(message) = socket.next().await {
                if matches!(&message, Message::Binary(bytes) if bytes.get(4..8) == Some(b"moof")) {
                    pictures.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    println!("{viewers} sockets opened in {:.2} s", first.elapsed().as_secs_f64());
    // The group at joining is behind everybody.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let busy = over(&pid, seconds).await?;
    println!("{viewers} viewers of {watched}: {:.3} core, {:.0} MiB", busy.0, busy.1);
    let status = api.json("status").await;
    let dropped: u64 = status["rings"].as_array().context("no rings")?.iter().filter_map(|ring| ring["dropped_gops"].as_u64()).sum();
    println!("groups of pictures the recorder lost: {dropped}");
    tasks.shutdown().await;
    drop(daemon);
    let mut counts: Vec<_> = counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
    counts.sort_unstable();
    println!("pictures a viewer got: {} to {}", counts.first().context("no viewer")?, counts.last().context("no viewer")?);
    Ok(())
}

/// CPU as a share of one core over some seconds, and the memory at their end.
async fn over(pids: &[u32], seconds: u64) -> Result<(f64, f64)> {
    let (before, begun) = (usage(pids)?, Instant::now());
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let after = usage(pids)?;
    Ok(((after.cpu - before.cpu) / begun.elapsed().as_secs_f64(), after.pss))
}
