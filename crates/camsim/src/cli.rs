//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::spec::Size;

/// Simulated village cameras: an RTSP server for the demo, the tests and the benches.
#[derive(Parser)]
#[command(version, about, long_about = None)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Serve cameras until told to stop.
    #[command(after_long_help = after_help())]
    Serve(Serve),
    /// Draw a scenario into an MP4 file, with its truth beside it.
    #[command(after_long_help = SCENARIOS)]
    Render(Render),
    /// Write the truth of a scenario to standard output, as JSON lines, without drawing it.
    #[command(after_long_help = SCENARIOS)]
    Truth(Truth),
    /// Write drawn pictures with their boxes to standard output, to train a detector on.
    Dataset(Dataset),
}

/// Which pictures of which scenario.
#[derive(Args)]
pub(crate) struct Picture {
    /// A scenario file, or the name of a shipped scenario.
    #[arg(long, value_name = "FILE|NAME")]
    pub(crate) scenario: String,
    /// The same seed gives the same bytes.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Width a multiple of 8, height of 2.
    #[arg(long, value_name = "WIDTHxHEIGHT", default_value = "1280x720", value_parser = size)]
    pub(crate) size: Size,
    /// Frames a second.
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub(crate) fps: u32,
    /// How long; one round of the scenario when left out.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) seconds: Option<f64>,
}

/// What to draw.
#[derive(Args)]
pub(crate) struct Render {
    #[command(flatten)]
    pub(crate) picture: Picture,
    /// The MP4 file (H.264).
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// The truth, as JSON lines.
    #[arg(long, value_name = "FILE")]
    pub(crate) truth: Option<PathBuf>,
    /// Bits a second at most.
    #[arg(long, value_name = "N", default_value_t = 2_000_000, value_parser = clap::value_parser!(u32).range(32_000..=50_000_000))]
    pub(crate) bitrate: u32,
}

/// Whose truth.
#[derive(Args)]
pub(crate) struct Truth {
    #[command(flatten)]
    pub(crate) picture: Picture,
}

/// How many pictures.
#[derive(Args)]
pub(crate) struct Dataset {
    /// The same seed gives the same pictures.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many; 0 goes on until nobody reads.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) count: u64,
    /// Width a multiple of 8, height of 2.
    #[arg(long, value_name = "WIDTHxHEIGHT", default_value = "512x288", value_parser = size)]
    pub(crate) size: Size,
}

fn size(text: &str) -> Result<Size, &'static str> {
    crate::spec::size(text).ok_or(crate::spec::SIZE)
}

fn seconds(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|s| (0.1..=3600.0).contains(s)).ok_or("0.1 to 3600 seconds")
}

/// What a scenario can be, for the help.
const SCENARIOS: &str = "\
Scenarios are TOML files; crates/camsim/SCENARIOS.md describes them, crates/camsim/scenarios/ holds the shipped ones.
Truth, one JSON object a line: `scenario` first, then a `picture` a frame with its objects (boxes as fractions of the
picture), then each `violation` with from and to, and each event of the `camera`.";

/// What to serve.
#[derive(Args)]
pub(crate) struct Serve {
    /// Address and port; port 0 takes a free one and prints it.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8554")]
    pub(crate) listen: SocketAddr,
    /// One camera, as key=value,… (see below). May be given many times.
    #[arg(long, value_name = "SPEC")]
    pub(crate) camera: Vec<String>,
    /// So many cameras named after places of a village: cong-lang, cho, truong-hoc, nha-van-hoa, cam-05 ….
    /// 4 when neither this nor --camera is given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) cameras: Option<u32>,
    /// Options for each of --cameras, as a SPEC without id.
    #[arg(long, value_name = "SPEC", default_value = "")]
    pub(crate) each: String,
    /// How many different scenes --cameras take turns over: each costs one encoder for main and one for sub.
    #[arg(long, value_name = "N", default_value_t = crate::spec::VARIANTS, value_parser = clap::value_parser!(u32).range(1..=4))]
    pub(crate) variants: u32,
    /// Append one JSON line to FILE for each access unit sent (see below).
    #[arg(long, value_name = "FILE")]
    pub(crate) sent: Option<PathBuf>,
    /// Seed of the dice behind `corrupt` and `lose`.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// End when standard input ends; without it, the cameras go on.
    #[arg(long)]
    pub(crate) exit_on_eof: bool,
}

