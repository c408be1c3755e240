//! Words: over the worker's border, of what it saw, and what people write into files.

use crate::take::Take;
use serde::{Serialize, de::DeserializeOwned};
use std::{fmt::Debug, path::Path};
use vision::{
    Manifest,
    protocol::{Down, FromWorker, ModelSpec, SAMPLE_MAX, STREAM_HEAD_MAX, ToWorker, Up, rendition, stream},
    record,
};

/// A message of either direction and socket; the first byte says which.
pub(crate) fn border(data: &[u8]) -> bool {
    let mut t = Take(data);
    match t.u8() % 7 {
        0 => message::<ToWorker>(t.0),
        1 => message::<FromWorker>(t.0),
        2 => message::<Down>(t.0),
        3 => message::<Up>(t.0),
        4 => message::<ModelSpec>(t.0),
        6 => message::<rendition::Up>(t.0),
        _ => downstream(t.0),
    }
}

fn message<T: Serialize + DeserializeOwned + Debug>(bytes: &[u8]) -> bool {
    let Ok(message) = postcard::from_bytes::<T>(bytes) else { return false };
    // By its bytes, for numbers that are none are not themselves.
    let again = postcard::to_stdvec(&message).unwrap();
    assert!(again.len() <= bytes.len(), "a message grew by being read: {message:?}");
    assert_eq!(postcard::to_stdvec(&postcard::from_bytes::<T>(&again).unwrap()).unwrap(), again);
    assert!(stream::decode::<T>(&again).is_ok());
    let framed = stream::encode(&message).unwrap();
    assert_eq!(stream::length(*framed.first_chunk().unwrap()).unwrap(), again.len());
    true
}

/// What a worker reads from a stream's socket.
fn downstream(bytes: &[u8]) -> bool {
    let (mut left, mut sample) = (bytes, Vec::new());
    let mut messages = 0;
    loop {
        let before = left.len();
        match stream::read_down(&mut left, &mut sample) {
            Ok(Some(Down::Sample(head))) => assert!(sample.len() == head.len as usize && sample.len() <= SAMPLE_MAX),
            Ok(Some(_)) => assert!(sample.is_empty()),
            Ok(None) => break messages > 0,
            Err(_) => break false,
        }
        messages += 1;
        assert!(left.len() < before && before - left.len() <= 4 + STREAM_HEAD_MAX + SAMPLE_MAX);
    }
}

/// An observation as it lies in the ring.
pub(crate) fn seen(data: &[u8]) -> bool {
    let Ok((observation, tracks)) = record::decode(data) else { return false };
    // Rounded once, it stays.
    let again = record::encode(&observation, &tracks);
    let (observation, tracks) = record::decode(&again).unwrap();
    assert_eq!(record::encode(&observation, &tracks), again);
    true
}

/// `matthon.toml`: understood, or every mistake has its line and what to do.
pub(crate) fn config(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    // A folder that is not there: no file is read because an input names it, unless by its whole path.
    let mistakes = match config::parse(text, "matthon.toml", Path::new("/nonexistent/matthon")) {
        Ok(loaded) => loaded.warnings,
        Err(mistakes) => {
            assert!(!mistakes.mistakes.is_empty(), "refused without a word");
            let shown = mistakes.to_string();
            assert_eq!(shown.lines().count(), mistakes.mistakes.len(), "{shown}");
            mistakes.mistakes.into_iter().chain(mistakes.warnings).collect()
        }
    };
    let lines = text.split('\n').count();
    for m in &mistakes {
        assert!((1..=lines).contains(&m.line) && m.column >= 1, "{m} lies nowhere in {lines} lines");
        assert!(!m.problem.is_empty() && !m.fix.is_empty(), "{m}");
        assert!(!m.problem.contains('\n') && !m.fix.contains('\n') && !m.key.contains('\n'), "{m}");
    }
    config::parse(text, "matthon.toml", Path::new("/nonexistent/matthon")).is_ok()
}

/// A model's manifest.
pub(crate) fn model(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    match Manifest::parse("a.toml", text) {
        Ok(manifest) => {
            let spec = manifest.spec();
            assert!(spec.input.0.is_multiple_of(32) && spec.input.1.is_multiple_of(32) && spec.input.0.max(spec.input.1) <= 2048);
            assert!((1..=1024).contains(&spec.labels.len()) && manifest.largest() <= 512 << 20);
            assert_eq!(postcard::from_bytes::<ModelSpec>(&postcard::to_stdvec(&spec).unwrap()).unwrap(), spec);
            true
        }
        Err(e) => {
            assert!(e.to_string().contains("a.toml"), "{e}");
            false
        }
    }
}
