//! `manifest.json`: everything a package says about itself. Its keys are a contract (`FORMAT.md`).

use domain::{CameraId, WallTime};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};

/// The version in [`Manifest::format`].
pub const FORMAT: &str = "matthon-export-1";

/// An instant, for programs and for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// RFC 3339 in UTC, to the microsecond.
    pub utc: String,
    /// RFC 3339 with the village's offset.
    pub local: String,
}

/// Where the village is in time.
#[derive(Clone, Debug)]
pub struct Place(TimeZone);

impl Place {
    /// By the IANA name; UTC for an unknown one, which no checked configuration has.
    #[must_use]
    pub fn named(timezone: &str) -> Self {
        Self(TimeZoneDatabase::bundled().get(timezone).unwrap_or(TimeZone::UTC))
    }

    /// An instant there.
    #[must_use]
    pub fn moment(&self, at: WallTime) -> Moment {
        let local = self.zoned(at).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
        Moment { utc: at.to_string(), local }
    }

    /// `17:42:05 ngày 26/11/2026`.
    #[must_use]
    pub fn words(&self, at: WallTime) -> String {
        self.zoned(at).strftime("%H:%M:%S ngày %d/%m/%Y").to_string()
    }

    /// `26/11/2026 17:42:05 (+07:00)`: as it is burnt into pictures.
    #[must_use]
    pub fn stamp(&self, at: WallTime) -> String {
        self.zoned(at).strftime("%d/%m/%Y %H:%M:%S (%:z)").to_string()
    }

    /// `2026-11-26`.
    #[must_use]
    pub fn day(&self, at: WallTime) -> String {
        self.zoned(at).strftime("%Y-%m-%d").to_string()
    }

    fn zoned(&self, at: WallTime) -> jiff::Zoned {
        jiff::Timestamp::from_microsecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_zoned(self.0.clone())
    }
}

impl Moment {
    /// The instant, when it is one.
    #[must_use]
    pub fn wall(&self) -> Option<WallTime> {
        WallTime::parse(&self.utc).ok()
    }
}

/// The whole manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// What this package is for.
    pub export: Export,
    /// Which box made it.
    #[serde(rename = "box")]
    pub made_by: Maker,
    /// How true its times are.
    pub clock: ClockWord,
    /// The time asked for.
    pub from: Moment,
    /// Its end, exclusive.
    pub to: Moment,
    /// The cameras, in the order asked for.
    pub cameras: Vec<CameraWord>,
    /// Streams and where their chains stand.
    pub tracks: Vec<Track>,
    /// Times asked for that are not in it, and why.
    pub gaps: Vec<Gap>,
    /// The cases it belongs to.
    pub cases: Vec<CaseWord>,
    /// Whether anything in the pictures was covered: `none` in packages for authorities.
    pub redaction: String,
    /// What was left out, in words; empty when nothing was.
    pub notes: Vec<String>,
    /// Every file but the manifest, its signature and the list of sums.
    pub files: Vec<FileEntry>,
}

/// What a package is for, and who wanted it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    /// Names this export on this box.
    pub id: String,
    /// What it will be used for.
    pub purpose: String,
    /// The authority that asked.
    pub authority: String,
    /// Its officer.
    pub officer: String,
    /// Number and date of the written request; empty when there was none.
    pub document: String,
    /// Who made the package.
    pub exporter: String,
    /// His role.
    pub role: String,
    /// When.
    pub made_at: Option<Moment>,
}

/// The box.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maker {
    /// The village.
    pub site: String,
    /// Who answers for the pictures.
    pub controller: String,
    /// The box's own id.
    pub id: String,
    /// Its public key, hexadecimal.
    pub key: String,
    /// The key's fingerprint.
    pub fingerprint: String,
    /// Program and version.
    pub software: String,
    /// Detection models in use, with their hashes.
    pub models: Vec<String>,
    /// Kinds of rules in use on these cameras.
    pub rules: Vec<String>,
}

/// How true the times are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockWord {
    /// Whose clock the times are: the box's.
    pub source: String,
    /// Whether a time server set it while the package was made.
    pub synchronised: bool,
    /// Records that were begun under a clock that was not set.
    pub unsynchronised_records: u64,
    /// In one sentence, Vietnamese.
    pub sentence: String,
}

/// A camera.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CameraWord {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Where it hangs.
    pub place: String,
    /// Where it looks.
    pub direction: String,
    /// Maker and model.
    pub make: String,
    /// Serial number.
    pub serial: String,
    /// Its own clock less the box's, seconds, as last measured; none when it tells no time.
    pub clock_offset: Option<f64>,
}

/// One stream in one file, and its part of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Track {
    /// The film.
    pub file: String,
    /// The file with its records.
    pub chain_file: String,
    /// `camera/channel/kind`.
    pub stream: String,
    /// Codec and size in words.
    pub parameters: String,
    /// Records.
    pub records: u64,
    /// Number of the first record in the stream's chain.
    pub first: u64,
    /// Number of the last one.
    pub last: u64,
    /// The chain before the first record; empty when that record is gone.
    pub chain_before: String,
    /// The chain behind the last record.
    pub chain_after: String,
    /// First picture shown.
    pub from: Moment,
    /// End of the last one.
    pub to: Moment,
    /// Where the samples begin in the film, bytes.
    pub samples_at: u64,
}

impl Track {
    /// The camera of the stream.
    #[must_use]
    pub fn camera(&self) -> Option<CameraId> {
        CameraId::new(self.stream.split('/').next()?).ok()
    }
}

/// A time that is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The stream.
    pub stream: String,
    /// Start.
    pub from: Moment,
    /// End.
    pub to: Moment,
    /// Why, as a word: `power`, `restart`, `camera`, `network`, `overload`, `damaged`, `expired`, `unknown`.
    pub reason: String,
}

/// A case the package belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseWord {
    /// Its number.
    pub id: String,
    /// What it is about.
    pub kind: String,
    /// Who confirmed it, and when; empty: nobody yet.
    pub confirmed_by: String,
    /// When.
    pub confirmed_at: Option<Moment>,
    /// The reason in numbers, as the rule gave it.
    pub why: String,
}

/// A file of the package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name in the archive.
    pub name: String,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256.
    pub sha256: String,
    /// What it is: `master`, `chain`, `view`, `still`, `report`, `page`, `text`.
    pub what: String,
}
