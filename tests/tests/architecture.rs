//! The invariants of absence (ARCHITECTURE.md), executed over the crates' own manifests.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

/// Who may name whom: lowest first, an arrow goes down only, siblings do not know each other.
const MAY_DEPEND_ON: &[(&str, &[&str])] = &[
    ("matthon-domain", &[]),
    ("matthon-media", &["matthon-domain"]),
    ("matthon-config", &["matthon-domain"]),
    ("matthon-hub", &["matthon-domain"]),
    ("matthon-ingest", &["matthon-domain", "matthon-media"]),
    ("matthon-ring", &["matthon-domain", "matthon-media"]),
    ("matthon-store", &["matthon-domain"]),
    ("matthon-analytics", &["matthon-domain"]),
    ("matthon-live", &["matthon-domain", "matthon-media", "matthon-hub"]),
    ("matthon-rtc", &["matthon-domain", "matthon-media", "matthon-hub"]),
    ("matthon-vision", &["matthon-domain", "matthon-media", "matthon-hub"]),
    ("matthon-alerts", &["matthon-domain"]),
    ("matthon-cases", &["matthon-domain", "matthon-store"]),
    ("matthon-door", &["matthon-domain"]),
    // A package is made of ring records, and judged without a ring.
    ("matthon-evidence", &["matthon-domain", "matthon-media", "matthon-ring"]),
    (
        "matthon-web",
        &[
            "matthon-domain",
            "matthon-media",
            "matthon-hub",
            "matthon-ring",
            "matthon-store",
            "matthon-live",
            "matthon-rtc",
            "matthon-cases",
            "matthon-evidence",
            "matthon-door",
        ],
    ),
    (
        "matthon",
        &[
            "matthon-domain",
            "matthon-media",
            "matthon-config",
            "matthon-hub",
            "matthon-ingest",
            "matthon-ring",
            "matthon-store",
            "matthon-analytics",
            "matthon-live",
            "matthon-rtc",
            "matthon-vision",
            "matthon-alerts",
            "matthon-cases",
            "matthon-evidence",
            "matthon-door",
            "matthon-web",
        ],
    ),
    // The worker's side of the border: of the core's crates it knows the words and the protocol.
    ("matthon-detect", &["matthon-domain", "matthon-vision"]),
    ("matthon-worker", &["matthon-domain", "matthon-media", "matthon-vision", "matthon-detect"]),
    ("camsim", &["matthon-domain"]),
    // The real core without its binary, driven by hand.
    (
        "matthon-sim",
        &["matthon-domain", "matthon-media", "matthon-hub", "matthon-ingest", "matthon-ring", "matthon-vision", "matthon-analytics"],
    ),
    ("matthon-tests", &["matthon-domain"]),
    // Every reader of strangers' bytes; named by nobody.
    (
        "matthon-fuzz",
        &[
            "matthon-domain",
            "matthon-media",
            "matthon-config",
            "matthon-ring",
            "matthon-store",
            "matthon-live",
            "matthon-rtc",
            "matthon-vision",
            "matthon-alerts",
            "matthon-evidence",
            "matthon-web",
        ],
    ),
    (
        "matthon-benches",
        &["matthon-domain", "matthon-media", "matthon-ingest", "matthon-ring", "matthon-store", "matthon-evidence", "matthon-tests"],
    ),
];

fn metadata() -> Value {
    // Of this platform alone: nobody has fetched what only others need.
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", &platform])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

#[test]
fn arrows_between_crates_go_down_only() {
    let metadata = metadata();
    let members: BTreeSet<&str> = metadata["workspace_members"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let allowed: BTreeMap<_, _> = MAY_DEPEND_ON.iter().copied().collect();
    let own = |name: &str| allowed.contains_key(name);
    let packages = metadata["packages"].as_array().unwrap().iter().filter(|p| members.contains(p["id"].as_str().unwrap()));
    let mut seen = BTreeSet::new();
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let may = allowed.get(name).unwrap_or_else(|| panic!("crate {name} has no line in this table"));
        seen.insert(name);
        for dependency in package["dependencies"].as_array().unwrap() {
            let on = dependency["name"].as_str().unwrap();
            assert!(!own(on) || may.contains(&on), "{name} must not depend on {on}: see ARCHITECTURE.md");
        }
    }
    assert_eq!(seen.len(), MAY_DEPEND_ON.len(), "the table names a crate that is gone");
}

/// Everything a package pulls in, by the resolved graph (without dev-dependencies).
fn closure(metadata: &Value, root: &str) -> BTreeSet<String> {
    let nodes: BTreeMap<&str, &Value> =
        metadata["resolve"]["nodes"].as_array().unwrap().iter().map(|n| (n["id"].as_str().unwrap(), n)).collect();
    let names: BTreeMap<&str, &str> =
        metadata["packages"].as_array().unwrap().iter().map(|p| (p["id"].as_str().unwrap(), p["name"].as_str().unwrap())).collect();
    let start = names.iter().find(|(_, n)| **n == root).map(|(id, _)| *id).unwrap();
    let (mut todo, mut found) = (vec![start], BTreeSet::new());
    while let Some(id) = todo.pop() {
        for dep in nodes[id]["deps"].as_array().unwrap() {
            let built = dep["dep_kinds"].as_array().unwrap().iter().any(|k| k["kind"].is_null());
            let to = dep["pkg"].as_str().unwrap();
            if built && found.insert(names[to].to_owned()) {
                todo.push(to);
            }
        }
    }
    found
}

#[test]
fn the_core_links_no_media_library() {
    let found = closure(&metadata(), "matthon");
    for forbidden in
        ["gstreamer", "gstreamer-sys", "ort", "ort-sys", "ffmpeg-next", "ffmpeg-sys-next", "openssl-sys", "aws-lc-sys", "native-tls"]
    {
        assert!(!found.contains(forbidden), "the core must not link {forbidden}");
    }
}

/// A library, and who may name it; `true` for what only measures and tests with it.
const NAMED_BY: &[(&str, &[(&str, bool)])] = &[
    ("rusqlite", &[("matthon-store", false)]),
    ("retina", &[("matthon-ingest", false)]),
    ("str0m", &[("matthon-rtc", false)]),
    ("ort", &[("matthon-detect", false), ("matthon-worker", true)]),
    ("gstreamer", &[("matthon-worker", false), ("camsim", false)]),
    ("landlock", &[("matthon-worker", false)]),
];

#[test]
fn libraries_are_named_by_their_owners_alone() {
    let metadata = metadata();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        if !MAY_DEPEND_ON.iter().any(|(n, _)| *n == name) {
            continue;
        }
        for dependency in package["dependencies"].as_array().unwrap() {
            let Some((library, owners)) = NAMED_BY.iter().find(|(library, _)| dependency["name"] == *library) else { continue };
            let development = dependency["kind"] == "dev";
            let may = owners.iter().any(|(owner, only_development)| *owner == name && (development || !only_development));
            assert!(may, "{name} must not name {library}: see ARCHITECTURE.md");
        }
    }
}

#[test]
fn pure_crates_carry_their_ban_on_clocks_files_and_sockets() {
    for pure in ["domain", "media", "hub", "analytics"] {
        let path = format!("{}/../crates/{pure}/clippy.toml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{path} is missing"));
        for banned in ["SystemTime::now", "Instant::now", "File::open", "TcpStream::connect"] {
            assert!(text.contains(banned), "{path} does not forbid {banned}");
        }
    }
}
