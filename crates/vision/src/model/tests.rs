//! Manifests, checksums, installing.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use super::*;
use crate::protocol::Layout;
use std::{fs, io::Read, io::Write, path::Path};

/// A library with one model in a folder of its own; no file has its checksum.
fn small() -> (tempfile::TempDir, Library) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("small.toml"), manifest("small")).unwrap();
    let library = Library::new(vec![dir.path().join("first"), dir.path().to_owned()]);
    (dir, library)
}

fn manifest(name: &str) -> String {
    format!(
        r#"
name = "{name}"
licence = "MIT"
source = "https://example.org/{name}.onnx"
layout = "yolox"
input = [64, 32]
channels = "rgb"
mean = [0, 0.5, 1]
scale = [1, 1, 1]
pad = 0
threshold = 0.25
nms = 0.5
classes = ["car", "tree", "cow"]
[[weights]]
bytes = 7
sha256 = "{}"
[labels]
cow = "cow"
car = "vehicle"
"#,
        WRONG
    )
}

/// A checksum no file of these tests has.
const WRONG: &str = "0000000000000000000000000000000000000000000000000000000000000001";

/// The same with the checksum of the word "weights".
fn right(dir: &Path) -> Library {
    use sha2::{Digest, Sha256};
    let sum: String = Sha256::digest(b"weights").iter().map(|b| format!("{b:02x}")).collect();
    fs::write(dir.join("small.toml"), manifest("small").replace(WRONG, &sum)).unwrap();
    Library::new(vec![dir.join("first"), dir.to_owned()])
}

#[test]
fn the_manifests_of_the_program_are_whole() {
    let library = Library::new(Vec::new());
    assert_eq!(library.names().collect::<Vec<_>>(), ["thon-nano", "yolox-nano", "yolox-s", "yolox-tiny"]);
    assert_eq!(library.problems().count(), 0);
    for name in library.names().filter(|name| *name != "thon-nano") {
        let manifest = library.manifest(name).unwrap();
        let spec = manifest.spec();
        assert_eq!(spec.labels.len(), 80);
        let told: Vec<_> = (0..80).filter(|&i| spec.labels[i].is_some()).collect();
        assert_eq!(told, [0, 1, 2, 3, 5, 7, 16, 17, 18, 19], "{name}: COCO's order");
        assert_eq!(spec.labels[2].as_deref(), Some("car"));
        assert!(manifest.tells().contains(&"motorcycle"));
        assert!(manifest.summary.is_some() && manifest.source.is_some() && !manifest.demo_only);
    }
    // Our own comes with the program and is for drawn pictures alone.
    let own = library.manifest("thon-nano").unwrap();
    assert!(own.demo_only && own.source.is_none());
    assert!(["person", "motorcycle", "car", "truck"].iter().all(|word| own.tells().contains(word)));
    assert_eq!(library.load("thon-nano").unwrap().sha256, own.weights[0].sha256);
    let nano = library.manifest("yolox-nano").unwrap();
    let sums: Vec<_> = nano.weights.iter().map(|w| (&w.sha256[..8], w.bytes)).collect();
    assert_eq!(sums, [("c789161e", 3_659_407), ("695e750a", 3_660_092)]);
}

#[test]
fn the_shared_export_of_yolox_nano_is_taken() {
    let root = std::env::var_os("MATTHON_SHARED").map(PathBuf::from);
    let dir = root.clone().unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared")).join("data/models");
    let path = dir.join("yolox_nano.onnx");
    if !path.exists() {
        assert!(root.is_none(), "{} is missing although MATTHON_SHARED is set", path.display());
        if let Some(list) = std::env::var_os("MATTHON_SKIPS") {
            let file = fs::OpenOptions::new().append(true).create(true).open(list);
            file.and_then(|mut f| writeln!(f, "the_shared_export_of_yolox_nano_is_taken")).unwrap();
        }
        return eprintln!("skipped: the_shared_export_of_yolox_nano_is_taken needs {}", path.display());
    }
    let home = tempfile::tempdir().unwrap();
    let library = Library::new(vec![home.path().to_owned()]);
    assert!(matches!(library.load("yolox-nano"), Err(ModelError::Missing { .. })));
    assert_eq!(library.install("yolox-nano", &path).unwrap(), home.path().join("yolox-nano.onnx"));
    let model = library.load("yolox-nano").unwrap();
    assert_eq!(&model.sha256[..8], "695e750a");
    assert_eq!(model.spec.input, (416, 416));
    // The same bytes are not another model.
    let refused = library.install("yolox-tiny", &path).unwrap_err().to_string();
    assert!(refused.contains("model `yolox-tiny` is refused") && refused.contains("695e750a"), "{refused}");
}

#[test]
fn a_model_is_loaded_into_memory_nobody_can_change() {
    let (dir, _) = small();
    let library = right(dir.path());
    fs::write(dir.path().join("small.onnx"), b"weights").unwrap();
    let model = library.load("small").unwrap();
    assert_eq!(model.spec.layout, Layout::Yolox);
    assert_eq!(model.spec.labels, [Some("vehicle".to_owned()), None, Some("cow".to_owned())]);
    for _ in 0..2 {
        // Each worker reads from the beginning, whatever another one did.
        let mut file = fs::File::from(model.descriptor().unwrap());
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, b"weights");
        assert!(file.write_all(b"x").is_err());
    }
    let own = fs::File::from(model.bytes.try_clone().unwrap());
    assert!((&own).write_all(b"x").is_err() && own.set_len(0).is_err(), "not even the core can");
}

