//! From the camera to the picture that a browser shows: live, after a tap, and while the past is scrubbed (`tests/browser/glass.mjs`
//! drives Chromium and measures).

use crate::farm::Farm;
use anyhow::{Context, Result, ensure};
use std::{fmt::Write, path::Path, time::Duration};
use tests::Village;
use tokio::process::Command;

/// Who looks.
const PERSON: (&str, &str) = ("can-bo", "mat-khau-do-1");

/// Prints the tables of `glass.mjs`.
pub(crate) async fn run(n: usize, seconds: u64, past: u64) -> Result<()> {
    let dir = std::env::temp_dir().join(format!("matthon-bench-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let done = measure(&dir, n, seconds, past).await;
    std::fs::remove_dir_all(&dir)?;
    done
}

async fn measure(dir: &Path, n: usize, seconds: u64, past: u64) -> Result<()> {
    let farm = Farm::start(dir).await?;
    let cameras = (0..n).fold(String::new(), |mut text, i| {
        let (main, sub) = (farm.url(i), farm.sub(i));
        let _ = write!(
            text,
            "[[camera]]\nid = \"c{i}\"\nname = \"Camera {i}\"\nmain = \"{main}\"\nsub = \"{sub}\"\nrecord = {{ main = \"main\" }}\n"
        );
        text
    });
    let village = Village::new(&cameras);
    let _daemon = village.start().await;
    let added = village.matthon(&["user", "add", PERSON.0, "--role", "admin", "--password-stdin"], &format!("{}\n", PERSON.1)).await;
    ensure!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    let api = village.admin().await;
    for i in 0..n {
        api.until_link(&format!("c{i}"), "main", "ok", 60).await;
        api.until_link(&format!("c{i}"), "sub", "ok", 60).await;
    }
    // Something to go back in.
    tokio::time::sleep(Duration::from_secs(past)).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/browser/glass.mjs");
    let url = format!("http://127.0.0.1:{}", village.port);
    let mut node = Command::new("node");
    let ended = node.arg(script).args([&url, PERSON.0, PERSON.1, &seconds.to_string()]).kill_on_drop(true).status().await;
    ensure!(ended.context("node runs")?.success(), "the browser did not do it");
    Ok(())
}
