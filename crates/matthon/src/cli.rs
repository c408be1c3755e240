//! What can be typed. The names are a contract (ARCHITECTURE.md, "Contracts").

use clap::{Args, Parser, Subcommand};
use domain::{CameraId, CaseId, Channel, Role, WallTime};
use std::path::PathBuf;

/// Mắt Thôn: the video server of a village.
#[derive(Debug, Parser)]
#[command(name = "matthon", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where the configuration is.
#[derive(Debug, Clone, Args)]
pub(crate) struct ConfigArg {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "/etc/matthon/matthon.toml")]
    pub(crate) config: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Record, serve and watch until told to stop.
    Run(ConfigArg),
    /// Read the configuration and name every mistake in it.
    Check {
        #[command(flatten)]
        config: ConfigArg,
        /// One JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
    /// People who may sign in.
    #[command(subcommand)]
    User(UserCommand),
    /// Write what was recorded to a file.
    Export(ExportArgs),
    /// Judge a signed package, or this box's audit log.
    Verify(VerifyArgs),
    /// The recording on disk.
    #[command(subcommand)]
    Ring(RingCommand),
    /// Detection models: what there is, and whether its bytes are right.
    #[command(subcommand)]
    Models(ModelsCommand),
    /// Run a camera's rules over a video file and tell every violation.
    Replay(ReplayArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelsCommand {
    /// All models, installed or not.
    List {
        /// One JSON object a line instead of text.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Compare installed weights with their manifests.
    Verify {
        /// Which; all when left out.
        name: Option<String>,
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Install a model's weights: from its source on the internet, or from a file.
    Pull {
        /// Which.
        name: String,
        /// A file that was brought along instead of a download.
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Measure what a model costs on this machine.
    Bench {
        /// Which.
        name: String,
        /// A video file to look at.
        #[arg(long, value_name = "FILE")]
        video: PathBuf,
        /// Pictures of the film's second that are looked at.
        #[arg(long, default_value_t = 25.0)]
        fps: f32,
        #[command(flatten)]
        config: ConfigArg,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// Whose rules.
    #[arg(long)]
    pub(crate) camera: CameraId,
    /// The film.
    #[arg(long, value_name = "FILE")]
    pub(crate) video: PathBuf,
    /// One JSON object a violation instead of text.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Add a person.
    Add {
        /// Name to sign in with.
        name: String,
        /// admin, official, police, viewer, technician or auditor.
        #[arg(long)]
        role: Role,
        /// Read the password (one line) from standard input.
        #[arg(long, required = true)]
        password_stdin: bool,
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Print a link and its QR code that bind one phone to a person, without a password: good for 24 h and once.
    Invite {
        /// Whom; somebody new where a role is given.
        name: String,
        /// Of somebody new: admin, official, police, viewer, technician or auditor.
        #[arg(long)]
        role: Option<Role>,
        /// His phone is lost: all devices he has are let go.
        #[arg(long)]
        lost: bool,
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Print one bearer token for a program that acts as this person.
    Token {
        /// Whose token.
        name: String,
        #[command(flatten)]
        config: ConfigArg,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Which camera; several times for a package.
    #[arg(long, required = true)]
    pub(crate) camera: Vec<CameraId>,
    /// Begin: RFC 3339 with an offset, or Unix seconds.
    #[arg(long, value_parser = WallTime::parse)]
    pub(crate) from: WallTime,
    /// End, likewise.
    #[arg(long, value_parser = WallTime::parse)]
    pub(crate) to: WallTime,
    /// main or sub.
    #[arg(long, default_value = "main")]
    pub(crate) stream: Channel,
    /// The file to write; its extension chooses the format: .mp4 the film, .jsonl what was seen in it, .zip a signed package.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// What a package will be used for.
    #[arg(long, value_name = "TEXT")]
    pub(crate) purpose: Option<String>,
    /// The officer who takes it.
    #[arg(long, value_name = "TEXT")]
    pub(crate) officer: Option<String>,
    /// His authority.
    #[arg(long, value_name = "TEXT")]
    pub(crate) unit: Option<String>,
    /// Number and date of the written request.
    #[arg(long, value_name = "TEXT")]
    pub(crate) document: Option<String>,
    /// The case it belongs to.
    #[arg(long, value_name = "N")]
    pub(crate) case: Option<CaseId>,
    /// A package without the viewing copy (time and place burnt in), which takes longer to make than all the rest.
    #[arg(long)]
    pub(crate) no_viewing_copy: bool,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// A package (.zip), or with --ring any film (.mp4).
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Compare a film with what this box recorded: is it ours, uncut, from which second?
    #[arg(long)]
    pub(crate) ring: bool,
    /// With --ring: look at this camera only.
    #[arg(long, requires = "ring")]
    pub(crate) camera: Option<CameraId>,
    /// With --ring: look from then on only.
    #[arg(long, requires = "ring", value_parser = WallTime::parse)]
    pub(crate) from: Option<WallTime>,
    /// With --ring: look until then only.
    #[arg(long, requires = "ring", value_parser = WallTime::parse)]
    pub(crate) to: Option<WallTime>,
    /// The fingerprint (or the key) of the box it must come from.
    #[arg(long, value_name = "FINGERPRINT", conflicts_with = "ring")]
    pub(crate) key: Option<String>,
    /// This box's audit log and daily fingerprints instead of a package.
    #[arg(long)]
    pub(crate) audit: bool,
    /// One JSON object instead of text.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RingCommand {
    /// How full, how old, how long it will last.
    Status {
        /// One JSON array instead of text.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigArg,
    },
    /// What each block file holds, from its own bytes.
    Scan {
        #[command(flatten)]
        which: WhichRing,
    },
    /// Check every recording, chain and seal, and name the damaged seconds.
    Verify {
        #[command(flatten)]
        which: WhichRing,
    },
    /// Write index and missing footers anew, from the blocks alone; a running daemon does it between its recordings.
    Rebuild {
        #[command(flatten)]
        which: WhichRing,
    },
    /// Save all that can be read of one camera as MP4 files, from the blocks alone.
    Extract(ExtractArgs),
}

/// One of the configuration's rings.
#[derive(Debug, Args)]
pub(crate) struct WhichRing {
    /// Which ring; all of them when left out.
    #[arg(long, value_name = "NAME")]
    pub(crate) ring: Option<String>,
    /// JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
}

#[derive(Debug, Args)]
pub(crate) struct ExtractArgs {
    /// Which camera.
    #[arg(long)]
    pub(crate) camera: CameraId,
    /// main or sub.
    #[arg(long, default_value = "main")]
    pub(crate) stream: Channel,
    /// Begin: RFC 3339 with an offset, or Unix seconds; everything when left out.
    #[arg(long, value_parser = WallTime::parse)]
    pub(crate) from: Option<WallTime>,
    /// End, likewise.
    #[arg(long, value_parser = WallTime::parse)]
    pub(crate) to: Option<WallTime>,
    /// The folder to write into.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
}
