//! The viewing copy of a package: made of what the master shows, marked, and never in the way of the package.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use domain::WallTime;
use matthon_tests::{
    Camsim, Village,
    api::Api,
    frames::decoded,
    until,
    village::now,
    worker::{kill_9, workers},
};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn unpacked(zip: &Path, into: &Path) -> (PathBuf, Value) {
    let unzip = Command::new("python3").args(["-m", "zipfile", "-e"]).arg(zip).arg(into).output().unwrap();
    assert!(unzip.status.success(), "{}", text(&unzip.stderr));
    let manifest = serde_json::from_slice(&std::fs::read(into.join("manifest.json")).unwrap()).unwrap();
    (into.to_owned(), manifest)
}

/// Codec, width, height and seconds, as ffprobe reads them.
fn probed(film: &Path) -> (String, u64, u64, f64) {
    let out = Command::new("ffprobe").args(["-v", "error", "-show_streams", "-show_format", "-of", "json"]).arg(film).output().unwrap();
    assert!(out.status.success() && out.stderr.is_empty(), "{}", text(&out.stderr));
    let json: Value = serde_json::from_slice(&out.stdout).unwrap();
    let video = json["streams"].as_array().unwrap().iter().find(|s| s["codec_type"] == "video").unwrap();
    let number = |v: &Value| v.as_u64().unwrap();
    let seconds = video["duration"].as_str().unwrap().parse().unwrap();
    (video["codec_name"].as_str().unwrap().to_owned(), number(&video["width"]), number(&video["height"]), seconds)
}

/// The grey pictures a player shows.
fn shown(film: &Path, (width, height): (usize, usize)) -> Vec<Vec<u8>> {
    let out = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(film)
        .args(["-map", "0:v:0", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "-"])
        .output()
        .unwrap();
    assert!(out.status.success() && out.stderr.is_empty(), "{}", text(&out.stderr));
    out.stdout.chunks(width * height).map(<[u8]>::to_vec).collect()
}

/// Peak signal to noise of some rows, dB.
fn psnr(a: &[u8], b: &[u8], rows: std::ops::Range<usize>, width: usize) -> f64 {
    let part = rows.start * width..rows.end * width;
    let square: f64 = a[part.clone()].iter().zip(&b[part.clone()]).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    10.0 * (255.0 * 255.0 / (square / part.len() as f64).max(1e-9)).log10()
}

async fn first_recorded(api: &Api, ids: &[&str], since: WallTime) -> WallTime {
    let mut first = since;
    for id in ids {
        let timeline = api.json(&format!("cameras/{id}/timeline?from={since}&to={}", now())).await;
        first = first.max(WallTime::parse(timeline["spans"][0]["from"].as_str().unwrap()).unwrap());
    }
    first
}

fn file<'a>(manifest: &'a Value, name: &str) -> &'a Value {
    manifest["files"].as_array().unwrap().iter().find(|f| f["name"] == name).unwrap_or_else(|| panic!("{name} in {manifest}"))
}

