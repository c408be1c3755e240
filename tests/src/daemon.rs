//! `matthon run` as a child process.

use crate::{program, until};
use std::{
    path::{Path, PathBuf},
    process::{ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};
use tokio::process::{Child, Command};

/// A running daemon.
pub struct Daemon {
    child: Child,
    /// Where it writes its log.
    pub log: PathBuf,
    base: String,
}

impl Daemon {
    /// Starts it and waits until `/healthz` answers at all.
    pub async fn start(config: &Path, port: u16) -> Self {
        Self::start_by(Command::new(program("matthon")), config, port).await
    }

    /// The same by a command to which `run --config F` is added: in another environment, or behind another program that
    /// becomes it.
    pub async fn start_by(mut command: Command, config: &Path, port: u16) -> Self {
        let log = config.with_extension("log");
        let file = std::fs::OpenOptions::new().append(true).create(true).open(&log).unwrap();
        let child = command
            .args(["run", "--config"])
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .kill_on_drop(true)
            .spawn()
            .expect("matthon starts");
        let mut daemon = Self { child, log, base: format!("http://127.0.0.1:{port}") };
        let url = format!("{}/healthz", daemon.base);
        // Where HTTPS is spoken the answer is where to go, which is an answer.
        let http = crate::http::blunt();
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if http.get(&url).send().await.is_ok() {
                return daemon;
            }
            if let Some(status) = daemon.child.try_wait().unwrap() {
                panic!("matthon ended with {status}:\n{}", daemon.log_text());
            }
            assert!(Instant::now() < deadline, "matthon does not serve:\n{}", daemon.log_text());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// `http://127.0.0.1:PORT`
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// All it has logged.
    #[must_use]
    pub fn log_text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// `kill -9`, as the kernel does when memory ends.
    pub async fn kill_9(mut self) {
        self.child.kill().await.unwrap();
    }

    /// SIGTERM; how it ended and how long it took.
    pub async fn terminate(mut self) -> (ExitStatus, Duration) {
        let begun = Instant::now();
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.pid()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = tokio::time::timeout(Duration::from_secs(15), self.child.wait()).await.expect("it ends after SIGTERM").unwrap();
        (status, begun.elapsed())
    }
}

/// Runs `matthon ARGS` to its end.
pub async fn matthon<S: AsRef<std::ffi::OsStr>>(args: &[S], stdin: &str) -> Output {
    use tokio::io::AsyncWriteExt;
    let mut child = Command::new(program("matthon"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    // A command that does not read its input closes it early; that is its right.
    let _ = pipe.write_all(stdin.as_bytes()).await;
    drop(pipe);
    tokio::time::timeout(Duration::from_secs(60), child.wait_with_output()).await.expect("the command ends").unwrap()
}

/// Waits until a path exists.
pub async fn until_exists(path: &Path) {
    until(&format!("{} exists", path.display()), Duration::from_secs(10), || async { path.exists().then_some(()) }).await;
}
