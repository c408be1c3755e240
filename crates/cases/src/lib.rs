//! The life of a violation: a case with its evidence, a person's answer, and who must be told.
//!
//! Belongs here: what may follow what, what evidence a case wants and how it comes to lie on disk, the sentences people
//! read, the JSON of a case. Does not belong here: SQL (`store`), decoding and recordings (behind [`Footage`]), delivery
//! (`alerts`), HTTP and roles (`web`).
//!
//! All calls but [`Cases::run`] block for the database (and a change for the disk): async code makes them on a blocking
//! thread. Evidence lies in `evidence/ID/{small.jpg,main.jpg,clip.mp4}`, readable by this user only; a file is there
//! whole or not at all.

mod case;
mod desk;
mod error;
mod evidence;
pub mod expiry;
mod files;
mod footage;
pub mod life;
mod reading;
mod room;
pub mod sentence;

pub use case::{Case, Event, Line, Tally};
pub use desk::Cases;
pub use error::CaseError;
pub use footage::{ClipInfo, Footage, Missing, Still};
pub use reading::Filter;
pub use room::{Fullness, Gauge, LEFT_FREE, Room};

use domain::CameraId;
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

/// The kind of a case a person made from what he was watching.
pub const BY_HAND: &str = "by-hand";
/// Most characters of a note.
pub const NOTE_MAX: usize = 500;

/// How cases are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The folder of the evidence; made when it is not there.
    pub evidence: PathBuf,
    /// Evidence of cases that nobody confirmed is deleted after this long.
    pub keep_unconfirmed: Duration,
    /// A clip begins this long before the first evidence (at most 30 s before the raise).
    pub before: Duration,
    /// A clip ends this long after the raise.
    pub after: Duration,
    /// What the village is called.
    pub site: String,
    /// What people call the cameras.
    pub cameras: BTreeMap<CameraId, String>,
    /// IANA name of the zone in which people read times.
    pub timezone: String,
    /// Everybody who is told: one parcel each in the outbox for each event.
    pub channels: Vec<String>,
}
