//! The log of what was sent: the ground truth that recordings are checked against.
//!
//! One JSON object a line for each access unit handed to the payloader of at least one session:
//!
//! | field | |
//! |---|---|
//! | `camera`, `stream` | id, `main` or `sub` |
//! | `n` | number of the access unit in its camera stream, from 0 since the server started; skipped numbers were never sent |
//! | `t_ns` | the stamp's time of sending, Unix ns |
//! | `pts90k` | presentation time in 90 kHz ticks since the server started, in decode order; RTP timestamps differ from it by one constant a session (±1 tick of rounding) |
//! | `key` | whether decoding may begin here (IDR, CRA, or H.264 recovery point) |
//! | `bytes`, `sha256` | length and SHA-256 (hex) of the access unit **in canonical form** |
//!
//! Canonical form: every NAL unit of the access unit in the order sent, each as a 4-byte big-endian length and its
//! bytes (with emulation prevention, without trailing zero bytes), leaving out access unit delimiters (H.264 type 9,
//! H.265 35) and parameter sets (H.264 7 and 8, H.265 32, 33 and 34). SEI messages are in it, the stamp included.
//! That is a sample of an MP4 track (4-byte lengths) once those NAL unit types are left out of it.
//!
//! Writing only; what goes in is decided in `camera`.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

use anyhow::{Context, Result};
use serde::Serialize;

/// One line of the log.
#[derive(Serialize)]
pub(crate) struct Sent<'a> {
    pub(crate) camera: &'a str,
    pub(crate) stream: &'a str,
    pub(crate) n: u32,
    pub(crate) t_ns: u64,
    pub(crate) pts90k: u64,
    pub(crate) key: bool,
    pub(crate) bytes: usize,
    pub(crate) sha256: String,
}

/// The open log. Each line is written at once, so that a reader beside us sees whole lines.
pub(crate) struct Truth {
    file: Mutex<File>,
}

impl Truth {
    /// Opens the log for appending.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .with_context(|| format!("--sent {}: cannot be written", path.display()))?;
        Ok(Self { file: Mutex::new(file) })
    }

    /// Appends one line. A full disk must not stop the cameras: it is said on stderr.
    pub(crate) fn write(&self, sent: &Sent<'_>) {
        let mut line = match serde_json::to_vec(sent) {
            Ok(line) => line,
            Err(error) => return eprintln!("camsim: sent log: {error}"),
        };
        line.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Err(error) = file.write_all(&line) {
            eprintln!("camsim: sent log: {error}");
        }
    }
}
