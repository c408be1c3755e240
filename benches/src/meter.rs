//! CPU, memory and writing of processes, as the kernel counts them.

use anyhow::{Context, Result};
use std::fs;

/// What some processes used.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// User and system time, in seconds.
    pub(crate) cpu: f64,
    /// Proportional set size, in MiB.
    pub(crate) pss: f64,
    /// Bytes it has caused to be written to disks.
    pub(crate) written: f64,
}

/// Adds up the given processes.
pub(crate) fn usage(pids: &[u32]) -> Result<Usage> {
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    let mut total = Usage::default();
    for pid in pids {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).with_context(|| format!("process {pid} is gone"))?;
        let after_name = stat.rsplit_once(')').context("a strange /proc stat")?.1;
        let fields: Vec<f64> = after_name.split_whitespace().skip(11).take(2).filter_map(|f| f.parse().ok()).collect();
        total.cpu += fields.iter().sum::<f64>() / ticks;
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
        let pss = rollup.lines().find_map(|l| l.strip_prefix("Pss:")).context("no Pss in smaps_rollup")?;
        total.pss += pss.trim().trim_end_matches(" kB").trim().parse::<f64>()? / 1024.0;
        let io = fs::read_to_string(format!("/proc/{pid}/io"))?;
        let written = io.lines().find_map(|l| l.strip_prefix("write_bytes:")).context("no write_bytes in io")?;
        total.written += written.trim().parse::<f64>()?;
    }
    Ok(total)
}