fn after_help() -> String {
    format!(
        "\
Each camera has rtsp://HOST:PORT/ID/main and /ID/sub. Streams of equal source and profile share one encoder.

SPEC is key=value,… (values without commas):
  id=ID                 a-z, 0-9, -                                         (required for --camera)
  source=SOURCE         scene | scene2 | scene3 | scene4 | street:SCENARIO, a drawn street (a shipped name
                        or a file) | a video file's path, looped                             (scene)
  seed=N                of a drawn street                                                       (1)
  variant=N             which scene `scene` is                                                  (1)
  codec=, sub-codec=    h264 | h265                                                          (h264)
  size=, sub-size=      WIDTHxHEIGHT, width a multiple of 8                    (1280x720, 640x360)
  fps=, sub-fps=        frames a second, 1 to 60                                           (15, 10)
  bitrate=, sub-bitrate=  bits a second at most, like 2M or 300k                         (2M, 300k)
  gop=TIME              from one random access point to the next, like 2s or 20s               (2s)
  bframes=N             B-frames between references, 0 to 4            (0; 2 with open-gop)
  open-gop=yes|no       key frames are recovery points (H.264) or CRA (H.265), with pictures
                        before them that need the GOP before                                   (no)
  vui=yes|no            whether the SPS of H.264 has a VUI; without one nothing tells how deep B-frames
                        are reordered, as with cheap cameras                                  (yes)
  sub=yes|no            whether there is a sub stream                                         (yes)
  audio=none|aac|pcma|pcmu   on both streams                                                 (none)
  user=, password=      digest login of this camera                                          (none)
  join=force|gop|middle where a client begins: at a key frame forced for it (the others of this
                        encoder get it too), at the encoder's own next random access point, or
                        in the middle of a GOP           (force; gop with open-gop)
  phase=TIME            how long after its encoder this camera sends, less than one picture's
                        time                                                 (spread evenly)

Picture: the time in Viet Nam and the encoder's frame number are burnt in at the top left.
Stamp: every video access unit carries an SEI user-data-unregistered NAL unit before its first slice,
  UUID a7d1f0c35b9e4e42b1c66e76722d6c61, text `t=<Unix ns, 16 hex> n=<number, 8 hex> c=<ID>/<main|sub>;`
  n counts the access units of the camera stream from 0 since the server started, watched or not.
Begin: a client's stream begins with a random access unit (join=middle apart). The first is made at DESCRIBE; when
  PLAY comes later than the next access unit, the stream goes on at a random access unit after PLAY.

--sent FILE: one line for each access unit handed to at least one client's payloader,
  {{\"camera\",\"stream\",\"n\",\"t_ns\",\"pts90k\",\"key\",\"bytes\",\"sha256\"}}
  pts90k is 90 kHz time since the server started; RTP time differs by a constant a session (±1 rounding).
  sha256 is over all NAL units in order, each as 4-byte big-endian length and bytes, without access unit
  delimiters and parameter sets (H.264 types 7, 8, 9; H.265 32 to 35), with all SEI, the stamp included:
  an MP4 sample with 4-byte lengths, those types left out. `bytes` is the length of the same.

Standard output: {{\"ready\":true,\"rtsp\":…,\"begun\":…,\"cameras\":[{{\"id\",\"main\",\"sub\",\"story\"}}]}} once listening
  (begun: Unix seconds at which the pictures' time began; story: of a drawn street, its seconds and violations), then one line
{{\"ok\":true,\"did\":…}} or {{\"ok\":false,\"error\":…}} for each line read on standard input:
{}

Exit status: 0 ended as told, 1 could not serve, 2 wrong usage or spec.",
        crate::control::HELP
    )
}
