//! What a player may ask for: a place of the playlist, or one file. Read from text that strangers wrote.

use std::fmt;

/// Digits of a number in an address: none of ours is longer, and none this long overflows.
const DIGITS: usize = 15;

/// A place in the stream that a playlist must have reached (`_HLS_msn`, `_HLS_part`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// Number of a segment.
    pub segment: u64,
    /// Number of a part in it; `None`: the whole segment.
    pub part: Option<u64>,
}

impl At {
    /// Reads the two parameters; `None` when neither is there.
    ///
    /// # Errors
    /// The parameter that is wrong, and what to write instead.
    pub fn read(segment: Option<&str>, part: Option<&str>) -> Result<Option<Self>, (&'static str, &'static str)> {
        let whole = "write a whole number";
        match (segment, part) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(("_HLS_part", "is of use only with _HLS_msn")),
            (Some(segment), part) => {
                let segment = number(segment).ok_or(("_HLS_msn", whole))?;
                let part = part.map(|part| number(part).ok_or(("_HLS_part", whole))).transpose()?;
                Ok(Some(Self { segment, part }))
            }
        }
    }
}

/// A file that a playlist names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum File {
    /// `init-N.mp4`: the parameters of a run.
    Init(u64),
    /// `seg-N.m4s`
    Segment(u64),
    /// `part-N-M.m4s`: part M of segment N.
    Part(u64, u64),
}

impl File {
    /// Reads a name; `None` for what no playlist names.
    #[must_use]
    pub fn read(name: &str) -> Option<Self> {
        if let Some(n) = name.strip_prefix("init-").and_then(|rest| rest.strip_suffix(".mp4")) {
            return number(n).map(Self::Init);
        }
        let stem = name.strip_suffix(".m4s")?;
        if let Some(n) = stem.strip_prefix("seg-") {
            return number(n).map(Self::Segment);
        }
        let (segment, part) = stem.strip_prefix("part-")?.split_once('-')?;
        Some(Self::Part(number(segment)?, number(part)?))
    }
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Init(n) => write!(f, "init-{n}.mp4"),
            Self::Segment(n) => write!(f, "seg-{n}.m4s"),
            Self::Part(segment, part) => write!(f, "part-{segment}-{part}.m4s"),
        }
    }
}

/// A number as we write them: digits only, no sign, no zeros in front.
fn number(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.len() <= DIGITS && text.bytes().all(|b| b.is_ascii_digit());
    let padded = text.len() > 1 && text.starts_with('0');
    if plain && !padded { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_name_is_read_as_it_was_written(a in 0..1_u64 << 48, b in 0..1_u64 << 48) {
            for file in [File::Init(a), File::Segment(a), File::Part(a, b)] {
                prop_assert_eq!(File::read(&file.to_string()), Some(file));
            }
        }

        #[test]
        fn whatever_is_read_is_written_the_same(name in "(init|seg|part)?-?[0-9+ -]{0,18}-?[0-9]{0,3}\\.?(mp4|m4s)?") {
            if let Some(file) = File::read(&name) {
                prop_assert_eq!(file.to_string(), name);
            }
        }
    }

    #[test]
    fn a_place_is_numbers_and_no_part_stands_alone() {
        assert_eq!(At::read(None, None), Ok(None));
        assert_eq!(At::read(Some("7"), None), Ok(Some(At { segment: 7, part: None })));
        assert_eq!(At::read(Some("7"), Some("0")), Ok(Some(At { segment: 7, part: Some(0) })));
        for (segment, part, wrong) in [
            (Some("-1"), None, "_HLS_msn"),
            (Some(""), None, "_HLS_msn"),
            (Some("9999999999999999999999"), None, "_HLS_msn"),
            (Some("7"), Some("x"), "_HLS_part"),
            (None, Some("1"), "_HLS_part"),
        ] {
            assert_eq!(At::read(segment, part).unwrap_err().0, wrong, "{segment:?} {part:?}");
        }
    }
}
