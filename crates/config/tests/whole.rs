//! Whole files: the contract's example, the shipped one, defaults, warnings, secrets, and files broken at random.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fall like the tests")]

use domain::{Channel, Secret};
use matthon_config::{Certificate, Config, Language, Loaded, Mistakes, Rule, load, parse};
use proptest::prelude::*;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

const CONTRACT: &str = include_str!("contract.toml");
const SHIPPED: &str = include_str!("../../../config/matthon.toml");
const SMALL: &str = "[site]\nname = \"x\"\n[storage]\ndata = \"data\"\n[[ring]]\nname = \"main\"\npaths = [\"ring\"]\nsize = \"1TB\"\n";

/// A folder with the password file the examples name.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("secrets")).unwrap();
    write(&dir.path().join("secrets/cong-lang"), "mật khẩu\n", 0o600);
    dir
}

fn write(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn small(more: &str) -> Result<Loaded, Mistakes> {
    parse(&format!("{SMALL}{more}"), "matthon.toml", Path::new("/etc/matthon"))
}

fn camera(more: &str) -> String {
    format!("[[camera]]\nid = \"c\"\nmain = \"rtsp://10.0.0.1/m\"\nsub = \"rtsp://10.0.0.1/s\"\n{more}\n")
}

#[test]
fn the_contract_is_read_in_full() {
    let dir = folder();
    let Loaded { config, warnings, .. } = parse(CONTRACT, "matthon.toml", dir.path()).unwrap();
    assert_eq!(warnings, []);
    assert_eq!((config.site.name.as_str(), config.site.language), ("Thôn Duyên Hy", Language::Vi));
    assert_eq!(config.privacy.as_ref().unwrap().keep, Some(Duration::from_secs(15 * 86_400)));
    let ring = &config.rings[0];
    assert_eq!((ring.size, ring.block_size, ring.sync), (8_000_000_000_000, 256 << 20, Duration::from_millis(800)));
    assert_eq!(ring.max_age, config.privacy.as_ref().unwrap().keep);
    let vision = config.vision.as_ref().unwrap();
    assert_eq!((vision.model.as_str(), vision.workers, vision.fps), ("yolox-nano", 2, 5.0));
    let camera = &config.cameras[0];
    assert_eq!(camera.url(Channel::Sub).unwrap().as_str(), "rtsp://127.0.0.1:8554/cong-lang/sub");
    assert_eq!(camera.password, Some(Secret::new("mật khẩu".to_owned())));
    assert_eq!((camera.record.ring(Channel::Main), camera.record.ring(Channel::Sub)), (Some("main"), Some("main")));
    assert_eq!(camera.zones[0].polygon.len(), 4);
    assert_eq!((camera.lines[0].from.x, camera.lines[0].to.x), (0.2, 0.8));
    let [Rule::NoParking { classes, after, .. }, Rule::WrongWay { from, to, tolerance, min_travel, .. }] = camera.rules.as_slice() else {
        panic!("{:?}", camera.rules)
    };
    assert_eq!((classes.len(), *after), (2, Duration::from_secs(30)));
    assert_eq!((from.y, to.y, *tolerance, *min_travel), (0.9, 0.1, 60.0, 0.1));
}

#[test]
fn the_shipped_example_is_right_and_says_what_the_defaults_are() {
    let dir = folder();
    let shipped = parse(SHIPPED, "matthon.toml", dir.path()).unwrap();
    assert_eq!(shipped.warnings, []);
    // Whoever removes the # of a default gets the same configuration.
    const DEFAULTS: &[&str] = &[
        "timezone",
        "language",
        "keep_unconfirmed",
        "sync",
        "max_age",
        "block_size",
        "listen",
        "workers",
        "fps",
        "memory",
        "audio",
        "bitrate",
        "record",
        "smart",
    ];
    let spelled: Vec<String> = SHIPPED
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if rest.split(" = ").next().is_some_and(|key| DEFAULTS.contains(&key)) => rest.to_owned(),
            _ => line.to_owned(),
        })
        .collect();
    let spelled = parse(&spelled.join("\n"), "matthon.toml", dir.path()).unwrap();
    let expected_keep = shipped.config.keep_unconfirmed();
    let mut expected = shipped.config;
    expected.cameras[0].bitrate = Some(2_000_000);
    if let Some(privacy) = &mut expected.privacy {
        privacy.keep_unconfirmed = Some(expected_keep);
    }
    assert_eq!(spelled.config, expected);
}

