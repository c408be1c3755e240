//! What cameras say of their pictures: parameter sets, configuration records, NAL and access units.

use crate::take::Take;
use domain::{Format, VideoCodec};
use media::{
    access_unit::{self, Start},
    fmp4::{Track, init_segment, parse_init},
    nal, params,
    sound::Sound,
};

/// A record, or the parameter sets it is made of. The first byte says which.
pub(crate) fn params(data: &[u8]) -> bool {
    let mut t = Take(data);
    match t.u8() % 5 {
        0 => video(VideoCodec::H264, t.0),
        1 => video(VideoCodec::H265, t.0),
        2 => audio(t.0),
        3 => {
            let pps = usize::from(t.u8());
            let pps = t.bytes(pps);
            params::avc_config(t.0, pps).is_ok_and(|record| video(VideoCodec::H264, &record))
        }
        _ => {
            let (vps, pps) = (usize::from(t.u8()), usize::from(t.u8()));
            let (vps, pps) = (t.bytes(vps), t.bytes(pps));
            params::hevc_config(vps, t.0, pps).is_ok_and(|record| video(VideoCodec::H265, &record))
        }
    }
}

fn video(codec: VideoCodec, record: &[u8]) -> bool {
    let Ok(format) = params::video_format(codec, record) else { return false };
    assert!((1..=0xffff).contains(&format.width) && (1..=0xffff).contains(&format.height));
    assert_eq!((format.codec, &format.config[..]), (codec, record));
    assert!(format.frame_duration.is_none_or(|d| (90..=900_000).contains(&d)));
    assert!(format.reorder.is_none_or(|r| r <= 16));
    assert!(format.codecs.is_ascii() && format.codecs.len() < 80, "{}", format.codecs);
    boxed(Format::Video(format));
    true
}

fn audio(config: &[u8]) -> bool {
    let Ok(format) = params::aac_format(config) else { return false };
    assert!((1..=8).contains(&format.channels) && format.sample_rate > 0);
    assert_eq!(format.config[..], *config);
    if let Ok(sound) = Sound::of(&format) {
        assert!(sound.init(1).is_ok());
        assert!(sound.silence(0, 4096).iter().all(|frame| (1..=4096).contains(&frame.samples) && frame.data.len() < 16));
    }
    boxed(Format::Audio(format));
    true
}

/// Through an initialisation segment and back it is the same.
fn boxed(format: Format) {
    if let Ok(init) = init_segment(&[Track { id: 1, format: &format }]) {
        let read = parse_init(&init).unwrap();
        assert_eq!(read.into_iter().map(|t| t.format).collect::<Vec<_>>(), [format]);
    }
}

/// Units in both wrappings.
pub(crate) fn nal_units(data: &[u8]) -> bool {
    let mut t = Take(data);
    let codec = if t.u8() & 1 == 0 { VideoCodec::H264 } else { VideoCodec::H265 };
    let bytes = t.0;
    let escaped = nal::escape(bytes);
    assert_eq!(nal::unescape(&escaped), bytes);
    assert!(!escaped.windows(3).any(|w| w[..2] == [0, 0] && w[2] < 3), "a start code inside a unit");
    // As lengths: what was cut, put together again, is the same up to the first break.
    let mut again = Vec::new();
    let mut whole = true;
    for unit in nal::units(bytes) {
        match unit {
            Ok(unit) => nal::push(&mut again, unit).unwrap(),
            Err(_) => whole = false,
        }
    }
    assert!(bytes.starts_with(&again) && (!whole || again.len() == bytes.len()));
    // As a byte stream: there and back and there changes nothing more.
    let units: Vec<_> = nal::annex_b_units(bytes).collect();
    assert!(units.iter().all(|u| u.last().is_some_and(|b| *b != 0) && !u.windows(3).any(|w| w == [0, 0, 1])));
    let prefixed = nal::from_annex_b(bytes).unwrap();
    let stream = nal::to_annex_b(&prefixed).unwrap();
    assert_eq!(nal::annex_b_units(&stream).collect::<Vec<_>>(), units);
    assert_eq!(nal::from_annex_b(&stream), Ok(prefixed.clone()));
    unit(codec, bytes) | unit(codec, &prefixed)
}

fn unit(codec: VideoCodec, bytes: &[u8]) -> bool {
    let Ok(found) = access_unit::inspect(codec, bytes) else { return false };
    let units = nal::units(bytes).filter(Result::is_ok).count();
    assert!(found.slices >= 1 && found.slices as usize <= units);
    assert_eq!(found.random_access(), found.start != Start::None);
    true
}
