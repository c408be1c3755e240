//! What is in a file, as an independent reader sees it.

use crate::camsim::Sent;
use serde_json::Value;
use std::{path::Path, process::Command};

/// One access unit of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Presentation time in 90 kHz ticks, if the file's time base is that.
    pub pts: i64,
    /// Decoding time.
    pub dts: i64,
    /// Marked as a key frame.
    pub key: bool,
}

/// Every video frame of a file, in decoding order, read by ffprobe.
///
/// # Panics
/// When ffprobe fails or finds an error.
#[must_use]
pub fn frames(file: &Path) -> Vec<Frame> {
    let probed = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-ignore_editlist",
            "1",
            "-select_streams",
            "v:0",
            "-show_packets",
            "-show_data_hash",
            "sha256",
            "-of",
            "json",
        ])
        .arg(file)
        .output()
        .expect("ffprobe is installed");
    assert!(probed.status.success() && probed.stderr.is_empty(), "{}", String::from_utf8_lossy(&probed.stderr));
    let json: Value = serde_json::from_slice(&probed.stdout).unwrap();
    let packets = json["packets"].as_array().unwrap();
    packets
        .iter()
        .map(|p| Frame {
            sha256: p["data_hash"].as_str().unwrap().trim_start_matches("SHA256:").to_lowercase(),
            pts: p["pts"].as_i64().unwrap(),
            dts: p["dts"].as_i64().unwrap(),
            key: p["flags"].as_str().unwrap().starts_with('K'),
        })
        .collect()
}

/// Decodes a file whole and gives the number of pictures; any decoder error fails.
///
/// # Panics
/// On any error.
#[must_use]
pub fn decoded(file: &Path) -> usize {
    let run = Command::new("ffmpeg")
        .args(["-v", "error", "-xerror", "-i"])
        .arg(file)
        .args(["-map", "0:v:0", "-fps_mode", "passthrough", "-f", "framemd5", "-"])
        .output()
        .expect("ffmpeg is installed");
    if let (false, Some(dir)) = (run.stderr.is_empty(), std::env::var_os("MATTHON_KEEP")) {
        std::fs::copy(file, Path::new(&dir).join(format!("{}.mp4", std::process::id()))).expect("the failing file can be kept");
    }
    assert!(run.status.success() && run.stderr.is_empty(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8_lossy(&run.stdout).lines().filter(|l| !l.starts_with('#')).count()
}

/// Asserts that the frames of a file are exactly a contiguous part of what the camera sent, with the camera's own
/// spacing, beginning with a key frame; gives the indices in `sent` of the first frame and of the one after the last.
/// Where a file begins at the key frame of an open GOP, the leading pictures behind it are not in it: they show
/// before it and need pictures from before it.
///
/// # Panics
/// When they are not.
#[must_use]
pub fn assert_contiguous(frames: &[Frame], sent: &[Sent]) -> std::ops::Range<usize> {
    let first = frames.first().expect("the file has frames");
    assert!(first.key, "the file begins with a key frame");
    let begin = sent.iter().position(|s| s.sha256 == first.sha256).expect("the first frame was sent by the camera");
    let start = sent[begin].pts90k;
    let mut joined = false;
    let expected = sent.iter().enumerate().skip(begin).filter(|(i, s)| {
        joined |= *i > begin && s.key;
        joined || s.pts90k >= start
    });
    let (mut end, mut cut) = (begin, 0);
    let mut expected = expected;
    for (i, frame) in frames.iter().enumerate() {
        let (at, original) = expected.next().unwrap_or_else(|| panic!("frame {i} of {} was never sent", frames.len()));
        assert_eq!(frame.sha256, original.sha256, "frame {i} (camera's {}) differs", original.n);
        assert_eq!(frame.key, original.key, "frame {i} (camera's {}): key flag", original.n);
        let (here, there) = (frame.pts - first.pts, original.pts90k - start - cut);
        if i == 1 && original.n != sent[begin].n + 1 && here < there {
            // A session's first picture is the one it was DESCRIBEd by: what the camera let pass until PLAY is a hole, and holes are cut.
            cut = there - here;
            end = at + 1;
            continue;
        }
        assert!((here - there).abs() <= 1, "frame {i} (camera's {}): {here} ticks after the first, sent {there}", original.n);
        end = at + 1;
    }
    assert!(frames.windows(2).all(|w| w[0].dts < w[1].dts), "decoding times rise");
    begin..end
}
