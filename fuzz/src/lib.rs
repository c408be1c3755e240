//! What strangers' bytes may do to the house: one function a reader of bytes, each with what must hold whatever comes.
//!
//! Belongs here: the targets, the repair of check sums that lets a mutation reach what lies behind them, and real bytes to
//! begin with. Does not belong here: libFuzzer (`main.rs`, built by `tools/fuzz` alone); readers that live in the sandboxed
//! worker's C libraries. `tests/replay.rs` puts the kept corpus and every past crash through the same functions on stable.

#![allow(clippy::unwrap_used, reason = "what cannot be is a finding, and a finding ends the run")]

pub mod counted;
pub mod mend;
pub mod seeds;
pub mod take;
mod targets;

pub use targets::block;

/// One reader under attack.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its word on the command line, and its folder in `corpus/` and `regressions/`.
    pub name: &'static str,
    /// Longest input worth trying, bytes.
    pub max_len: usize,
    /// Reads the bytes, and ends the process where something is not as it must be. Whether they were read as what they should be.
    pub run: fn(&[u8]) -> bool,
}

/// All of them, by name.
pub const TARGETS: &[Target] = &[
    // the ring's bytes
    Target { name: "record", max_len: 4096, run: targets::ring::record },
    Target { name: "batch", max_len: 4096, run: targets::ring::batch },
    Target { name: "footer", max_len: 8192, run: targets::ring::footer },
    Target { name: "index", max_len: 512, run: targets::ring::index },
    Target { name: "spans", max_len: 2048, run: targets::ring::spans },
    Target { name: "block", max_len: 16 << 10, run: targets::block::block },
    // media
    Target { name: "mp4", max_len: 8192, run: targets::mp4::mp4 },
    Target { name: "clip", max_len: 512, run: targets::mp4::clip },
    Target { name: "params", max_len: 512, run: targets::codec::params },
    Target { name: "nal", max_len: 1024, run: targets::codec::nal_units },
    // packages
    Target { name: "zip", max_len: 64 << 10, run: targets::package::zip },
    Target { name: "forged", max_len: 256, run: targets::package::forged },
    Target { name: "chain", max_len: 8192, run: targets::package::chain },
    Target { name: "manifest", max_len: 8192, run: targets::package::manifest },
    // the worker's border, and what it saw
    Target { name: "border", max_len: 2048, run: targets::words::border },
    Target { name: "seen", max_len: 2048, run: targets::words::seen },
    // what is asked over the network
    Target { name: "way", max_len: 1024, run: targets::requests::way },
    Target { name: "phone", max_len: 4096, run: targets::requests::phone },
    Target { name: "case-link", max_len: 512, run: targets::requests::case_link },
    Target { name: "hls", max_len: 128, run: targets::requests::hls },
    Target { name: "want", max_len: 512, run: targets::requests::want },
    // what browsers send
    Target { name: "offer", max_len: 8192, run: targets::web::offer },
    Target { name: "knock", max_len: 2048, run: targets::web::knock },
    // what people write
    Target { name: "config", max_len: 4096, run: targets::words::config },
    Target { name: "model", max_len: 4096, run: targets::words::model },
];

/// The target of a name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|t| t.name == name)
}
