//! What somebody asks a package for: the JSON of the API, of the local socket and of the database.

use domain::{CameraId, CaseId, Channel, WallTime};
use serde::{Deserialize, Serialize};

/// Longest text of a field, characters.
const TEXT_MAX: usize = 300;
/// Most cameras of one package.
const CAMERAS_MAX: usize = 64;
/// Longest range of one package, seconds.
const LONGEST: i64 = 24 * 3600;

/// A package wished for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportRequest {
    /// Of these cameras.
    pub cameras: Vec<CameraId>,
    /// Start, RFC 3339 with an offset or Unix seconds.
    #[serde(with = "moment")]
    pub from: WallTime,
    /// End, exclusive.
    #[serde(with = "moment")]
    pub to: WallTime,
    /// The full picture or the small one.
    #[serde(default = "main")]
    pub stream: Channel,
    /// With the sound, where it is recorded.
    #[serde(default = "yes")]
    pub audio: bool,
    /// With a viewing copy of each film: encoding one takes longer than all the rest.
    #[serde(default = "yes")]
    pub viewing_copy: bool,
    /// What it will be used for.
    pub purpose: String,
    /// The officer who takes it.
    pub officer: String,
    /// His authority.
    #[serde(default)]
    pub authority: String,
    /// Number and date of the written request.
    #[serde(default)]
    pub document: String,
    /// The case it belongs to.
    #[serde(default)]
    pub case: Option<CaseId>,
}

fn main() -> Channel {
    Channel::Main
}

fn yes() -> bool {
    true
}

impl ExportRequest {
    /// What is wrong with it, and with which field.
    ///
    /// # Errors
    /// The field's name and a sentence.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        if self.cameras.is_empty() || self.cameras.len() > CAMERAS_MAX {
            return Err(("cameras", format!("name 1 to {CAMERAS_MAX} cameras")));
        }
        if (1..self.cameras.len()).any(|n| self.cameras.iter().take(n).any(|c| Some(c) == self.cameras.get(n))) {
            return Err(("cameras", "a camera is named twice".into()));
        }
        if self.to <= self.from {
            return Err(("to", "must be later than from".into()));
        }
        if self.to.micros_since(self.from) > LONGEST * 1_000_000 {
            return Err(("to", format!("must be at most {} h after from; ask for several packages", LONGEST / 3600)));
        }
        let fields = [("purpose", &self.purpose), ("officer", &self.officer), ("authority", &self.authority), ("document", &self.document)];
        for (name, text) in fields {
            if text.chars().count() > TEXT_MAX || text.chars().any(char::is_control) {
                return Err((name, format!("write at most {TEXT_MAX} characters, no line breaks")));
            }
        }
        for (name, text) in &fields[..2] {
            if text.trim().is_empty() {
                return Err((name, "must be said: it stands in the papers and in the audit log".into()));
            }
        }
        Ok(())
    }
}

mod moment {
    use domain::WallTime;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(at: &WallTime, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(at)
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(d: D) -> Result<WallTime, D::Error> {
        WallTime::parse(&String::deserialize(d)?).map_err(D::Error::custom)
    }
}
