//! The product seen from outside: real binaries, real sockets, files on a real disk.
//!
//! Belongs here: starting and stopping programs, asking the API, reading what was recorded with an independent
//! reader (ffprobe). Does not belong here: any call into the product's own code beyond its plain words (`domain`).
//!
//! Nothing waits by sleeping for a result: everything waits for a condition, with a deadline.

#![allow(clippy::unwrap_used, reason = "a harness: a step that fails is a test that fails")]
#![allow(clippy::missing_panics_doc, reason = "likewise")]

pub mod api;
pub mod camsim;
pub mod daemon;
pub mod disks;
pub mod frames;
pub mod http;
pub mod push;
pub mod tv;
pub mod until;
pub mod village;
pub mod webhook;
pub mod worker;

pub use camsim::Camsim;
pub use daemon::Daemon;
pub use http::http;
pub use until::until;
pub use village::Village;

use std::path::PathBuf;

/// Where the built programs are: `MATTHON_BIN_DIR`, else beside the running test.
///
/// # Panics
/// When the test does not run from a cargo target directory and the variable is not set.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    if let Some(dir) = std::env::var_os("MATTHON_BIN_DIR") {
        return PathBuf::from(dir).join(name);
    }
    let exe = std::env::current_exe().expect("a running test has a path");
    // target/PROFILE/deps/test-HASH
    let path = exe.parent().and_then(|p| p.parent()).expect("tests run from target/PROFILE/deps").join(name);
    assert!(path.exists(), "{} is not built: run `cargo build --workspace --bins` in the same profile first", path.display());
    path
}

/// A file of the shared test data, or `None` after noting the skip by name.
///
/// # Panics
/// When `MATTHON_SHARED` is set and the file is not there: then a skip is a failure.
#[must_use]
pub fn shared(test: &str, file: &str) -> Option<PathBuf> {
    let root = std::env::var_os("MATTHON_SHARED").map(PathBuf::from);
    let dir = root.clone().unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"));
    let path = dir.join(file);
    if path.exists() {
        return Some(path);
    }
    assert!(root.is_none(), "{} is missing although MATTHON_SHARED is set", path.display());
    skip(test, &format!("needs {}", path.display()));
    None
}

/// Notes by name that a test was skipped, and why.
///
/// # Panics
/// When the list of skips cannot be written.
pub fn skip(test: &str, why: &str) {
    if let Some(list) = std::env::var_os("MATTHON_SKIPS") {
        use std::io::Write;
        let file = std::fs::OpenOptions::new().append(true).create(true).open(list);
        file.and_then(|mut f| writeln!(f, "{test}")).expect("the list of skips can be written");
    }
    eprintln!("skipped: {test} {why}");
}