#[test]
fn what_is_left_out_gets_the_documented_default() {
    let Loaded { config, warnings, .. } = small("").unwrap();
    assert_eq!((config.site.timezone.as_str(), config.site.language), ("Asia/Ho_Chi_Minh", Language::Vi));
    assert_eq!((config.web.listen.to_string().as_str(), config.web.insecure), ("127.0.0.1:8080", false));
    assert_eq!((config.demo, config.vision.is_none(), config.privacy.is_none()), (false, true, true));
    assert_eq!(config.storage.data, PathBuf::from("/etc/matthon/data"));
    assert_eq!(config.rings[0].paths, [PathBuf::from("/etc/matthon/ring")]);
    assert_eq!(config.rings[0].max_age, None);
    assert_eq!((config.evidence.quota, config.keep_unconfirmed()), (None, Duration::from_secs(30 * 86_400)));
    let told = small("[privacy]\ncontroller = \"UBND xã\"\nkeep_unconfirmed = \"90d\"\n[evidence]\nquota = \"50GB\"").unwrap().config;
    assert_eq!((told.evidence.quota, told.keep_unconfirmed()), (Some(50_000_000_000), Duration::from_secs(90 * 86_400)));
    let said: Vec<_> = warnings.iter().map(|w| w.key.as_str()).collect();
    assert_eq!(said, ["privacy", "camera"]);
}

#[test]
fn a_network_address_needs_a_word() {
    assert!(small("[web]\nlisten = \"0.0.0.0:8080\"").is_err());
    assert!(small("[web]\nlisten = \"0.0.0.0:8080\"\ninsecure = true").is_ok());
    assert!(small("[web]\nlisten = \"[::1]:0\"").is_ok());
    assert!(small("[web]\nlisten = \"0.0.0.0:8443\"\ncertificate = \"local\"").is_ok());
}

#[test]
fn webrtc_hears_beside_the_page_unless_told_otherwise() {
    let heard = |more: &str| small(more).unwrap().config.web.webrtc.map(|a| a.to_string());
    for (web, at) in [
        ("", Some("127.0.0.1:8555")),
        ("[web]", Some("127.0.0.1:8555")),
        ("[web]\nlisten = \"0.0.0.0:8443\"\ncertificate = \"local\"", Some("0.0.0.0:8555")),
        ("[web]\nlisten = \"[::]:8080\"\ninsecure = true", Some("[::]:8555")),
        ("[web]\nlisten = \"127.0.0.1:0\"", Some("127.0.0.1:0")),
        ("[web]\nwebrtc = \"0.0.0.0:40000\"", Some("0.0.0.0:40000")),
        ("[web]\nwebrtc = \"off\"", None),
    ] {
        assert_eq!(heard(web).as_deref(), at, "{web}");
    }
}

