//! A signed package of recordings for an authority: written here, and judged here.
//!
//! Belongs here: the files of a package and their bytes (`FORMAT.md`), its manifest, signature and report, and the verdict over
//! one that somebody brings. Does not belong here: who may have one (`web`), where pictures and words come from (the binary),
//! the ring's own files (`ring`).

pub mod chain;
pub mod error;
pub mod film;
mod hashing;
pub mod manifest;
pub mod package;
mod recorded;
pub mod report;
mod request;
pub mod signature;
#[cfg(test)]
mod tests;
pub mod verify;
pub mod view;

pub use error::EvidenceError;
pub use manifest::{FileEntry, Manifest, Moment, Track};
pub use package::Package;
pub use recorded::Recorded;
pub use request::ExportRequest;
pub use signature::fingerprint;
pub use verify::{Finding, Verdict, What, verify};
pub use view::View;

/// The page that judges a package in any browser, without a network.
pub const VERIFY_PAGE: &[u8] = include_bytes!("../page/dist/verify.html");
