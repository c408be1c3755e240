//! Which of a socket's cameras its viewer wants to see at the moment: those in sight.
//!
//! Belongs here: the words for it, in the socket's address and over the socket. Does not belong here: which cameras a socket has and who
//! may see them (`live_socket`): a wish only ever leaves some of them out.

use serde_json::Value;

/// Most cameras over one socket; `ch` is one byte, and a screen shows no more.
pub const CAMERAS_MAX: usize = 64;

/// Some of a socket's cameras, by their place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want(u64);

/// A wish that names what is not there, or no places at all: whoever sent it would wait for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amiss;

impl Want {
    /// All of so many cameras, at most [`CAMERAS_MAX`].
    #[must_use]
    pub fn all(cameras: usize) -> Self {
        Self(u64::MAX.checked_shr((CAMERAS_MAX.saturating_sub(cameras)) as u32).unwrap_or(0))
    }

    /// What the address says: `want=0,3`, or `want=` for none yet.
    ///
    /// # Errors
    /// [`Amiss`].
    pub fn asked(text: &str, cameras: usize) -> Result<Self, Amiss> {
        if text.is_empty() {
            return Ok(Self(0));
        }
        let digits = |word: &str| word.len() <= 2 && word.bytes().all(|b| b.is_ascii_digit());
        let places = text.split(',').map(|word| if digits(word) { word.parse().map_err(|_| Amiss) } else { Err(Amiss) });
        Self::of(places, cameras)
    }

    /// What a viewer says over the socket: `{"want":[0,3]}`. `None`: it speaks of something else, as newer pages may to older servers.
    ///
    /// # Errors
    /// [`Amiss`].
    pub fn said(text: &str, cameras: usize) -> Result<Option<Self>, Amiss> {
        let Ok(Value::Object(said)) = serde_json::from_str(text) else { return Ok(None) };
        let Some(want) = said.get("want") else { return Ok(None) };
        let places = want.as_array().ok_or(Amiss)?.iter().map(|place| place.as_u64().ok_or(Amiss));
        Self::of(places, cameras).map(Some)
    }

    fn of(places: impl Iterator<Item = Result<u64, Amiss>>, cameras: usize) -> Result<Self, Amiss> {
        let all = Self::all(cameras);
        places.enumerate().try_fold(Self(0), |want, (n, place)| {
            let place = usize::try_from(place?).map_err(|_| Amiss)?;
            if n < CAMERAS_MAX && all.has(place) { Ok(Self(want.0 | 1 << place)) } else { Err(Amiss) }
        })
    }

    /// Whether the camera at this place is among them.
    #[must_use]
    pub fn has(self, place: usize) -> bool {
        place < CAMERAS_MAX && self.0 & (1 << place) != 0
    }

    /// Whether it is no camera.
    #[must_use]
    pub fn none(self) -> bool {
        self.0 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn places(want: Want) -> Vec<usize> {
        (0..300).filter(|place| want.has(*place)).collect()
    }

    #[test]
    fn all_is_as_many_as_there_are() {
        for n in [0, 1, 2, 63, 64] {
            assert_eq!(places(Want::all(n)), (0..n).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_is_wanted_is_named_by_its_place_and_nothing_else_is_understood() {
        for (text, places_of_four) in [("", Ok(vec![])), ("0", Ok(vec![0])), ("3,1", Ok(vec![1, 3])), ("1,1", Ok(vec![1]))]
            .into_iter()
            .chain(["4", "-1", "+1", " 1", "1,", ",", "x", "1;2", "00000001", "18446744073709551616"].map(|bad| (bad, Err(Amiss))))
        {
            assert_eq!(Want::asked(text, 4).map(places), places_of_four, "{text}");
        }
        let said = |text: &str| Want::said(text, 4).map(|want| want.map(places));
        assert_eq!(said(r#"{"want":[]}"#), Ok(Some(vec![])));
        assert_eq!(said(r#"{"want":[3,0],"newer":{}}"#), Ok(Some(vec![0, 3])));
        for other in ["", "hello", "[0]", "{}", r#"{"wants":[0]}"#, r#"{"want":[0]"#, "7", "null", &"[".repeat(4000)] {
            assert_eq!(said(other), Ok(None), "{other}");
        }
        for amiss in ["4", "-1", "0.5", "1e0", "\"0\"", "null", "[0]", "18446744073709551616"] {
            assert_eq!(said(&format!(r#"{{"want":[{amiss}]}}"#)), Err(Amiss), "{amiss}");
            assert_eq!(said(&format!(r#"{{"want":{amiss}}}"#)).is_err(), amiss != "[0]", "{amiss}");
        }
        let many = format!(r#"{{"want":[{}]}}"#, vec!["0"; CAMERAS_MAX + 1].join(","));
        assert_eq!(said(&many), Err(Amiss));
    }

    proptest! {
        #[test]
        fn both_ways_of_saying_it_mean_the_same(cameras in 1..=CAMERAS_MAX, named in prop::collection::vec(0..80_usize, 0..CAMERAS_MAX)) {
            let words = named.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            let asked = Want::asked(&words, cameras);
            let said = Want::said(&format!(r#"{{"want":[{words}]}}"#), cameras);
            prop_assert_eq!(said, asked.map(Some));
            match asked {
                Ok(want) => prop_assert!((0..CAMERAS_MAX).all(|place| want.has(place) == named.contains(&place))),
                Err(Amiss) => prop_assert!(named.iter().any(|place| *place >= cameras)),
            }
        }

        #[test]
        fn whatever_is_said_nobody_gets_a_camera_that_is_not_there(text in "\\{?\"?want\"?:?\\[?([0-9eE.,+ -]{0,12}\\]?\\}?)|.{0,40}", cameras in 0..=CAMERAS_MAX) {
            if let Ok(Some(want)) = Want::said(&text, cameras) {
                prop_assert!(places(want).iter().all(|place| *place < cameras));
            }
        }
    }
}
