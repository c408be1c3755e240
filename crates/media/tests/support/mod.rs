//! FFmpeg as the other opinion: encodes sources, and says what it finds in a file. A missing ffmpeg fails the test by name.
//! Test code: reads and writes files, which the crate itself never does.
#![allow(clippy::disallowed_methods, reason = "the tests hand files to ffmpeg")]
#![allow(clippy::unwrap_used, reason = "a test fails where it is surprised")]

use domain::{Format, VideoCodec};
use matthon_media::{access_unit, nal, params};
use std::{path::Path, process::Command};

/// Runs a program of FFmpeg and returns what it printed.
pub(crate) fn tool(program: &str, dir: &Path, args: &str) -> String {
    let output = Command::new(program).current_dir(dir).args(args.split_whitespace()).output();
    let output = output.unwrap_or_else(|e| panic!("{program} must be installed for this test (apt install ffmpeg): {e}"));
    assert!(output.status.success(), "{program} {args}:\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// One packet as ffprobe sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) pts: i64,
    pub(crate) dts: i64,
    pub(crate) key: bool,
}

/// All packets of one stream, times in its own time base (which the tests make 1/90000).
pub(crate) fn packets(dir: &Path, file: &str, stream: &str) -> Vec<Packet> {
    let args = format!("-v error -select_streams {stream} -show_entries packet=pts,dts,flags -of csv=p=0 {file}");
    let line = |line: &str| {
        let mut parts = line.trim_end_matches(',').split(',');
        let mut number = || parts.next().unwrap().parse::<i64>().unwrap_or_else(|e| panic!("{line}: {e}"));
        let (pts, dts) = (number(), number());
        Packet { pts, dts, key: parts.next().unwrap().starts_with('K') }
    };
    tool("ffprobe", dir, &args).lines().filter(|l| !l.is_empty()).map(line).collect()
}

/// MD5 of each decoded frame in output order.
pub(crate) fn frames(dir: &Path, file: &str, stream: &str) -> Vec<String> {
    let md5 = tool("ffmpeg", dir, &format!("-v error -i {file} -map 0:{stream} -fps_mode passthrough -f framemd5 -"));
    md5.lines().filter(|l| !l.starts_with('#')).map(|l| l.rsplit(',').next().unwrap().trim().to_owned()).collect()
}

/// Decoder's complaints about a file; empty when there are none.
pub(crate) fn complaints(dir: &Path, file: &str) -> String {
    let output = Command::new("ffmpeg").current_dir(dir).args(["-v", "warning", "-xerror", "-i", file, "-f", "null", "-"]).output();
    let output = output.unwrap_or_else(|e| panic!("ffmpeg must be installed for this test (apt install ffmpeg): {e}"));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// One access unit with its times, 90 kHz, first `dts` 0.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    pub(crate) pts: i64,
    pub(crate) dts: i64,
    pub(crate) duration: u32,
    pub(crate) random_access: bool,
    pub(crate) data: Vec<u8>,
}

/// A source encoded by FFmpeg: `source.mp4` in the folder, and the same as the house carries it.
pub(crate) struct Source {
    pub(crate) format: Format,
    pub(crate) units: Vec<Unit>,
}

/// Encodes 60 frames of a moving pattern at 25 frames a second and takes the stream apart with this crate.
pub(crate) fn video(dir: &Path, codec: VideoCodec, encoder: &str) -> Source {
    let filter = match codec {
        VideoCodec::H264 => "h264_metadata=aud=insert",
        VideoCodec::H265 => "hevc_metadata=aud=insert",
    };
    let tag = if codec == VideoCodec::H265 { "-tag:v hvc1" } else { "" };
    let input = "-v error -y -f lavfi -i testsrc2=s=322x180:r=25 -frames:v 60 -pix_fmt yuv420p";
    tool("ffmpeg", dir, &format!("{input} {encoder} {tag} -video_track_timescale 90000 source.mp4"));
    let raw = if codec == VideoCodec::H264 { "h264" } else { "hevc" };
    tool("ffmpeg", dir, &format!("-v error -y -i source.mp4 -c copy -bsf:v {raw}_mp4toannexb,{filter} -f {raw} source.raw"));
    let stream = std::fs::read(dir.join("source.raw")).unwrap();
    let (record, pictures) = take_apart(codec, &stream);
    let timed = packets(dir, "source.mp4", "v:0");
    assert_eq!(pictures.len(), timed.len());
    let zero = timed[0].dts;
    let mut units = Vec::new();
    for (n, (data, packet)) in pictures.into_iter().zip(&timed).enumerate() {
        let duration = timed.get(n + 1).map_or(3600, |next| (next.dts - packet.dts) as u32);
        let random_access = access_unit::inspect(codec, &data).unwrap().random_access();
        units.push(Unit { pts: packet.pts - zero, dts: packet.dts - zero, duration, random_access, data });
    }
    Source { format: Format::Video(params::video_format(codec, &record).unwrap()), units }
}

/// Configuration record and access units (without parameter sets and delimiters) of a byte stream with delimiters.
fn take_apart(codec: VideoCodec, stream: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let (mut sets, mut pictures) = ([const { Vec::new() }; 3], Vec::<Vec<u8>>::new());
    for unit in nal::annex_b_units(stream) {
        let kind = match codec {
            VideoCodec::H264 => unit[0] & 0x1f,
            VideoCodec::H265 => unit[0] >> 1 & 0x3f,
        };
        match (codec, kind) {
            (VideoCodec::H264, 9) | (VideoCodec::H265, 35) => pictures.push(Vec::new()),
            (VideoCodec::H264, 7 | 8) => sets[usize::from(kind - 6)] = unit.to_vec(),
            (VideoCodec::H265, 32..=34) => sets[usize::from(kind - 32)] = unit.to_vec(),
            _ => nal::push(pictures.last_mut().unwrap(), unit).unwrap(),
        }
    }
    let record = match codec {
        VideoCodec::H264 => params::avc_config(&sets[1], &sets[2]),
        VideoCodec::H265 => params::hevc_config(&sets[0], &sets[1], &sets[2]),
    };
    (record.unwrap(), pictures)
}

/// Encodes a second of stereo AAC at 48 kHz and takes the ADTS frames apart: 1024 samples are 1920 ticks each.
pub(crate) fn aac(dir: &Path) -> Source {
    let input = "-v error -y -f lavfi -i sine=f=440:r=48000:d=1 -ac 2 -c:a aac -b:a 64k source.aac";
    tool("ffmpeg", dir, input);
    let stream = std::fs::read(dir.join("source.aac")).unwrap();
    let (mut rest, mut units) = (&stream[..], Vec::new());
    let mut config = [0; 2];
    while let [0xff, b1, b2, b3, b4, b5, ..] = *rest {
        assert_eq!(b1 & 1, 1, "ADTS without CRC");
        let (object, rate, channels) = ((b2 >> 6) + 1, b2 >> 2 & 15, (b2 & 1) << 2 | b3 >> 6);
        config = [object << 3 | rate >> 1, rate << 7 | channels << 3];
        let length = usize::from(b3 & 3) << 11 | usize::from(b4) << 3 | usize::from(b5 >> 5);
        let dts = units.len() as i64 * 1920;
        units.push(Unit { pts: dts, dts, duration: 1920, random_access: true, data: rest[7..length].to_vec() });
        rest = &rest[length..];
    }
    assert!(rest.is_empty());
    Source { format: Format::Audio(params::aac_format(&config).unwrap()), units }
}
