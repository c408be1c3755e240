//! Recording N cameras: the product, ffmpeg writing segments, and bare sessions that keep nothing.

use crate::{
    farm::{Farm, cameras},
    meter::{Usage, usage},
};
use anyhow::{Context, Result};
use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};
use tests::Village;
use tokio::process::{Child, Command};

const WARM_UP: Duration = Duration::from_secs(6);

/// CPU as a share of one core, memory at the end, bytes written a second.
async fn measure(pids: &[u32], seconds: u64) -> Result<Usage> {
    tokio::time::sleep(WARM_UP).await;
    let (before, begun) = (usage(pids)?, Instant::now());
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let after = usage(pids)?;
    let span = begun.elapsed().as_secs_f64();
    Ok(Usage { cpu: (after.cpu - before.cpu) / span, pss: after.pss, written: (after.written - before.written) / span })
}

async fn product(dir: &Path, n: usize, seconds: u64) -> Result<Usage> {
    let farm = Farm::start(dir).await?;
    let village = Village::new(&cameras(&farm, n));
    let daemon = village.start().await;
    let mut used = measure(&[daemon.pid()], seconds).await?;
    // As a multiple of the pictures' own bytes.
    used.written /= farm.rate * n as f64;
    Ok(used)
}

async fn ffmpeg(dir: &Path, n: usize, seconds: u64) -> Result<Usage> {
    let farm = Farm::start(dir).await?;
    let out = dir.join("ffmpeg");
    std::fs::create_dir_all(&out)?;
    let spawn = |i: usize| {
        Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin", "-rtsp_transport", "tcp", "-i", &farm.url(i), "-c", "copy", "-f", "segment"])
            .args(["-segment_time", "10", "-segment_format", "mp4", "-reset_timestamps", "1"])
            .arg(out.join(format!("c{i}-%05d.mp4")))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
    };
    let children = (0..n).map(spawn).collect::<Result<Vec<Child>, _>>()?;
    let pids: Vec<u32> = children.iter().filter_map(Child::id).collect();
    let measured = measure(&pids, seconds).await;
    drop(children);
    std::fs::remove_dir_all(&out)?;
    measured
}

async fn bare(dir: &Path, n: usize, seconds: u64) -> Result<Usage> {
    let farm = Farm::start(dir).await?;
    let child = Command::new(std::env::current_exe()?).arg("bare").args((0..n).map(|i| farm.url(i))).kill_on_drop(true).spawn()?;
    measure(&[child.id().context("it runs")?], seconds).await
}

/// Prints one table row for each number of cameras.
pub(crate) async fn run(counts: &[usize], seconds: u64) -> Result<()> {
    let dir = std::env::temp_dir().join(format!("matthon-bench-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    println!("| cameras | matthon CPU | PSS | ffmpeg CPU | PSS | bare sessions CPU | PSS | matthon / ffmpeg | written / sent |");
    println!("|---|---|---|---|---|---|---|---|---|");
    let table = async {
        for &n in counts {
            let (ours, theirs, floor) = (product(&dir, n, seconds).await?, ffmpeg(&dir, n, seconds).await?, bare(&dir, n, seconds).await?);
            let cell = |u: Usage| format!("{:.3} core | {:.0} MiB", u.cpu, u.pss);
            println!("| {n} | {} | {} | {} | {:.2} | {:.3} |", cell(ours), cell(theirs), cell(floor), ours.cpu / theirs.cpu, ours.written);
        }
        Ok(())
    };
    let done = table.await;
    std::fs::remove_dir_all(&dir)?;
    done
}
