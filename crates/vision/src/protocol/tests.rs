//! The other side is hostile: whatever it sends is read or refused.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use super::*;
use proptest::prelude::*;
use std::{
    io::Write,
    os::{fd::AsFd, unix::net::UnixStream},
};

fn messages() -> Vec<Vec<u8>> {
    let detection =
        domain::Detection { class: "car".into(), score: 0.5, bbox: [0.1, 0.2, 0.3, 0.4].into(), colour: Some(domain::Colour::Red) };
    let observation = Observation { capture: WallTime(1), width: 640, height: 352, motion: 0.1, detections: vec![detection] };
    [Up::Seen(observation), Up::Undecodable { what: "no".into() }, Up::End { decoded: 3, length_micros: 4 }]
        .iter()
        .map(|up| stream::encode(up).unwrap()[4..].to_vec())
        .collect()
}

#[test]
fn lengths_are_refused_before_they_are_believed() {
    assert_eq!(stream::length((STREAM_HEAD_MAX as u32).to_le_bytes()).unwrap(), STREAM_HEAD_MAX);
    assert!(stream::length((STREAM_HEAD_MAX as u32 + 1).to_le_bytes()).is_err());
    let head = SampleHead { capture: WallTime(0), pts: 0, dts: 0, random_access: true, loss_before: false, len: SAMPLE_MAX as u32 + 1 };
    let bytes = stream::encode(&Down::Sample(head)).unwrap();
    assert!(stream::read_down(&mut &bytes[..], &mut Vec::new()).is_err());
}

#[test]
fn a_message_that_tells_of_a_billion_boxes_allocates_for_none() {
    // Seen(capture 0, 1 × 1, motion 0, 2³⁰ detections), and then nothing.
    let mut bytes = vec![0, 0, 1, 1];
    bytes.extend([0; 8]);
    bytes.extend([0x80, 0x80, 0x80, 0x80, 0x04]);
    assert!(stream::decode::<Up>(&bytes).is_err());
}

#[test]
fn descriptors_cross_with_their_message_and_the_end_is_told() {
    let (core, worker) = control::pair().unwrap();
    let (mut mine, theirs) = UnixStream::pair().unwrap();
    let open = ToWorker::Open { stream: 7, name: "cho/sub".into(), fps: 5.0 };
    control::send(&core, &open, &[theirs.as_fd()]).unwrap();
    drop(theirs);
    let (message, mut descriptors) = control::receive::<ToWorker>(&worker).unwrap().unwrap();
    assert_eq!((&message, descriptors.len()), (&open, 1));
    mine.write_all(b"x").unwrap();
    let mut byte = [0];
    std::io::Read::read_exact(&mut UnixStream::from(descriptors.remove(0)), &mut byte).unwrap();
    drop(core);
    assert!(control::receive::<ToWorker>(&worker).unwrap().is_none());
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_read_or_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
        let _ = stream::decode::<Up>(&bytes);
        let _ = stream::decode::<Down>(&bytes);
        let _ = postcard::from_bytes::<FromWorker>(&bytes);
        let _ = postcard::from_bytes::<ToWorker>(&bytes);
        let _ = stream::read_down(&mut &bytes[..], &mut Vec::new());
    }

    #[test]
    fn a_damaged_message_is_read_or_refused_without_panic(which in 0usize..3, at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut bytes = messages().swap_remove(which);
        let at = at.index(bytes.len());
        bytes[at] = to;
        let _ = stream::decode::<Up>(&bytes);
    }

    #[test]
    fn what_was_said_is_what_is_heard(capture in any::<i64>(), motion in any::<f64>(), word in "[a-z-]{0,32}", corners in any::<[f64; 4]>()) {
        prop_assume!(!motion.is_nan() && corners.iter().all(|c| !c.is_nan()));
        let detection = domain::Detection { class: word.as_str().into(), score: motion, bbox: corners.into(), colour: None };
        let up = Up::Seen(Observation { capture: WallTime(capture), width: 1, height: 2, motion, detections: vec![detection] });
        let bytes = stream::encode(&up).unwrap();
        prop_assert_eq!(stream::length(bytes[..4].try_into().unwrap()).unwrap(), bytes.len() - 4);
        prop_assert_eq!(stream::decode::<Up>(&bytes[4..]).unwrap(), up);
    }
}
