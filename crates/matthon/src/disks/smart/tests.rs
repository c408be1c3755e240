//! Disks that are well, ill, worn, silent, and of an unknown day.

use super::*;
use serde_json::json;

/// A hard disk for recorders, in the shape of smartctl 7's JSON.
fn ata(reallocated: u64, pending: u64, passed: bool) -> Value {
    let row = |id: u64, name: &str, value: u64, raw: u64| json!({ "id": id, "name": name, "value": value, "worst": value, "thresh": 10, "when_failed": "", "raw": { "value": raw, "string": raw.to_string() } });
    json!({
        "json_format_version": [1, 0],
        "smartctl": { "version": [7, 3], "argv": ["smartctl", "--json", "--all", "/dev/sdb"], "exit_status": 0 },
        "local_time": { "time_t": 1_795_430_400, "asctime": "Mon Nov 23 12:00:00 2026 +07" },
        "device": { "name": "/dev/sdb", "info_name": "/dev/sdb [SAT]", "type": "sat", "protocol": "ATA" },
        "model_name": "WDC WD82PURZ-85TEUY0", "serial_number": "VDK1ABCD",
        "smart_status": { "passed": passed },
        "ata_smart_attributes": { "revision": 16, "table": [
            row(5, "Reallocated_Sector_Ct", 100, reallocated), row(9, "Power_On_Hours", 90, 8123),
            row(194, "Temperature_Celsius", 160, 41), row(197, "Current_Pending_Sector", 100, pending),
            row(198, "Offline_Uncorrectable", 100, 0),
        ]},
        "power_on_time": { "hours": 8123 },
        "temperature": { "current": 41 },
    })
}

fn worn_out(rotation: &Value) -> Value {
    json!({
        "model_name": "Some disk", "rotation_rate": rotation, "smart_status": { "passed": true },
        "ata_smart_attributes": { "table": [{ "id": 233, "value": 4, "raw": { "value": 0 } }] },
    })
}

fn nvme(used: u64, spare: u64) -> Value {
    json!({
        "json_format_version": [1, 0],
        "local_time": { "time_t": 1_795_430_400 },
        "device": { "name": "/dev/nvme0n1", "type": "nvme", "protocol": "NVMe" },
        "model_name": "Samsung SSD 980 1TB", "serial_number": "S649NX0R",
        "smart_status": { "passed": true, "nvme": { "value": 0 } },
        "nvme_smart_health_information_log": {
            "critical_warning": 0, "temperature": 48, "available_spare": spare, "available_spare_threshold": 10,
            "percentage_used": used, "media_errors": 0, "power_on_hours": 402
        },
        "temperature": { "current": 48 }, "power_on_time": { "hours": 402 }
    })
}

#[test]
fn a_hard_disk_is_read_and_warns_before_it_fails() {
    let good = parse(&ata(0, 0, true)).unwrap();
    assert_eq!((good.state(), good.hours, good.temperature, good.reallocated), ("ok", Some(8123), Some(41), Some(0)));
    assert_eq!((good.model.as_str(), good.measured), ("WDC WD82PURZ-85TEUY0", Some(WallTime::from_secs(1_795_430_400))));
    assert_eq!(good.worn_percent, None);
    let first = parse(&ata(3, 0, true)).unwrap();
    assert_eq!((first.state(), first.trouble.as_slice()), ("warning", &["3 bad sectors were replaced by spare ones".to_owned()][..]));
    assert_eq!(first.reasons, [web::Reason { key: "reallocated", n: 3 }]);
    assert_eq!(parse(&ata(500, 0, true)).unwrap().state(), "failing");
    assert_eq!(parse(&ata(0, 8, true)).unwrap().state(), "failing");
    assert_eq!(parse(&ata(0, 0, false)).unwrap().state(), "failing");
}

#[test]
fn an_nvme_disk_is_read_and_warns_before_it_is_worn() {
    let good = parse(&nvme(2, 100)).unwrap();
    assert_eq!((good.state(), good.worn_percent, good.uncorrectable, good.reallocated), ("ok", Some(2), Some(0), None));
    assert_eq!(parse(&nvme(92, 100)).unwrap().state(), "warning");
    assert_eq!(parse(&nvme(104, 100)).unwrap().state(), "failing");
    assert_eq!(parse(&nvme(2, 5)).unwrap().state(), "failing");
}