#[test]
fn the_door_is_read() {
    let web = |more: &str| small(&format!("[web]\n{more}")).unwrap();
    let plain = web("").config.web;
    assert_eq!((plain.certificate, plain.public_url, plain.trusted_proxies.len()), (None, None, 0));
    assert_eq!(web("certificate = \"local\"").config.web.certificate, Some(Certificate::Local));
    let files = web("certificate = \"tls/c.pem\"\nkey = \"/k.pem\"");
    let expected = Certificate::Files { certificate: "/etc/matthon/tls/c.pem".into(), key: "/k.pem".into() };
    assert_eq!(files.config.web.certificate, Some(expected));
    // Whoever reads the files names a mistake of theirs where it was written.
    let mistake = files.mistake("web.key", "is no key".into(), "write one".into());
    assert_eq!(mistake.to_string(), "matthon.toml:11:7: web.key: is no key; write one");
    let door = web("public_url = \"https://Thon.example.vn:8443/\"\ntrusted_proxies = [\"127.0.0.1\", \"10.0.0.0/8\", \"fd00::/8\"]");
    assert_eq!(door.config.web.public_url.unwrap().as_str(), "https://thon.example.vn:8443/");
    let proxies: Vec<String> = door.config.web.trusted_proxies.iter().map(ToString::to_string).collect();
    assert_eq!(proxies, ["127.0.0.1/32", "10.0.0.0/8", "fd00::/8"]);
    let warned = |more: &str| web(more).warnings.iter().map(|w| w.key.clone()).filter(|k| k.starts_with("web")).collect::<Vec<_>>();
    assert_eq!(warned("public_url = \"https://a.vn\""), ["web.public_url"], "nobody is trusted");
    assert_eq!(warned("public_url = \"https://a.vn\"\ncertificate = \"local\""), [""; 0]);
    assert_eq!(warned("insecure = true\ncertificate = \"local\""), ["web.insecure"]);
}

#[test]
fn record_lists_what_is_recorded_and_where() {
    let ring = "[[ring]]\nname = \"sub\"\npaths = [\"/b\"]\nsize = \"1TB\"\n";
    let read = |record: &str| small(&format!("{ring}{}", camera(record))).unwrap().config.cameras.remove(0).record;
    let both = |r: matthon_config::Record| (r.main, r.sub);
    assert_eq!(both(read("")), (Some("main".into()), Some("main".into())));
    assert_eq!(both(read("record = { main = \"main\", sub = \"sub\" }")), (Some("main".into()), Some("sub".into())));
    assert_eq!(both(read("record = { sub = \"sub\" }")), (None, Some("sub".into())));
    assert_eq!(both(read("record = {}")), (None, None));
}

#[test]
fn thirty_cameras_of_two_megabits_are_648_gb_a_day() {
    let one = |i: usize| format!("[[camera]]\nid = \"c{i}\"\nmain = \"rtsp://10.0.0.{i}/m\"\n");
    let config = small(&(1..=30).map(one).collect::<String>()).unwrap().config;
    let forecast = &config.forecast()[0];
    assert_eq!((forecast.bytes_per_day, forecast.streams), (648_000_000_000, 30));
    assert!((forecast.days.unwrap() - 1000.0 / 648.0).abs() < 1e-9);
    let with_sub = small(&camera("bitrate = \"4Mbps\"")).unwrap().config.forecast().remove(0);
    assert_eq!((with_sub.bytes_per_day, with_sub.streams), ((4_000_000 + 300_000) / 8 * 86_400, 2));
    assert_eq!(small("").unwrap().config.forecast()[0].days, None);
}

