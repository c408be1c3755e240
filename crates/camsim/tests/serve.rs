//! `camsim serve` seen by ffmpeg and ffprobe over TCP.

#![allow(clippy::unwrap_used)] // helpers of tests are tests: a panic is how they fail

#[allow(missing_docs, unreachable_pub)]
mod support;

use std::collections::HashMap;

use support::{Camsim, Reader, canonical, copy, probe, refused};

/// Enough to see the second GOP.
const FRAMES: u32 = 40;

/// A small stream, so that many cost little.
fn small(id: &str, options: &str) -> String {
    format!("id={id},size=320x240,sub-size=160x120,fps=15,sub-fps=10,gop=1s,{options}")
}

fn start(cameras: &[String]) -> Camsim {
    Camsim::start(&cameras.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Compares `frames` received access units of a camera with the sent log.
fn exact(camsim: &Camsim, name: &str, h265: bool, data: &[u8]) {
    let got = canonical(data, h265);
    let sent: HashMap<u64, _> = camsim.sent(name).into_iter().map(|v| (v["n"].as_u64().unwrap(), v)).collect();
    assert_eq!(got.len(), FRAMES as usize, "{name}");
    let key = |n: u32| sent[&u64::from(n)]["key"] == true;
    // A client that is slow to PLAY has the unit it was DESCRIBEd by, and goes on at the next random access unit (`camera.rs`).
    let late = got[1].0 > got[0].0 + 1 && key(got[1].0);
    for pair in got[usize::from(late)..].windows(2) {
        assert_eq!(pair[0].0 + 1, pair[1].0, "{name}: a frame is missing");
    }
    assert!(key(got[0].0), "{name} begins with a random access unit");
    for (number, bytes, sha256) in got {
        let truth = &sent[&u64::from(number)];
        assert_eq!(truth["bytes"].as_u64(), Some(bytes as u64), "{name} #{number}");
        assert_eq!(truth["sha256"].as_str(), Some(sha256.as_str()), "{name} #{number}");
    }
}

/// Presentation times of the log: they rise, except with B-frames.
fn reorders(camsim: &Camsim, name: &str) -> bool {
    let times: Vec<u64> = camsim.sent(name).iter().map(|v| v["pts90k"].as_u64().unwrap()).collect();
    !times.is_sorted()
}

#[test]
fn video_arrives_as_the_sent_log_says() {
    let camsim = start(&[
        small("plain", ""),
        small("hevc", "codec=h265,sub=no"),
        small("b", "bframes=2,sub=no"),
        small("hevc-b", "codec=h265,bframes=2,sub=no"),
        small("open", "open-gop=yes,sub=no"),
        small("hevc-open", "codec=h265,open-gop=yes,sub=no"),
    ]);
    assert_eq!(camsim.cameras[0]["sub"], camsim.url("plain/sub"));
    assert!(camsim.cameras[1]["sub"].is_null());
    let streams = [
        ("plain/main", "h264"),
        ("plain/sub", "h264"),
        ("hevc/main", "hevc"),
        ("b/main", "h264"),
        ("hevc-b/main", "hevc"),
        ("open/main", "h264"),
        ("hevc-open/main", "hevc"),
    ];
    let copies = streams.map(|(name, format)| {
        let url = camsim.url(name);
        std::thread::spawn(move || copy(&url, format, FRAMES))
    });
    for ((name, format), copied) in streams.into_iter().zip(copies) {
        exact(&camsim, name, format == "hevc", &copied.join().unwrap());
    }
    for (name, wanted) in [
        ("plain/main", false),
        ("hevc/main", false),
        ("b/main", true),
        ("hevc-b/main", true),
        ("open/main", true),
        ("hevc-open/main", true),
    ] {
        assert_eq!(reorders(&camsim, name), wanted, "{name}");
    }
    camsim.end();
}

#[test]
fn a_file_is_looped_without_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clip.mp4");
    let made = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=25:duration=1", "-bf", "2"])
        .arg(&file)
        .status();
    assert!(made.unwrap().success());
    let camsim = start(&[small("clip", &format!("source={}", file.display()))]);
    let (main, sub) = (copy(&camsim.url("clip/main"), "h264", FRAMES), copy(&camsim.url("clip/sub"), "h264", FRAMES));
    exact(&camsim, "clip/main", false, &main);
    exact(&camsim, "clip/sub", false, &sub);
    let times: Vec<u64> = camsim.sent("clip/main").iter().map(|v| v["pts90k"].as_u64().unwrap()).collect();
    assert!(times.windows(2).all(|w| (5999..=6001).contains(&(w[1] - w[0]))), "{times:?}");
    camsim.end();
}

#[test]
fn sound_and_logins() {
    let camsim = start(&[
        small("aac", "audio=aac"),
        small("pcma", "audio=pcma,sub=no"),
        small("pcmu", "audio=pcmu,sub=no"),
        small("locked", "user=admin,password=bí mật,sub=no"),
        small("other", "user=guest,password=guest,sub=no"),
    ]);
    assert_eq!(probe(&camsim.url("aac/main")).unwrap(), ["h264,320,240", "aac"]);
    assert_eq!(probe(&camsim.url("aac/sub")).unwrap(), ["h264,160,120", "aac"]);
    assert_eq!(probe(&camsim.url("pcma/main")).unwrap(), ["h264,320,240", "pcm_alaw"]);
    assert_eq!(probe(&camsim.url("pcmu/main")).unwrap(), ["h264,320,240", "pcm_mulaw"]);

    let login = |login: &str, path: &str| probe(&format!("rtsp://{login}@{}/{path}", camsim.address()));
    for wrong in ["admin:wrong", "nobody:x", "guest:guest"] {
        let error = login(wrong, "locked/main").unwrap_err();
        assert!(error.contains("401"), "{wrong}: {error}");
    }
    assert!(probe(&camsim.url("locked/main")).unwrap_err().contains("401"));
    assert_eq!(login("admin:b%C3%AD%20m%E1%BA%ADt", "locked/main").unwrap(), ["h264,320,240"]);
    assert_eq!(login("guest:guest", "other/main").unwrap(), ["h264,320,240"]);
    assert!(probe(&camsim.url("nobody/main")).unwrap_err().contains("404"));
    camsim.end();
}

#[test]
fn switches_do_what_they_say() {
    let mut camsim = start(&[small("a", ""), small("b", "")]);
    let mut a = Reader::open(&camsim.url("a/main"), "h264", None);
    let mut b = Reader::open(&camsim.url("b/main"), "h264", None);
    assert!(a.until(|n| n.len() > 5) && b.until(|n| n.len() > 5));

    // Nothing comes while it is frozen, and what was missed shows in the numbers.
    let holes = |n: &[u32]| n.windows(2).filter(|w| w[1] != w[0] + 1).count();
    camsim.switch("freeze a 0.7");
    assert!(a.until(|n| holes(n) == 1 && n.len() > 10));

    camsim.switch("kick a");
    assert!(!a.until(|_| false), "the session is closed");
    let mut a = Reader::open(&camsim.url("a/main"), "h264", None);
    assert!(a.until(|n| n.len() > 5 && holes(n) == 0));

    camsim.switch("lose a 0.5");
    assert!(a.until(|n| holes(n) > 3));
    camsim.switch("lose a 0");
    camsim.switch("corrupt a 1");
    camsim.switch("corrupt a 0");

    camsim.switch("resize a 640x480");
    assert!(!a.until(|_| false), "the session is closed");
    assert_eq!(probe(&camsim.url("a/main")).unwrap(), ["h264,640,480"]);
    assert_eq!(probe(&camsim.url("a/sub")).unwrap(), ["h264,160,120"]);
    camsim.switch("resize a/sub 320x240");
    assert_eq!(probe(&camsim.url("a/sub")).unwrap(), ["h264,320,240"]);

    for (code, said) in [(404, "404"), (453, "453"), (503, "503")] {
        camsim.switch(&format!("refuse a {code}"));
        let error = probe(&camsim.url("a/main")).unwrap_err();
        assert!(error.contains(said) || error.contains("4XX") || error.contains("5XX"), "{error}");
    }
    camsim.switch("refuse a 0");
    camsim.switch("drop a");
    assert!(probe(&camsim.url("a/main")).is_err());
    camsim.switch("up a");
    assert!(probe(&camsim.url("a/main")).is_ok());

    // The neighbour noticed nothing of it all.
    let seen = camsim.sent("b/main").len();
    assert!(b.until(|n| n.len() > seen && holes(n) == 0));

    for wrong in ["drop nobody", "fly a", "lose a 7"] {
        assert_eq!(camsim.tell(wrong)["ok"], false, "{wrong}");
    }
    assert_eq!(camsim.tell("quit")["ok"], true);
    camsim.end();
}

#[test]
fn mistakes_are_told_before_anything_starts() {
    let (status, said) = refused(&["serve", "--camera", "id=a,codec=vp9"]);
    assert_eq!((status, said.contains("codec=vp9: h264 or h265")), (Some(2), true), "{said}");
    let (status, said) = refused(&["serve", "--listen", "nowhere"]);
    assert_eq!((status, said.contains("--listen")), (Some(2), true), "{said}");
    let (status, said) = refused(&["serve", "--listen", "127.0.0.1:0", "--camera", "id=a,source=/no/such.mp4"]);
    assert_eq!((status, said.contains("camera a main: source /no/such.mp4: there is no such file")), (Some(1), true), "{said}");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (status, said) = refused(&["serve", "--listen", &address, "--camera", "id=a,size=320x240,sub=no"]);
    assert_eq!((status, said.contains(&format!("cannot listen on {address}"))), (Some(1), true), "{said}");
}
