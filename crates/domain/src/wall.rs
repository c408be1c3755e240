//! The two ways a TV shows the village.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// What a wall shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WallMode {
    /// Nơi công cộng: nobody can be recognised, no case, nothing about anyone, nothing at night.
    Public,
    /// Phòng trực: sharp pictures, open cases with their sentences.
    Duty,
}

impl WallMode {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Public, Self::Duty];

    /// The name used in the store and in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Duty => "duty",
        }
    }
}

impl fmt::Display for WallMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for WallMode {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|m| m.as_str() == text).ok_or_else(|| format!("`{text}` is not a mode of a wall: public or duty"))
    }
}