#[test]
fn later_kinds_are_read_and_named_in_a_warning() {
    let shapes = "[[camera.zone]]\nname = \"z\"\npolygon = [[0,0],[1,0],[1,1]]\n[[camera.line]]\nname = \"l\"\npoints = [[0,0],[1,1]]\n";
    let later = [
        "kind = \"line-crossing\"\nline = \"l\"\nway = \"both\"",
        "kind = \"no-entry\"\nline = \"l\"\nway = \"left\"",
        "kind = \"speeding\"\nzone = \"z\"\nground = [[0,0],[1,0],[1,1],[0,1]]\nmetres = [3.5, 20]\nlimit = \"40km/h\"",
        "kind = \"banned-vehicle\"\nzone = \"z\"\nclasses = [\"truck\"]\nhours = [\"22:00-05:00\", \"11:00-13:00\"]",
        "kind = \"red-light\"\nline = \"l\"\nlamp = [0.1, 0.1, 0.2, 0.2]",
        "kind = \"loitering\"\nzone = \"z\"\nafter = \"60s\"\ncount = 1",
        "kind = \"intrusion\"\nzone = \"z\"\nafter = \"2s\"",
        "kind = \"crowd\"\nzone = \"z\"\nafter = \"60s\"\ncount = 10",
        "kind = \"littering\"\nzone = \"z\"\nafter = \"60s\"",
        "kind = \"road-obstruction\"\nzone = \"z\"\nafter = \"60s\"",
        "kind = \"no-helmet\"",
        "kind = \"too-many-riders\"\nzone = \"z\"\ncount = 3",
        "kind = \"livestock\"\nzone = \"z\"\nhours = \"22:00-05:00\"",
        "kind = \"fire-smoke\"\nafter = \"3s\"",
        "kind = \"camera-tamper\"",
    ];
    for rule in later {
        let loaded = small(&camera(&format!("{shapes}[[camera.rule]]\n{rule}"))).unwrap_or_else(|m| panic!("{m}"));
        assert!(loaded.config.cameras[0].rules.is_empty());
        let said = loaded.warnings.last().unwrap();
        assert!(said.key == "camera[0].rule[0].kind" && said.problem.contains("known, but not in this version"), "{said}");
    }
}

#[test]
fn passwords_come_from_files_and_the_environment() {
    let dir = folder();
    let read = |more: &str| parse(&format!("{SMALL}{}", camera(more)), "matthon.toml", dir.path());
    let password = |loaded: Loaded| loaded.config.cameras[0].password.as_ref().unwrap().expose().to_owned();
    assert_eq!(password(read("username = \"a\"\npassword = \"p w\"").unwrap()), "p w");
    // Cargo sets this one for every test.
    let from_env = read("username = \"a\"\npassword_env = \"CARGO_PKG_NAME\"").unwrap();
    assert_eq!(password(from_env), "matthon-config");

    let file = dir.path().join("p");
    let from_file = "username = \"a\"\npassword_file = \"p\"";
    write(&file, " trailing space \r\n", 0o600);
    let loaded = read(from_file).unwrap();
    assert!(!loaded.warnings.iter().any(|w| w.key.contains("password")));
    assert_eq!(password(loaded), " trailing space ");
    write(&file, "secret1", 0o644);
    let loaded = read(from_file).unwrap();
    assert!(loaded.warnings.iter().any(|w| w.key == "camera[0].password_file" && w.fix.contains("chmod 600")), "{:?}", loaded.warnings);
    for bad in ["", "\n", "two\nlines\n", &"x".repeat(2000)] {
        write(&file, bad, 0o600);
        assert!(read(from_file).is_err(), "{bad:?}");
    }
    fs::write(&file, [0xff, 0xfe]).unwrap();
    assert!(read(from_file).is_err());
    assert!(read("username = \"a\"\npassword_file = \"secrets\"").unwrap_err().to_string().contains("is not a file"));
}

const HOOK: &str = "[[webhook]]\nurl = \"https://xa.example.vn/a?token=hunter2\"\nsecret = \"hunter2-hunter2-hunter2\"\n";

#[test]
fn webhooks_are_named_signed_and_hidden() {
    let second = "[[webhook]]\nname = \"loa\"\nurl = \"http://127.0.0.1:9/hook\"\nsecret_env = \"CARGO_PKG_NAME\"\n";
    let Loaded { config, warnings, .. } = small(&format!("{HOOK}{second}")).unwrap();
    let [xa, loa] = config.webhooks.as_slice() else { panic!("{:?}", config.webhooks) };
    assert_eq!((xa.name.as_str(), xa.url.as_str()), ("xa-example-vn", "https://xa.example.vn/a?token=hunter2"));
    assert_eq!((loa.name.as_str(), loa.secret.expose()), ("loa", "matthon-config"));
    let shown = format!("{:?}", config.webhooks);
    assert!(!shown.contains("hunter2") && shown.contains("https://xa.example.vn:443/…"), "{shown}");
    let said: Vec<_> = warnings.iter().map(|w| w.key.as_str()).collect();
    assert_eq!(said, ["privacy", "camera", "webhook[1].secret_env"], "the second secret is short");
    assert!(small("").unwrap().config.webhooks.is_empty());
}

