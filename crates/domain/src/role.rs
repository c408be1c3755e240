//! What a person or a screen may do. Which endpoint asks for which role is one table in `web`.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The office somebody holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Quản trị: everything, including people and settings.
    Admin,
    /// Cán bộ thôn: live, playback, cases.
    Official,
    /// Công an xã: live, playback, any range for export.
    Police,
    /// A TV screen: live only.
    Viewer,
    /// Kỹ thuật: devices and their health, no recordings.
    Technician,
    /// Reads the audit log, sees no pictures.
    Auditor,
}

impl Role {
    /// All of them, in the order of the type.
    pub const ALL: [Self; 6] = [Self::Admin, Self::Official, Self::Police, Self::Viewer, Self::Technician, Self::Auditor];

    /// Who acts on cases and is told of them, each within his list of cameras.
    pub const ON_DUTY: [Self; 3] = [Self::Admin, Self::Official, Self::Police];

    /// The name used on the command line, in the store and in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Official => "official",
            Self::Police => "police",
            Self::Viewer => "viewer",
            Self::Technician => "technician",
            Self::Auditor => "auditor",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|r| r.as_str() == text).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|r| r.as_str()).collect();
            format!("`{text}` is not a role: use one of {}", names.join(", "))
        })
    }
}