fn notes(manifest: &Value) -> String {
    manifest["notes"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_package_has_a_marked_viewing_copy_of_each_film() {
    const SIZE: (usize, usize) = (640, 360);
    let ids = ["cong", "cho"];
    let camsim = Camsim::start(&[
        "id=cong,size=640x360,sub=no,fps=15,gop=1s,bframes=2,audio=aac",
        "id=cho,size=640x360,sub=no,fps=15,gop=1s,codec=h265",
    ])
    .await;
    let village = Village::watching_mains(&camsim, &ids);
    let begun = now();
    let daemon = village.start().await;
    let api = village.admin().await;
    for id in ids {
        api.until_recorded(id, begun, 7_000_000, 60).await;
    }
    let first = first_recorded(&api, &ids, begun).await;
    let (from, to) = (first.plus_micros(1_300_000).to_string(), first.plus_micros(4_450_000).to_string());
    let zip = village.path().join("goi.zip");
    let out = zip.to_str().unwrap();
    let mut args = vec!["export", "--from", &from, "--to", &to, "--out", out, "--officer", "Tư", "--purpose", "thử"];
    for id in &ids {
        args.extend(["--camera", id]);
    }
    let made = village.matthon(&args, "").await;
    assert!(made.status.success(), "{}", text(&made.stderr));
    assert!(text(&made.stdout).contains("bản gốc là goc/cho-main.mp4"), "{}", text(&made.stdout));
    let good = village.matthon(&["verify", out], "").await;
    assert!(good.status.success(), "{}{}", text(&good.stdout), text(&good.stderr));

    let (dir, manifest) = unpacked(&zip, &village.path().join("goi"));
    for id in ids {
        let name = format!("ban-xem/{id}-main-ban-xem.mp4");
        assert_eq!(file(&manifest, &name)["what"], "view");
        let (master, copy) = (dir.join(format!("goc/{id}-main.mp4")), dir.join(name));
        let (codec, width, height, seconds) = probed(&copy);
        assert_eq!((codec.as_str(), width, height), ("h264", 640, 360));
        // Every picture of the master's range, once, as long as the master.
        assert_eq!(decoded(&copy), decoded(&master), "{id}");
        let of_master = probed(&master).3;
        assert!((seconds - of_master).abs() < 0.2, "{id}: {seconds} s instead of {of_master} s");
        let (marked, plain) = (shown(&copy, SIZE), shown(&master, SIZE));
        assert_eq!(marked.len(), plain.len());
        for (n, (marked, plain)) in marked.iter().zip(&plain).enumerate() {
            let part = |rows| psnr(marked, plain, rows, SIZE.0);
            let (top, between, bottom) = (part(0..20), part(40..320), part(340..360));
            assert!(between > 28.0 && top < 22.0 && bottom < 22.0, "{id}, picture {n}: {between} dB, marks {top} and {bottom}");
        }
        // The clock at the bottom goes on: letters differ between the first second and the last.
        let (one, last) = (&marked[0], marked.last().unwrap());
        assert!(psnr(one, last, 340..360, SIZE.0) < 35.0, "{id}");
        for n in 1..=3 {
            assert_eq!(file(&manifest, &format!("anh/{id}-{n}.jpg"))["what"], "still", "the command line has a worker");
        }
    }
    assert!(!notes(&manifest).contains("Không kèm bản xem"), "{}", notes(&manifest));
    if let Some(keep) = std::env::var_os("MATTHON_KEEP") {
        std::fs::copy(&zip, Path::new(&keep).join("viewing-copy.zip")).unwrap();
    }

    // The copy is judged as a file like any other.
    let whole = std::fs::read(&zip).unwrap();
    let copy = std::fs::read(dir.join("ban-xem/cho-main-ban-xem.mp4")).unwrap();
    let at = whole.windows(64).position(|w| w == &copy[copy.len() - 64..]).unwrap();
    let mut changed = whole;
    changed[at + 20] ^= 1;
    let bad = village.path().join("sua.zip");
    std::fs::write(&bad, &changed).unwrap();
    let said = village.matthon(&["verify", bad.to_str().unwrap()], "").await;
    assert_eq!(said.status.code(), Some(1));
    assert!(text(&said.stdout).contains("ban-xem/cho-main-ban-xem.mp4"), "{}", text(&said.stdout));

    // Whoever is in a hurry goes without.
    let fast = village.path().join("nhanh.zip");
    args[6] = fast.to_str().unwrap();
    args.push("--no-viewing-copy");
    let made = village.matthon(&args, "").await;
    assert!(made.status.success(), "{}", text(&made.stderr));
    let (_, manifest) = unpacked(&fast, &village.path().join("nhanh"));
    assert!(notes(&manifest).contains("người trích xuất không yêu cầu"), "{}", notes(&manifest));
    assert!(!manifest["files"].to_string().contains("ban-xem"));
    assert!(daemon.terminate().await.0.success());
    camsim.stop().await;
}

/// Asks the daemon for a package, and waits until a good part of its copy is made.
async fn half_made(api: &Api, from: &str, to: &str) -> String {
    let wish = json!({"cameras": ["cong"], "from": from, "to": to, "purpose": "xác minh", "officer": "Đại úy Tư"});
    let asked = api.post("exports", &wish).await;
    assert_eq!(asked.status(), 201, "{}", asked.text().await.unwrap());
    let id = api.json("exports").await["exports"][0]["id"].as_str().unwrap().to_owned();
    until("the copy is being made", Duration::from_secs(60), || async {
        let export = api.json(&format!("exports/{id}")).await;
        assert_eq!(export["state"], "running", "{export}");
        let (done, total) = (export["done"].as_u64()?, export["total"].as_u64().filter(|t| *t > 0)?);
        // The masters themselves are a thirtieth.
        (done * 100 / total > 8).then_some(())
    })
    .await;
    id
}

#[tokio::test]
async fn a_killed_worker_costs_the_copy_and_not_the_package() {
    let camsim = Camsim::start(&["id=cong,size=1280x720,sub=no,fps=25,gop=1s,bitrate=4M"]).await;
    let village = Village::watching_mains(&camsim, &["cong"]);
    let begun = now();
    let daemon = village.start().await;
    let api = village.admin().await;
    api.until_recorded("cong", begun, 14_000_000, 60).await;
    let first = first_recorded(&api, &["cong"], begun).await;
    let (from, to) = (first.plus_micros(500_000).to_string(), first.plus_micros(12_500_000).to_string());
    let main = until("the worker", Duration::from_secs(20), || async { workers(daemon.pid()).first().copied() }).await;

    // Called off in the middle: at once, and nothing is left.
    let id = half_made(&api, &from, &to).await;
    let url = format!("http://127.0.0.1:{}/api/v1/exports/{id}", village.port);
    let off = matthon_tests::http().delete(url).bearer_auth(api.token()).send().await.unwrap();
    assert_eq!(off.status(), 204);
    until("the package is called off", Duration::from_secs(10), || async {
        (api.json(&format!("exports/{id}")).await["state"] == "cancelled").then_some(())
    })
    .await;
    until("its worker is gone", Duration::from_secs(10), || async { (workers(daemon.pid()) == [main]).then_some(()) }).await;
    assert_eq!(std::fs::read_dir(village.path().join("data/exports")).unwrap().count(), 0);

    // Killed in the middle: the package is made all the same, and says so.
    let id = half_made(&api, &from, &to).await;
    let copying: Vec<u32> = workers(daemon.pid()).into_iter().filter(|pid| *pid != main).collect();
    assert_eq!(copying.len(), 1, "a copy has a worker of its own");
    kill_9(copying[0]);
    until("the package is done", Duration::from_secs(60), || async {
        let export = api.json(&format!("exports/{id}")).await;
        assert_ne!(export["state"], "failed", "{export}");
        (export["state"] == "done").then_some(())
    })
    .await;
    let zip = village.path().join("goi.zip");
    std::fs::write(&zip, api.get(&format!("exports/{id}.zip")).await.bytes().await.unwrap()).unwrap();
    let good = village.matthon(&["verify", zip.to_str().unwrap()], "").await;
    assert!(good.status.success(), "{}{}", text(&good.stdout), text(&good.stderr));
    let (dir, manifest) = unpacked(&zip, &village.path().join("goi"));
    assert!(
        notes(&manifest).contains("Không kèm bản xem của camera cong: chương trình giải mã hình bị dừng giữa chừng"),
        "{}",
        notes(&manifest)
    );
    assert!(!manifest["files"].to_string().contains("ban-xem") && decoded(&dir.join("goc/cong-main.mp4")) > 250);
    assert!(text(&good.stdout).contains("Không kèm bản xem"), "{}", text(&good.stdout));
    // Live detection's worker was not touched.
    assert_eq!(workers(daemon.pid()), [main]);

    // One camera: one film, under its plain name.
    let wish =
        json!({"cameras": ["cong"], "from": from, "to": first.plus_micros(2_500_000).to_string(), "purpose": "xác minh", "officer": "Tư"});
    assert_eq!(api.post("exports", &wish).await.status(), 201);
    let id = api.json("exports").await["exports"][0]["id"].as_str().unwrap().to_owned();
    until("the package is done", Duration::from_secs(60), || async {
        (api.json(&format!("exports/{id}")).await["state"] == "done").then_some(())
    })
    .await;
    std::fs::write(&zip, api.get(&format!("exports/{id}.zip")).await.bytes().await.unwrap()).unwrap();
    let (dir, manifest) = unpacked(&zip, &village.path().join("mot"));
    assert_eq!(file(&manifest, "ban-xem.mp4")["what"], "view");
    assert_eq!(decoded(&dir.join("ban-xem.mp4")), decoded(&dir.join("goc/cong-main.mp4")));
    assert!(daemon.terminate().await.0.success());
    camsim.stop().await;
}
