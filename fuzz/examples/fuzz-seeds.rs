//! Writes the seeds into `fuzz/corpus/TARGET/`: `cargo run --release --locked --example fuzz-seeds`.
//! Run it when a format has changed; what a fuzzer found beside them stays.

#![allow(clippy::unwrap_used, reason = "a tool for developers: it stops where something is wrong")]

use std::{fs, path::Path};

fn main() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (target, name, bytes) in matthon_fuzz::seeds::all() {
        let dir = corpus.join(target);
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join(format!("seed-{name}")), bytes).unwrap();
    }
}
