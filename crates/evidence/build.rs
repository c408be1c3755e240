//! Refuses to build without the page that goes into every package, with a sentence that says what to do.

use std::{env, path::PathBuf, process::ExitCode};

fn main() -> ExitCode {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=page/dist/verify.html");
    let root = env::var_os("CARGO_MANIFEST_DIR").map_or_else(PathBuf::new, PathBuf::from);
    if root.join("page/dist/verify.html").is_file() {
        return ExitCode::SUCCESS;
    }
    eprintln!("error: crates/evidence/page/dist/verify.html is missing, and every package carries it: run `make ui` first");
    ExitCode::FAILURE
}
