//! Disks to break: file systems in image files, mounted where only the daemon sees them, so that nothing is left behind.

use crate::program;
use std::{
    fmt::Write,
    path::{Path, PathBuf},
    process::Command,
};

/// Whether a folder lies on ext4 or xfs (`statfs` magic).
#[must_use]
pub fn keeps(dir: &Path) -> bool {
    let magic = rustix::fs::statfs(dir).map(|s| s.f_type).unwrap_or_default();
    [0xEF53, 0x5846_5342].contains(&u64::try_from(magic).unwrap_or(0))
}

/// An ext4 in a file.
#[derive(Clone, Debug)]
pub struct Image {
    file: PathBuf,
    /// Where it is mounted for the daemon.
    pub at: PathBuf,
}

fn run(program: &str, args: &[&str]) -> Result<String, String> {
    let out = Command::new(program).args(args).output().map_err(|e| format!("{program}: {e}"))?;
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    if out.status.success() { Ok(text) } else { Err(format!("{program}: {}", String::from_utf8_lossy(&out.stderr).trim())) }
}

impl Image {
    /// Makes a file system of so many megabytes that turns read-only when it meets an error.
    ///
    /// # Errors
    /// Why this machine cannot.
    pub fn new(dir: &Path, name: &str, megabytes: u64) -> Result<Self, String> {
        let (file, at) = (dir.join(format!("{name}.img")), dir.join(name));
        std::fs::create_dir_all(&at).map_err(|e| e.to_string())?;
        // A new file: an old one under this name may still be mounted somewhere.
        let _ = std::fs::remove_file(&file);
        let made = std::fs::File::create(&file).and_then(|f| f.set_len(megabytes << 20));
        made.map_err(|e| e.to_string())?;
        run("mkfs.ext4", &["-q", "-F", "-m", "0", "-e", "remount-ro", file.to_str().unwrap_or_default()])?;
        Ok(Self { file, at })
    }

    /// Whether this machine lets us mount at all: root, with loop devices.
    ///
    /// # Errors
    /// Why not.
    pub fn try_mount(&self) -> Result<(), String> {
        run("unshare", &["-m", "sh", "-c", &format!("{}true", mounts(&[self]))]).map(drop)
    }
}

/// The shell's commands that mount them.
fn mounts(images: &[&Image]) -> String {
    images.iter().fold("set -e; mount --make-rprivate /; ".to_owned(), |mut text, image| {
        let _ = write!(text, "mount -o loop '{}' '{}'; ", image.file.display(), image.at.display());
        text
    })
}

/// A command that becomes `matthon` in a mount namespace of its own with these file systems; they go when it ends.
#[must_use]
pub fn matthon_with(images: &[&Image]) -> tokio::process::Command {
    let mut command = tokio::process::Command::new("unshare");
    let script = format!("{}exec \"$0\" \"$@\"", mounts(images));
    command.args(["-m", "sh", "-c", &script]).arg(program("matthon"));
    command
}

/// Runs a shell line where that daemon lives.
///
/// # Panics
/// When it fails.
pub fn there(pid: u32, line: &str) -> String {
    run("nsenter", &["-t", &pid.to_string(), "-m", "sh", "-c", line]).unwrap_or_else(|e| panic!("{line}: {e}"))
}
