//! A running `camsim`, and ffmpeg and ffprobe as its clients. Every wait has an end.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};

const PATIENCE: Duration = Duration::from_secs(20);

/// `camsim serve` on a free port; ends with its standard input, so that a dying test leaves nothing behind.
pub struct Camsim {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    pub rtsp: String,
    pub cameras: Value,
    sent: PathBuf,
    _folder: tempfile::TempDir,
}

impl Camsim {
    pub fn start(cameras: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sent = folder.path().join("sent.jsonl");
        let mut command = Command::new(env!("CARGO_BIN_EXE_camsim"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--exit-on-eof", "--sent"]).arg(&sent);
        for camera in cameras {
            command.args(["--camera", camera]);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (tell, lines) = channel();
        std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        let ready: Value = serde_json::from_str(&lines.recv_timeout(PATIENCE).expect("camsim never got ready")).unwrap();
        assert_eq!(ready["ready"], true);
        Self {
            stdin: child.stdin.take(),
            child,
            lines,
            rtsp: ready["rtsp"].as_str().unwrap().into(),
            cameras: ready["cameras"].clone(),
            sent,
            _folder: folder,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.rtsp)
    }

    pub fn address(&self) -> &str {
        self.rtsp.strip_prefix("rtsp://").unwrap()
    }

    /// Throws a switch and returns the answer.
    pub fn tell(&mut self, line: &str) -> Value {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
        serde_json::from_str(&self.lines.recv_timeout(PATIENCE).expect("no answer")).unwrap()
    }

    /// Throws a switch that must work.
    pub fn switch(&mut self, line: &str) {
        let answer = self.tell(line);
        assert_eq!(answer["ok"], true, "{line}: {answer}");
    }

    /// The log of what was sent of one camera stream.
    pub fn sent(&self, name: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.sent).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|v| format!("{}/{}", v["camera"].as_str().unwrap(), v["stream"].as_str().unwrap()) == name).collect()
    }

    /// Ends standard input and waits for a clean end.
    pub fn end(mut self) {
        drop(self.stdin.take());
        let (tell, ended) = channel();
        let mut child = std::mem::replace(&mut self.child, Command::new("true").spawn().unwrap());
        let id = child.id();
        std::thread::spawn(move || tell.send(child.wait()));
        let status = ended.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("camsim ({id}) does not end")).unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Camsim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program(name: &str) -> Command {
    let mut command = Command::new("timeout");
    command.args(["30", name, "-v", "error", "-rtsp_transport", "tcp"]).stdin(Stdio::null());
    command
}

/// What ffprobe says of a stream: one `codec,width,height` or `codec` a line.
pub fn probe(url: &str) -> Result<Vec<String>, String> {
    let entries = ["-show_entries", "stream=codec_name,width,height", "-of", "csv=p=0", url];
    let Output { status, stdout, stderr } = program("ffprobe").args(entries).output().unwrap();
    if !status.success() {
        return Err(String::from_utf8_lossy(&stderr).into_owned());
    }
    Ok(String::from_utf8(stdout).unwrap().lines().map(str::to_owned).collect())
}

/// `frames` video access units of a URL as a byte stream, copied by ffmpeg.
pub fn copy(url: &str, format: &str, frames: u32) -> Vec<u8> {
    let mut reader = Reader::open(url, format, Some(frames));
    let mut data = Vec::new();
    reader.out.read_to_end(&mut data).unwrap();
    data
}

/// An ffmpeg that copies a video stream to us as it comes.
pub struct Reader {
    child: Child,
    pub out: std::process::ChildStdout,
    data: Vec<u8>,
}

impl Reader {
    pub fn open(url: &str, format: &str, frames: Option<u32>) -> Self {
        let mut command = program("ffmpeg");
        command.args(["-i", url, "-map", "0:v", "-c", "copy", "-flush_packets", "1"]);
        if let Some(frames) = frames {
            command.args(["-frames:v", &frames.to_string()]);
        }
        let mut child = command.args(["-f", format, "pipe:1"]).stdout(Stdio::piped()).spawn().unwrap();
        let out = child.stdout.take().unwrap();
        Self { child, out, data: Vec::new() }
    }

    /// Reads until `done` likes the numbers of the stamps seen so far; false when the stream ended first.
    pub fn until(&mut self, done: impl Fn(&[u32]) -> bool) -> bool {
        let mut piece = vec![0; 1 << 16];
        loop {
            if done(&numbers(&self.data)) {
                return true;
            }
            match self.out.read(&mut piece).unwrap() {
                0 => return false,
                n => self.data.extend_from_slice(&piece[..n]),
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const UUID: [u8; 16] = [0xa7, 0xd1, 0xf0, 0xc3, 0x5b, 0x9e, 0x4e, 0x42, 0xb1, 0xc6, 0x6e, 0x76, 0x72, 0x2d, 0x6c, 0x61];

/// The numbers of all stamps in some bytes.
pub fn numbers(data: &[u8]) -> Vec<u32> {
    let hits = data.windows(16).enumerate().filter(|(_, w)| *w == UUID).map(|(at, _)| at + 16);
    hits.filter_map(|at| u32::from_str_radix(std::str::from_utf8(data.get(at + 21..at + 29)?).ok()?, 16).ok()).collect()
}

/// Number, length and SHA-256 of every access unit of a byte stream, in the canonical form of the sent log.
pub fn canonical(data: &[u8], h265: bool) -> Vec<(u32, usize, String)> {
    let mut units: Vec<Vec<u8>> = Vec::new();
    let mut after_slice = true;
    for nal in nals(data) {
        let kind = if h265 { (nal[0] >> 1) & 63 } else { nal[0] & 31 };
        let (slice, skipped) =
            if h265 { (kind < 32, (32..=35).contains(&kind)) } else { ((1..=5).contains(&kind), (7..=9).contains(&kind)) };
        if after_slice && !slice {
            units.push(Vec::new());
        }
        after_slice = slice;
        if let (false, Some(unit)) = (skipped, units.last_mut()) {
            unit.extend_from_slice(&(nal.len() as u32).to_be_bytes());
            unit.extend_from_slice(nal);
        }
    }
    let hash = |unit: &[u8]| Sha256::digest(unit).iter().map(|b| format!("{b:02x}")).collect();
    units.iter().map(|unit| (numbers(unit)[0], unit.len(), hash(unit))).collect()
}

fn nals(data: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> = data.windows(3).enumerate().filter(|(_, w)| *w == [0, 0, 1]).map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([data.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(start, end)| {
            let nal = &data[start + 3..end];
            &nal[..nal.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1)]
        })
        .filter(|nal| !nal.is_empty())
        .collect()
}

/// Runs `camsim` with arguments that it must refuse; exit status and what it said.
pub fn refused(arguments: &[&str]) -> (Option<i32>, String) {
    let output =
        Command::new("timeout").arg("20").arg(Path::new(env!("CARGO_BIN_EXE_camsim"))).args(arguments).stdin(Stdio::null()).output();
    let output = output.unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}