#[test]
fn a_webhook_secret_in_a_file_everybody_may_read_is_worth_a_word() {
    let dir = folder();
    let path = dir.path().join("matthon.toml");
    write(&path, &format!("{SMALL}{HOOK}"), 0o644);
    assert!(load(&path).unwrap().warnings.iter().any(|w| w.key == "webhook[0].secret"));
    let file = dir.path().join("h");
    write(&file, "0123456789abcdef0123456789abcdef\n", 0o644);
    write(&path, &format!("{SMALL}{}", HOOK.replace("secret = \"hunter2-hunter2-hunter2\"", "secret_file = \"h\"")), 0o644);
    let loaded = load(&path).unwrap();
    assert_eq!(loaded.config.webhooks[0].secret.expose(), "0123456789abcdef0123456789abcdef");
    assert!(loaded.warnings.iter().any(|w| w.key == "webhook[0].secret_file" && w.fix.contains("chmod 600")), "{:?}", loaded.warnings);
}

#[test]
fn vision_says_what_the_worker_may_take_and_where_its_files_are() {
    let vision = |more: &str| small(&format!("[vision]\nmodel = \"m\"\n{more}")).unwrap().config.vision.unwrap();
    let plain = vision("");
    assert_eq!((plain.workers, plain.fps, plain.memory), (2, 5.0, 2_000_000_000));
    assert_eq!((plain.runtime, plain.models), (None, None));
    let said = vision("runtime = \"lib/libonnxruntime.so\"\nmodels = \"/srv/models\"\nmemory = \"1GiB\"");
    assert_eq!(said.runtime, Some(PathBuf::from("/etc/matthon/lib/libonnxruntime.so")));
    assert_eq!((said.models, said.memory), (Some(PathBuf::from("/srv/models")), 1 << 30));
}

#[test]
fn rules_that_nothing_looks_for_are_named() {
    let rule = "[[camera.zone]]\nname = \"z\"\npolygon = [[0,0],[1,0],[1,1]]\n[[camera.rule]]\nkind = \"no-parking\"\nzone = \"z\"\nclasses = [\"car\"]\nafter = \"5s\"\n";
    let cameras = camera(rule) + &camera(rule).replace("\"c\"", "\"d\"").replace("10.0.0.1", "10.0.0.2");
    let said = |text: &str| {
        let found = small(text).unwrap().warnings;
        found.into_iter().filter(|w| w.problem.contains("there is no [vision]")).collect::<Vec<_>>()
    };
    let found = said(&cameras);
    assert!(matches!(found.as_slice(), [w] if w.key == "camera[0].rule" && w.line > 0 && w.problem.starts_with("2 cameras")), "{found:?}");
    assert_eq!(said(&format!("[vision]\nmodel = \"m\"\n{cameras}")), []);
    assert_eq!(said(&camera("[[camera.rule]]\nkind = \"camera-tamper\"\n")), [], "a rule of a later version has its own warning");
}

#[test]
fn debug_shows_no_secret() {
    let text = format!(
        "{SMALL}[[camera]]\nid = \"c\"\nmain = \"rtsp://10.0.0.1/user=admin&password=hunter2&channel=1\"\nusername = \"a\"\npassword = \"hunter2\""
    );
    let loaded = parse(&text, "matthon.toml", Path::new("/")).unwrap();
    let shown = format!("{loaded:?}");
    assert!(!shown.contains("hunter2") && shown.contains("rtsp://10.0.0.1:554/…"), "{shown}");
}

