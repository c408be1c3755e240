//! The bytes of an observation in the ring, so that anybody can read them in ten years.
//!
//! A sample of an observation stream (`Format::Observations(1)`) is one JSON object in UTF-8 without line breaks:
//!
//! ```json
//! {"v":1,"capture":1795430520000000,"size":[640,352],"motion":0.0132,
//!  "seen":[["car",0.871,[0.1,0.2,0.3,0.4]]],
//!  "tracks":[{"id":7,"class":"car","state":"confirmed","box":[0.1,0.2,0.3,0.4],"velocity":[0.01,0],"score":0.87,
//!             "first":1795430518000000,"last":1795430520000000,"born":[0.1,0.2,0.3,0.4]}]}
//! ```
//!
//! | key | meaning |
//! |---|---|
//! | `v` | version of this table: 1. A reader refuses others |
//! | `capture` | when the picture was captured: µs since 1970-01-01T00:00:00Z on the box's clock |
//! | `size` | width and height of the observed stream's picture, pixels |
//! | `motion` | part of the picture that moved, 0 to 1 |
//! | `seen` | what the detector told: class, score 0 to 1, box |
//! | `colours` | for each of `seen` its colour (`domain::Colour`) or null; left out where all are null |
//! | `tracks` | what is followed after this picture: name, class, `tentative`, `confirmed` or `lost` (its box is then a guess), box, velocity of the box's centre (fractions of the picture a second), latest score, first and latest picture (µs as above), first box |
//!
//! A box is `[left, top, right, bottom]`, fractions of the picture, origin top left, and may reach out of it. Numbers are
//! rounded to 4 decimals (a hundredth of a pixel of a small picture would be noise). Readers ignore keys they do not know.
//!
//! Belongs here: this table in code. Does not belong here: how observations get into the ring (the binary).

use domain::{BBox, Class, Colour, Detection, Observation, Track, TrackId, TrackState, WallTime, geometry::Point};
use serde::{Deserialize, Serialize};

/// The version written; the number in `Format::Observations`.
pub const VERSION: u8 = 1;
/// Longest record that is read, bytes.
pub const RECORD_MAX: usize = 1 << 20;

/// Why bytes are not a record.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Longer than [`RECORD_MAX`].
    #[error("an observation's record has {0} bytes, more than one may have")]
    TooLong(usize),
    /// Not JSON of this shape.
    #[error("an observation's record cannot be read: {0}")]
    Malformed(String),
    /// A version this program does not know.
    #[error("an observation's record has version {0}; this program reads version 1")]
    Version(u32),
}

#[derive(Serialize, Deserialize)]
struct Written {
    v: u32,
    capture: WallTime,
    size: [u32; 2],
    motion: f64,
    seen: Vec<(Class, f64, [f64; 4])>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    colours: Vec<Option<Said>>,
    #[serde(default)]
    tracks: Vec<WrittenTrack>,
}

/// A colour, or the word of a later version for one, which says nothing here.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Said {
    Colour(Colour),
    Other(String),
}

#[derive(Serialize, Deserialize)]
struct WrittenTrack {
    id: TrackId,
    class: Class,
    state: TrackState,
    #[serde(rename = "box")]
    bbox: [f64; 4],
    velocity: [f64; 2],
    score: f64,
    first: WallTime,
    last: WallTime,
    born: [f64; 4],
}

/// Only the version, to tell a stranger from nonsense.
#[derive(Deserialize)]
struct Version {
    v: u32,
}

/// Writes an observation and the tracks after it. Numbers that are none (NaN, infinite) are written as 0.
#[must_use]
pub fn encode(observation: &Observation, tracks: &[Track]) -> Vec<u8> {
    let seen = observation.detections.iter().map(|d| (d.class.clone(), round(d.score), corners(d.bbox))).collect();
    let coloured = observation.detections.iter().any(|d| d.colour.is_some());
    let colours = observation.detections.iter().filter(|_| coloured).map(|d| d.colour.map(Said::Colour)).collect();
    let track = |t: &Track| WrittenTrack {
        id: t.id,
        class: t.class.clone(),
        state: t.state,
        bbox: corners(t.bbox),
        velocity: [round(t.velocity.x), round(t.velocity.y)],
        score: round(t.score),
        first: t.first_seen,
        last: t.last_seen,
        born: corners(t.born),
    };
    let written = Written {
        v: u32::from(VERSION),
        capture: observation.capture,
        size: [observation.width, observation.height],
        motion: round(observation.motion),
        seen,
        colours,
        tracks: tracks.iter().map(track).collect(),
    };
    // Plain values and finite numbers: there is nothing JSON could not say.
    serde_json::to_vec(&written).unwrap_or_default()
}

