//! Measurements from outside, side by side in one run. Results are written down in `benches/README.md`.
//!
//! Belongs here: starting the product and its peers on the same input, reading `/proc`, reading frame stamps.
//! Does not belong here: a pass or fail (that is `tests/`), the product's own code beyond a bare camera client.

mod bare;
mod cuts;
mod farm;
mod glass;
mod latency;
mod meter;
mod page;
mod recording;
mod search;
mod storage;
mod viewers;

use clap::{Parser, Subcommand};

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// CPU and memory of recording N cameras, beside ffmpeg and beside bare RTSP sessions.
    Recording {
        /// How many cameras, one table row each.
        #[arg(long, value_delimiter = ',', default_value = "1,10,30")]
        cameras: Vec<usize>,
        /// Seconds measured, after a warm-up of 6 s.
        #[arg(long, default_value_t = 20)]
        seconds: u64,
    },
    /// From the camera's send to the bytes at a viewer, with N cameras recording.
    Latency {
        /// How many cameras record meanwhile.
        #[arg(long, default_value_t = 30)]
        cameras: usize,
        /// Seconds measured.
        #[arg(long, default_value_t = 30)]
        seconds: u64,
    },
    /// From the camera's send to the picture in Chromium, live, after a tap, and scrubbing the past: needs node and Chromium.
    Glass {
        /// How many cameras are on the page.
        #[arg(long, default_value_t = 4)]
        cameras: usize,
        /// Seconds each live picture is watched.
        #[arg(long, default_value_t = 20)]
        seconds: u64,
        /// Seconds recorded beforehand.
        #[arg(long, default_value_t = 60)]
        past: u64,
    },
    /// What many viewers of a few recorded cameras cost, and whether they or the recording lose anything.
    Viewers {
        /// How many watch, each one camera over a socket of its own.
        #[arg(long, default_value_t = 100)]
        viewers: usize,
        /// How many cameras there are.
        #[arg(long, default_value_t = 10)]
        cameras: usize,
        /// Seconds measured, without viewers and again with them.
        #[arg(long, default_value_t = 30)]
        seconds: u64,
    },
    /// Timelines, clips, packages and a start, on rings made in a folder (6 GB, taken away afterwards).
    Storage {
        /// The folder.
        #[arg(long, default_value = "target/bench-storage")]
        dir: std::path::PathBuf,
    },
    /// The page that judges packages, over one of 4 GB made in a folder (9 GB, taken away afterwards): needs node and Chromium.
    Page {
        /// The folder.
        #[arg(long, default_value = "target/bench-page")]
        dir: std::path::PathBuf,
        /// How large.
        #[arg(long, default_value_t = 4300)]
        megabytes: u64,
        /// The camera's pictures, megabits a second.
        #[arg(long, default_value_t = 2.0)]
        mbps: f64,
    },
    /// The real program on a file system whose power goes: needs root and /dev/fuse.
    Cuts {
        /// How often.
        #[arg(long, default_value_t = 20)]
        rounds: u32,
        /// Chooses moments and sectors.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Finding what came by, in a day of thirty cameras.
    Search {
        /// The folder.
        #[arg(long, default_value = "target/bench-search")]
        dir: std::path::PathBuf,
        /// How many lines the day has.
        #[arg(long, default_value_t = 432_000)]
        lines: u64,
    },
    /// Opens sessions and counts frames to nothing: the floor for any recorder in this language. Used by `recording`.
    #[command(hide = true)]
    Bare {
        /// Camera addresses.
        urls: Vec<url::Url>,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Recording { cameras, seconds } => recording::run(&cameras, seconds).await,
        Command::Latency { cameras, seconds } => latency::run(cameras, seconds).await,
        Command::Glass { cameras, seconds, past } => glass::run(cameras, seconds, past).await,
        Command::Viewers { viewers, cameras, seconds } => viewers::run(viewers, cameras, seconds).await,
        Command::Storage { dir } => storage::run(&dir),
        Command::Page { dir, megabytes, mbps } => page::run(&dir, megabytes, mbps),
        Command::Cuts { rounds, seed } => cuts::run(rounds, seed).await,
        Command::Search { dir, lines } => search::run(&dir, lines),
        Command::Bare { urls } => bare::run(urls).await,
    }
}