#[test]
fn cameras_written_twice_are_noticed() {
    let text = camera("") + &camera("").replace("\"c\"", "\"d\"");
    let loaded = small(&text).unwrap();
    assert!(loaded.warnings.iter().any(|w| w.key == "camera[1].main"), "{:?}", loaded.warnings);
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let dir = folder();
    let none = load(&dir.path().join("none.toml")).unwrap_err().to_string();
    assert!(none.contains("none.toml: cannot be read:") && none.contains("; name a file"), "{none}");
    let path = dir.path().join("matthon.toml");
    fs::write(&path, b"[site]\nname = \"Th\xf4n\"\n").unwrap();
    let latin = load(&path).unwrap_err().to_string();
    assert!(latin.contains("matthon.toml:2:11: is not UTF-8"), "{latin}");
    fs::write(&path, vec![b' '; 5 << 20]).unwrap();
    assert!(load(&path).unwrap_err().to_string().contains("larger than 4 MiB"));
    assert!(load(dir.path()).is_err());
}

#[test]
fn a_password_in_a_file_everybody_may_read_is_worth_a_word() {
    let dir = folder();
    let path = dir.path().join("matthon.toml");
    let text = format!("{SMALL}{}", camera("username = \"a\"\npassword = \"hunter2\""));
    write(&path, &text, 0o644);
    let loaded = load(&path).unwrap();
    assert!(loaded.warnings.iter().any(|w| w.key == "camera[0].password"));
    assert_eq!(loaded.config.storage.data, dir.path().join("data"));
    write(&path, &text, 0o640);
    assert!(!load(&path).unwrap().warnings.iter().any(|w| w.key == "camera[0].password"));
}

#[test]
fn a_syntax_mistake_hides_no_other_and_invents_none() {
    let text = SMALL.replace("size = \"1TB\"", "size = 1TB\nsync = \"1ms\"") + "[[camera]]\nid = \"c\nmain = 5\n";
    let mistakes = parse(&text, "matthon.toml", Path::new("/")).unwrap_err().mistakes;
    let keys: Vec<_> = mistakes.iter().map(|m| m.key.as_str()).collect();
    assert_eq!(keys, ["", "ring[0].sync", "", "camera[0].main"], "{mistakes:?}");
}

#[test]
fn reload_compares_part_by_part() {
    let dir = folder();
    let read = |text: &str| parse(text, "matthon.toml", dir.path()).unwrap().config;
    let (old, new) = (read(CONTRACT), read(&CONTRACT.replace("30s", "31s")));
    assert_ne!(old, new);
    assert_eq!(Config { cameras: Vec::new(), ..old.clone() }, Config { cameras: Vec::new(), ..new });
    assert_eq!(old, read(&format!("# a comment\n{CONTRACT}")));
}

/// One random change of a text, at a character.
fn change(text: &str, at: prop::sample::Index, what: u8, with: &str) -> String {
    let ends: Vec<usize> = text.char_indices().map(|(i, _)| i).chain([text.len()]).collect();
    let from = at.index(ends.len());
    let (head, tail) = (&text[..ends[from]], |n: usize| &text[ends[(from + n).min(ends.len() - 1)]..]);
    match what % 4 {
        0 => format!("{head}{with}{}", tail(0)),
        1 => format!("{head}{}", tail(with.len() + 1)),
        2 => format!("{head}{with}{}", tail(with.chars().count())),
        _ => head.to_owned(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn no_change_of_a_file_makes_the_reader_fall(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), "[ -~\\n\"\\[\\]={}.,0-9]{0,6}|\\PC{0,3}"), 1..4)
    ) {
        let mut text = CONTRACT.to_owned();
        for (at, what, with) in &changes {
            text = change(&text, *at, *what, with);
        }
        if let Err(mistakes) = parse(&text, "matthon.toml", Path::new("/nonexistent")) {
            prop_assert!(!mistakes.mistakes.is_empty());
            for m in &mistakes.mistakes {
                prop_assert!(m.line >= 1 && m.line <= text.lines().count() + 1, "{m}");
                prop_assert!(!m.fix.is_empty() && !m.to_string().contains('\n'), "{m}");
            }
        }
    }
}
