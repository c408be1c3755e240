//! The farm of stamped cameras (`shared/tools`), on clips made by ffmpeg.

use anyhow::{Context, Result, ensure};
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tests::village::free_port;
use tokio::process::{Child, Command};

/// A running farm; ends when dropped.
pub(crate) struct Farm {
    child: Child,
    port: u16,
    /// Bytes a second of one camera's pictures: its clip lasts a minute.
    pub(crate) rate: f64,
}

fn tools() -> Result<PathBuf> {
    let root = std::env::var_os("MATTHON_SHARED").map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    let tools = root.join("tools");
    ensure!(tools.join("rtspfarm.py").exists(), "{} has no rtspfarm.py: set MATTHON_SHARED", tools.display());
    Ok(tools)
}

impl Farm {
    /// Makes the clips once in `dir` and plays them.
    pub(crate) async fn start(dir: &Path) -> Result<Self> {
        let tools = tools()?;
        let media = dir.join("media");
        if !media.join("main.h264").exists() {
            let made = Command::new(tools.join("mkmedia.sh")).arg(&media).stdout(Stdio::null()).stderr(Stdio::null()).status().await?;
            ensure!(made.success(), "mkmedia.sh failed");
        }
        let port = free_port();
        let child = Command::new("python3")
            .arg(tools.join("rtspfarm.py"))
            .args(["--port", &port.to_string(), "--clip", &format!("main={}@15", media.join("main.h264").display())])
            .args(["--clip", &format!("sub={}@10", media.join("sub.h264").display())])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let up = async {
            while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), up).await.context("the farm does not listen")?;
        let rate = std::fs::metadata(media.join("main.h264"))?.len() as f64 / 60.0;
        Ok(Self { child, port, rate })
    }

    /// Its process.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// The address of camera `i`.
    pub(crate) fn url(&self, i: usize) -> String {
        format!("rtsp://127.0.0.1:{}/main/{i}", self.port)
    }

    /// The address of its sub stream.
    pub(crate) fn sub(&self, i: usize) -> String {
        format!("rtsp://127.0.0.1:{}/sub/{i}", self.port)
    }
}

/// The `[[camera]]` tables for `n` cameras of the farm.
pub(crate) fn cameras(farm: &Farm, n: usize) -> String {
    (0..n).map(|i| format!("[[camera]]\nid = \"c{i}\"\nname = \"Camera {i}\"\nmain = \"{}\"\n", farm.url(i))).collect()
}
