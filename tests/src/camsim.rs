//! The simulated cameras as a child process; it ends with its standard input.

use crate::program;
use serde::Deserialize;
use serde_json::Value;
use std::{path::PathBuf, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

/// A running `camsim serve`.
pub struct Camsim {
    child: Child,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
    /// `rtsp://127.0.0.1:PORT`
    pub rtsp: String,
    /// What it said when it was ready: addresses, and what drawn streets will show.
    pub ready: Value,
    sent: PathBuf,
    _dir: tempfile::TempDir,
}

/// One access unit as `camsim --sent` wrote it down.
#[derive(Clone, Debug, Deserialize)]
pub struct Sent {
    /// Which camera.
    pub camera: String,
    /// `main` or `sub`.
    pub stream: String,
    /// Frame number.
    pub n: u64,
    /// Unix time of the send, in nanoseconds.
    pub t_ns: u64,
    /// Presentation time, 90 kHz.
    pub pts90k: i64,
    /// Whether decoding may start here.
    pub key: bool,
    /// SHA-256 of its NAL units as recorded.
    pub sha256: String,
}

impl Camsim {
    /// Starts with one `--camera` per spec, on a free port.
    pub async fn start(cameras: &[&str]) -> Self {
        Self::start_at(0, cameras).await
    }

    /// Starts with one `--camera` per spec, on this port.
    pub async fn start_at(port: u16, cameras: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let sent = dir.path().join("sent.jsonl");
        let mut command = Command::new(program("camsim"));
        command.args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--exit-on-eof", "--sent"]).arg(&sent);
        for camera in cameras {
            command.args(["--camera", camera]);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
        let mut child = command.spawn().expect("camsim starts");
        let stdin = child.stdin.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = tokio::time::timeout(Duration::from_secs(30), stdout.next_line()).await.expect("camsim is ready in 30 s");
        let ready: Value = serde_json::from_str(&line.unwrap().expect("camsim says it is ready")).unwrap();
        assert_eq!(ready["ready"], true, "{ready}");
        let rtsp = ready["rtsp"].as_str().unwrap().to_owned();
        Self { child, stdin, stdout, rtsp, ready, sent, _dir: dir }
    }

    /// The port cameras listen on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.rtsp.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// Throws a switch (`drop ID`, `freeze ID 5`, …) and waits for the answer.
    pub async fn say(&mut self, line: &str) {
        self.stdin.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        let answer = tokio::time::timeout(Duration::from_secs(10), self.stdout.next_line()).await.expect("camsim answers");
        let answer: Value = serde_json::from_str(&answer.unwrap().expect("camsim lives")).unwrap();
        assert_eq!(answer["ok"], true, "{line}: {answer}");
    }

    /// What one camera stream has sent so far, in order.
    #[must_use]
    pub fn sent(&self, camera: &str, stream: &str) -> Vec<Sent> {
        let text = std::fs::read_to_string(&self.sent).unwrap_or_default();
        // The last line may be half written.
        let all = text.lines().filter_map(|l| serde_json::from_str::<Sent>(l).ok());
        all.filter(|s| s.camera == camera && s.stream == stream).collect()
    }

    /// Ends it and waits.
    pub async fn stop(mut self) {
        drop(self.stdin);
        let ended = tokio::time::timeout(Duration::from_secs(10), self.child.wait()).await;
        assert!(ended.expect("camsim ends with its standard input").unwrap().success());
    }
}