/// Reads a record.
///
/// # Errors
/// When the bytes are not a record of a version this program knows.
pub fn decode(bytes: &[u8]) -> Result<(Observation, Vec<Track>), RecordError> {
    if bytes.len() > RECORD_MAX {
        return Err(RecordError::TooLong(bytes.len()));
    }
    let malformed = |e: serde_json::Error| RecordError::Malformed(e.to_string());
    let Version { v } = serde_json::from_slice(bytes).map_err(malformed)?;
    if v != u32::from(VERSION) {
        return Err(RecordError::Version(v));
    }
    let written: Written = serde_json::from_slice(bytes).map_err(malformed)?;
    let mut colours = written.colours.into_iter();
    let detection = |(class, score, bbox): (Class, f64, [f64; 4])| {
        let colour = match colours.next().flatten() {
            Some(Said::Colour(colour)) => Some(colour),
            Some(Said::Other(_)) | None => None,
        };
        Detection { class, score, bbox: bbox.into(), colour }
    };
    let track = |t: WrittenTrack| Track {
        id: t.id,
        class: t.class,
        state: t.state,
        bbox: t.bbox.into(),
        velocity: Point::from(t.velocity),
        score: t.score,
        first_seen: t.first,
        last_seen: t.last,
        born: t.born.into(),
    };
    let observation = Observation {
        capture: written.capture,
        width: written.size[0],
        height: written.size[1],
        motion: written.motion,
        detections: written.seen.into_iter().map(detection).collect(),
    };
    Ok((observation, written.tracks.into_iter().map(track).collect()))
}

fn corners(bbox: BBox) -> [f64; 4] {
    <[f64; 4]>::from(bbox).map(round)
}

fn round(value: f64) -> f64 {
    if value.is_finite() { (value * 1e4).round() / 1e4 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

    use super::*;
    use proptest::prelude::*;

    fn example() -> (Observation, Vec<Track>) {
        let bbox = BBox { x1: 0.1, y1: 0.2, x2: 0.3, y2: 0.4 };
        let capture = WallTime::from_secs(1_795_430_520);
        let car = Detection { class: "car".into(), score: 0.871_04, bbox, colour: None };
        let track = Track {
            id: TrackId(7),
            class: "car".into(),
            state: TrackState::Confirmed,
            bbox,
            velocity: Point { x: 0.01, y: 0.0 },
            score: 0.87,
            first_seen: capture.plus_micros(-2_000_000),
            last_seen: capture,
            born: bbox,
        };
        (Observation { capture, width: 640, height: 352, motion: 0.013_249, detections: vec![car] }, vec![track])
    }

    /// The bytes are a contract: rings that were written yesterday must be read tomorrow.
    #[test]
    fn the_bytes_of_version_1_do_not_change() {
        let (observation, tracks) = example();
        let golden = concat!(
            r#"{"v":1,"capture":1795430520000000,"size":[640,352],"motion":0.0132,"seen":[["car",0.871,[0.1,0.2,0.3,0.4]]],"#,
            r#""tracks":[{"id":7,"class":"car","state":"confirmed","box":[0.1,0.2,0.3,0.4],"velocity":[0.01,0.0],"score":0.87,"#,
            r#""first":1795430518000000,"last":1795430520000000,"born":[0.1,0.2,0.3,0.4]}]}"#
        );
        assert_eq!(String::from_utf8(encode(&observation, &tracks)).unwrap(), golden);
    }

    #[test]
    fn what_is_read_is_what_was_written_but_for_the_rounding() {
        let (mut observation, tracks) = example();
        let (read, read_tracks) = decode(&encode(&observation, &tracks)).unwrap();
        observation.detections[0].score = 0.871;
        observation.motion = 0.0132;
        assert_eq!(read, observation);
        assert_eq!(read_tracks, tracks);
    }

    #[test]
    fn colours_stand_beside_what_was_seen() {
        let (mut observation, tracks) = example();
        let plain = observation.detections[0].clone();
        observation.detections.push(Detection { colour: Some(Colour::White), ..plain.clone() });
        observation.detections.push(plain);
        let bytes = encode(&observation, &tracks);
        assert!(String::from_utf8(bytes.clone()).unwrap().contains(r#"]]],"colours":[null,"white",null],"tracks""#));
        let colours: Vec<_> = decode(&bytes).unwrap().0.detections.into_iter().map(|d| d.colour).collect();
        assert_eq!(colours, [None, Some(Colour::White), None]);
        // A word of a later version, and fewer of them than things.
        let text = String::from_utf8(bytes).unwrap().replace(r#"[null,"white",null]"#, r#"["teal"]"#);
        assert!(decode(text.as_bytes()).unwrap().0.detections.iter().all(|d| d.colour.is_none()));
    }

    #[test]
    fn a_stranger_is_told_from_nonsense() {
        assert!(matches!(decode(br#"{"v":2,"new":true}"#), Err(RecordError::Version(2))));
        assert!(matches!(decode(b"{}"), Err(RecordError::Malformed(_))));
        assert!(matches!(decode(&vec![b' '; RECORD_MAX + 1]), Err(RecordError::TooLong(_))));
    }

    #[test]
    fn numbers_that_are_none_do_not_spoil_a_record() {
        let (mut observation, tracks) = example();
        observation.motion = f64::NAN;
        observation.detections[0].bbox.x2 = f64::INFINITY;
        let (read, _) = decode(&encode(&observation, &tracks)).unwrap();
        assert_eq!((read.motion, read.detections[0].bbox.x2), (0.0, 0.0));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2048)) {
            let _ = decode(&bytes);
        }

        #[test]
        fn a_damaged_record_is_read_or_refused_without_panic(at in 0usize..400, to in any::<u8>()) {
            let (observation, tracks) = example();
            let mut bytes = encode(&observation, &tracks);
            let at = at % bytes.len();
            bytes[at] = to;
            let _ = decode(&bytes);
        }
    }
}