#[test]
fn a_wrong_checksum_is_refused_by_name_with_both_sums_and_the_fix() {
    let (dir, library) = small();
    fs::write(dir.path().join("small.onnx"), b"weights").unwrap();
    let error = library.load("small").unwrap_err();
    assert!(matches!(&error, ModelError::Checksum { name, .. } if name == "small"));
    let text = error.to_string();
    for part in ["`small` is refused", "small.onnx has sha256 ", WRONG, "matthon models pull small"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let listed = library.list().into_iter().find(|e| e.manifest.name == "small").unwrap();
    assert!(matches!(listed.state, Installed::Refused(_)));
    // Longer than any that is allowed: refused without being read to its end.
    fs::write(dir.path().join("small.onnx"), vec![0; 1 << 20]).unwrap();
    assert!(library.load("small").unwrap_err().to_string().contains("more than 7 bytes"));
}

#[test]
fn a_download_is_installed_whole_and_right_or_not_at_all() {
    let (dir, _) = small();
    let library = right(dir.path());
    let first = dir.path().join("first");
    let files = || fs::read_dir(&first).map(|d| d.count()).unwrap_or(0);

    let mut half = library.writer("small").unwrap();
    half.write_all(b"wei").unwrap();
    drop(half);
    assert_eq!(files(), 0, "what was broken off leaves nothing");

    let mut wrong = library.writer("small").unwrap();
    wrong.write_all(b"heights").unwrap();
    assert!(matches!(wrong.finish(), Err(ModelError::Checksum { .. })));
    let mut long = library.writer("small").unwrap();
    assert!(long.write_all(b"weights and more").is_err());
    drop(long);
    assert_eq!(files(), 0);

    let mut good = library.writer("small").unwrap();
    good.write_all(b"wei").unwrap();
    good.write_all(b"ghts").unwrap();
    assert_eq!(good.finish().unwrap(), first.join("small.onnx"));
    assert_eq!(files(), 1);
    assert!(matches!(library.list().iter().find(|e| e.manifest.name == "small").unwrap().state, Installed::Good { .. }));
}

#[test]
fn what_is_not_there_is_told_with_the_fix() {
    let (dir, library) = small();
    let missing = library.load("small").unwrap_err().to_string();
    assert!(missing.contains("matthon models pull small") && missing.contains(&dir.path().display().to_string()), "{missing}");
    let unknown = library.load("yolo").unwrap_err().to_string();
    assert_eq!(unknown, "there is no model `yolo`: use one of small, thon-nano, yolox-nano, yolox-s, yolox-tiny");
    assert!(matches!(Library::new(Vec::new()).writer("yolox-s"), Err(ModelError::NoFolder { .. })));
}

#[test]
fn a_manifest_of_the_folder_wins_over_the_built_in_one_even_when_it_is_broken() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("yolox-s.toml"), manifest("yolox-s")).unwrap();
    fs::write(dir.path().join("yolox-tiny.toml"), "name = 5").unwrap();
    fs::write(dir.path().join("other.toml"), manifest("another")).unwrap();
    let library = Library::new(vec![dir.path().to_owned()]);
    assert_eq!(library.manifest("yolox-s").unwrap().input, [64, 32]);
    assert!(matches!(library.manifest("yolox-tiny"), Err(ModelError::Manifest { .. })), "never silently another one");
    assert!(library.manifest("other").unwrap_err().to_string().contains("`another`"));
    assert_eq!(library.problems().count(), 2);
}

#[test]
fn mistakes_of_a_manifest_are_named() {
    let good = manifest("small");
    Manifest::parse("good.toml", &good).unwrap();
    let cases = [
        ("name = \"small\"", "name = \"Small/..\"", "name must be"),
        ("input = [64, 32]", "input = [64, 33]", "input must be"),
        ("input = [64, 32]", "input = [64, 4096]", "input must be"),
        ("scale = [1, 1, 1]", "scale = [1, 0, 1]", "scale must be"),
        ("mean = [0, 0.5, 1]", "mean = [0, nan, 1]", "mean must be"),
        ("threshold = 0.25", "threshold = 1", "threshold must be"),
        ("nms = 0.5", "nms = 1.5", "nms must be"),
        ("layout = \"yolox\"", "layout = \"yolo9\"", "yolo9"),
        ("https://", "http://", "source must begin"),
        ("classes = [\"car\", \"tree\", \"cow\"]", "classes = \"coco\"", "classes must be"),
        ("cow = \"cow\"", "pig = \"pig\"", "`pig` is none of"),
        ("cow = \"cow\"", "cow = \"Bò\"", "`Bò` must be"),
        ("bytes = 7", "bytes = 0", "bytes must be"),
        ("bytes = 7", "bytes = 7\nsize = 8", "size"),
        (WRONG, "00", "sha256 must be"),
    ];
    for (from, to, told) in cases {
        assert!(good.contains(from), "{from}");
        let error = Manifest::parse("bad.toml", &good.replace(from, to)).unwrap_err().to_string();
        assert!(error.starts_with("bad.toml: ") && error.contains(told), "{to}: {error}");
    }
}
