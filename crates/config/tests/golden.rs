//! One bad file for each kind of mistake, beside the exact message it must be answered with.
//! `GOLDEN=write cargo test -p matthon-config --test golden` writes the messages anew: read the difference before committing it.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fall like the tests")]

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

fn bad_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|f| f.extension() == Some(OsStr::new("toml")));
    files.sort();
    files
}

#[test]
fn each_mistake_is_answered_with_its_message() {
    let files = bad_files();
    assert!(files.len() > 80, "the folder of bad files was found");
    let mut different = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let answer = match matthon_config::parse(&text, "matthon.toml", Path::new("/etc/matthon")) {
            Ok(_) => "no mistake\n".to_owned(),
            Err(mistakes) => format!("{mistakes}\n"),
        };
        let golden = file.with_extension("txt");
        if std::env::var_os("GOLDEN").is_some_and(|v| v == "write") {
            fs::write(&golden, &answer).unwrap();
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        if answer != expected || answer == "no mistake\n" {
            different.push(format!("{}\n  expected: {expected}  answered: {answer}", file.display()));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn no_message_shows_a_password() {
    for file in bad_files() {
        let text = fs::read_to_string(&file).unwrap();
        let answer = format!("{:?}", matthon_config::parse(&text, "matthon.toml", Path::new("/etc/matthon")));
        assert!(!answer.contains("hunter2"), "{}", file.display());
    }
}