#[test]
fn what_is_not_there_old_large_or_something_else_is_said_to_be_unmeasured() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sda.json");
    assert!(read(&path).unwrap_err().contains("matthon-smart.timer"));
    std::fs::write(&path, "hello").unwrap();
    assert!(read(&path).unwrap_err().contains("not smartctl's JSON"));
    std::fs::write(&path, vec![b' '; 2 << 20]).unwrap();
    assert!(read(&path).unwrap_err().contains("too large"));
    // A virtual disk has no health.
    let none = json!({ "smartctl": { "messages": [{ "string": "Unable to detect device type", "severity": "error" }] } });
    std::fs::write(&path, none.to_string()).unwrap();
    assert_eq!(read(&path).unwrap_err(), "not measured: Unable to detect device type");
    std::fs::write(&path, ata(0, 0, true).to_string()).unwrap();
    assert_eq!(read(&path).unwrap().state(), "ok");
    File::options().write(true).open(&path).unwrap().set_modified(SystemTime::now() - Duration::from_secs(10 * 3600)).unwrap();
    assert!(read(&path).unwrap_err().contains("last measured 10 hours ago"));
}

#[test]
fn a_report_from_the_future_is_of_an_unknown_day() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sda.json");
    std::fs::write(&path, ata(0, 0, true).to_string()).unwrap();
    let ahead = |seconds: u64| {
        let at = SystemTime::now() + Duration::from_secs(seconds);
        File::options().write(true).open(&path).unwrap().set_modified(at).unwrap();
        read(&path).map(|r| r.state())
    };
    assert_eq!(ahead(100), Ok("ok"));
    assert_eq!(ahead(7230), Err("when it was measured is not known: its time is 120 minutes in the future".to_owned()));
}

#[test]
fn only_a_disk_without_a_spindle_wears() {
    assert_eq!(parse(&worn_out(&json!(0))).unwrap().worn_percent, Some(96));
    for other in [json!(7200), json!(null)] {
        let disk = parse(&worn_out(&other)).unwrap();
        assert_eq!((disk.worn_percent, disk.state()), (None, "ok"));
    }
}

#[test]
fn a_disk_that_does_not_answer_is_not_what_it_was() {
    use std::{os::unix::fs::PermissionsExt, process::Command};
    let dir = tempfile::tempdir().unwrap();
    let program = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../systemd/matthon-smart");
    let path = format!("{}:{}", dir.path().display(), std::env::var("PATH").unwrap());
    let (out, report) = (dir.path().join("out"), dir.path().join("out/sda.json"));
    let ask = || {
        let mut command = Command::new(&script);
        command.env("PATH", &path).env("SMART_OUT", &out).env("SMART_DISKS", "sda").env("SMART_WAIT", "1").output().unwrap()
    };
    let well = format!("cat <<'X'\n{}\nX", ata(0, 0, true));
    let silent = |said: std::process::Output| {
        assert!(said.status.success() && String::from_utf8_lossy(&said.stderr).contains("sda: silent for 1 s"), "{said:?}");
        let disk = read(&report).unwrap();
        assert_eq!((disk.state(), disk.trouble.as_slice()), ("failing", &["asked how it is, it was silent for 1 s".to_owned()][..]));
        assert!(disk.measured.is_some());
    };

    program("smartctl", &well);
    assert!(ask().status.success());
    assert_eq!(read(&report).unwrap().state(), "ok");
    program("smartctl", "exec sleep 600");
    silent(ask());
    program("smartctl", &well);
    ask();
    assert_eq!(read(&report).unwrap().state(), "ok");
    // One that hangs in the kernel, where a kill does not reach it: nobody waits for it, and no second one is started.
    program("timeout", &format!("cp /bin/sleep '{0}/smartctl-stuck' && exec '{0}/smartctl-stuck' 600", dir.path().display()));
    silent(ask());
    let pid = std::fs::read_to_string(out.join(".sda.pid")).unwrap();
    silent(ask());
    assert_eq!(std::fs::read_to_string(out.join(".sda.pid")).unwrap(), pid);
    Command::new("kill").args(["-9", pid.trim()]).status().unwrap();
    std::fs::remove_file(dir.path().join("timeout")).unwrap();
    ask();
    assert_eq!(read(&report).unwrap().state(), "ok");
    // One that ends without a word: what was measured before says nothing of now.
    program("smartctl", "exit 1");
    ask();
    assert!(read(&report).unwrap_err().contains("not measured"));
}
