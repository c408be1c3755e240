use super::Camera;
use crate::film::{Film, Unfit, fits};
use domain::{Format, Sample, VideoCodec, VideoFormat};
use proptest::prelude::*;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

#[test]
fn what_browsers_cannot_be_shown_is_known_by_its_first_group() {
    let camera = Camera::new(64);
    let group: Vec<Sample> = (0..5).map(|n| camera.frame(n)).collect();
    assert_eq!(fits(&group), Ok(()));
    assert_eq!(fits(&[]), Ok(()), "nothing is there yet that would not fit");
    let Some(h264) = camera.format.video().cloned() else { panic!("video") };
    let of = |format: Format| -> Vec<Sample> {
        let format = Arc::new(format);
        group.iter().map(|sample| Sample { format: Arc::clone(&format), ..sample.clone() }).collect()
    };
    let h265 = of(Format::Video(VideoFormat { codec: VideoCodec::H265, ..h264.clone() }));
    assert_eq!(fits(&h265), Err(Unfit::Codec(VideoCodec::H265)));
    assert!(fits(&h265).unwrap_err().to_string().contains("H.265"));
    assert_eq!(fits(&of(Format::Video(VideoFormat { config: bytes::Bytes::from_static(&[1, 2, 3]), ..h264 }))), Err(Unfit::Parameters));
    assert_eq!(fits(&of(Format::Observations(1))), Err(Unfit::Parameters));
    // I P B: the third is shown before the second.
    let mut reordered = group.clone();
    (reordered[1].pts, reordered[2].pts) = (2 * 3600, 3600);
    assert_eq!(fits(&reordered), Err(Unfit::Reordered));
    // Decoding times that lag behind are no reordering: some cameras' parameters speak of B-frames that never come.
    let mut lagging = group.clone();
    lagging.iter_mut().for_each(|sample| sample.dts -= 7200);
    assert_eq!(fits(&lagging), Ok(()));
    // A key frame that is an I picture with a recovery point.
    let mut open = group;
    open[0].data = bytes::Bytes::from_static(&[0, 0, 0, 5, 6, 6, 1, 0xc0, 0x80, 0, 0, 0, 3, 0x41, 0x88, 0x80]);
    assert_eq!(fits(&open), Err(Unfit::NoIdr));
}

/// What a camera does with its times within a second: an even step, jitter, a jump, a new session.
#[derive(Clone, Debug)]
enum Beat {
    Step(i64),
    Session(i64),
    Join,
    Skipped,
}

fn beats() -> impl Strategy<Value = Vec<Beat>> {
    let beat = prop_oneof![
        8 => (1..20_000_i64).prop_map(Beat::Step),
        1 => any::<i32>().prop_map(|start| Beat::Session(i64::from(start))),
        1 => Just(Beat::Join),
        1 => Just(Beat::Skipped),
    ];
    proptest::collection::vec(beat, 1..80)
}

proptest! {
    #[test]
    fn rtp_time_only_rises_and_what_is_shown_begins_with_a_key_frame(beats in beats(), waits in proptest::collection::vec(0..200_u64, 80)) {
        let camera = Camera::new(16);
        let (mut film, mut now) = (Film::default(), Instant::now());
        let (mut pts, mut n) = (0, 0);
        let mut group: Vec<Sample> = Vec::new();
        let mut shown: Vec<u64> = Vec::new();
        // Whether the next picture must be a key frame.
        let mut fresh = true;
        for (beat, wait) in beats.into_iter().zip(waits) {
            now += Duration::from_millis(wait);
            let mut sample = camera.frame(n);
            n += 1;
            match beat {
                Beat::Step(step) => pts += step,
                Beat::Session(start) => {
                    pts = start;
                    sample.loss_before = true;
                    fresh = true;
                }
                Beat::Join => {
                    let shots = film.begin(group.clone(), now).unwrap();
                    shown.extend(shots.iter().map(|shot| shot.rtp));
                    fresh = shots.is_empty();
                    continue;
                }
                Beat::Skipped => {
                    film.wait();
                    fresh = true;
                    continue;
                }
            }
            (sample.pts, sample.dts) = (pts, pts);
            if sample.random_access || sample.loss_before {
                group.clear();
            }
            if sample.random_access || !group.is_empty() {
                group.push(sample.clone());
            }
            let key = sample.random_access;
            let shot = film.next(sample, now).unwrap();
            prop_assert_eq!(shot.is_some(), key || !fresh);
            fresh &= !key;
            if let Some(shot) = shot {
                let bytes = film.bytes(&shot).unwrap();
                prop_assert_eq!(bytes.starts_with(&[0, 0, 0, 1, 0x67]), key);
                shown.push(shot.rtp);
            }
        }
        prop_assert!(shown.is_sorted_by(|a, b| a < b), "{shown:?}");
        prop_assert!(shown.windows(2).all(|pair| pair[1] - pair[0] <= 900_000 + 90));
    }
}
