//! What the tests of this crate share: the runtime, the shared data, pictures by ffmpeg, the model's specification.
//!
//! Belongs here: finding and decoding. Does not belong here: what is expected of them.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a harness: a step that fails is a test that fails")]

use matthon_detect::{Picture, Runtime, fit};
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};
use vision::protocol::{ChannelOrder, Layout, ModelSpec};

/// The runtime: `MATTHON_ORT`, else what `tools/ort` fetched; `None` after noting the skip by name.
pub(crate) fn runtime(test: &str) -> Option<&'static Runtime> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let path = std::env::var_os("MATTHON_ORT")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../third_party/onnxruntime/libonnxruntime.so"), PathBuf::from);
    let runtime = RUNTIME.get_or_init(|| path.exists().then(|| Runtime::load(Some(&path)).unwrap()));
    if runtime.is_none() {
        assert!(std::env::var_os("MATTHON_SHARED").is_none(), "{} is missing: run tools/ort", path.display());
        skip(test, &path);
    }
    runtime.as_ref()
}

/// A file of the shared test data, or `None` after noting the skip by name.
pub(crate) fn shared(test: &str, file: &str) -> Option<PathBuf> {
    let root = std::env::var_os("MATTHON_SHARED").map(PathBuf::from);
    let path = root.clone().unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared")).join(file);
    if path.exists() {
        return Some(path);
    }
    assert!(root.is_none(), "{} is missing although MATTHON_SHARED is set", path.display());
    skip(test, &path);
    None
}

fn skip(test: &str, path: &Path) {
    if let Some(list) = std::env::var_os("MATTHON_SKIPS") {
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(list).unwrap();
        writeln!(file, "{test}").unwrap();
    }
    eprintln!("skipped: {test} needs {}", path.display());
}

/// The first `most` pictures of a file at `fps`, scaled to fit the input. `size` is the file's own.
pub(crate) fn pictures(file: &Path, size: (u32, u32), input: (u32, u32), fps: Option<u32>, most: u32) -> Vec<Picture> {
    let (width, height) = fit(input, size);
    let scale = format!("scale={width}:{height}:flags=bilinear:out_range=tv:out_color_matrix=bt601,format=yuv420p");
    let filter = fps.map_or_else(|| scale.clone(), |fps| format!("fps={fps},{scale}"));
    let out = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(file)
        .args(["-an", "-vf", &filter, "-frames:v", &most.to_string(), "-f", "rawvideo", "-"])
        .stderr(Stdio::inherit())
        .output()
        .expect("ffmpeg can be started");
    assert!(out.status.success(), "ffmpeg cannot decode {}", file.display());
    let bytes = Picture::bytes(width, height).unwrap();
    assert!(!out.stdout.is_empty() && out.stdout.len().is_multiple_of(bytes));
    out.stdout.chunks_exact(bytes).map(|data| Picture { width, height, data: data.to_vec() }).collect()
}

/// The specification of the shared `yolox_nano.onnx`, with all of COCO's words.
pub(crate) fn nano(labels: &Path) -> ModelSpec {
    let labels: Vec<_> = std::fs::read_to_string(labels).unwrap().lines().map(|l| Some(l.to_owned())).collect();
    assert_eq!(labels.len(), 80);
    ModelSpec {
        name: "yolox-nano".to_owned(),
        layout: Layout::Yolox,
        input: (416, 416),
        channels: ChannelOrder::Bgr,
        mean: [0.0; 3],
        scale: [1.0; 3],
        pad: 114,
        labels,
        threshold: 0.1,
        nms: 0.45,
    }
}
