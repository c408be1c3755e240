//! Refuses to build a server without a page, with a sentence that says what to do.

use std::{env, path::PathBuf, process::ExitCode};

fn main() -> ExitCode {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=ui/dist/index.html");
    let root = env::var_os("CARGO_MANIFEST_DIR").map_or_else(PathBuf::new, PathBuf::from);
    if root.join("ui/dist/index.html").is_file() {
        return ExitCode::SUCCESS;
    }
    eprintln!("error: crates/web/ui/dist/index.html is missing, and the server embeds it: run `make ui` first");
    ExitCode::FAILURE
}
