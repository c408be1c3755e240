//! What a disk says of itself, as `smartctl --json --all` writes it, or that it says nothing, as `systemd/matthon-smart` does: read with
//! bounds, judged before it is too late.

use domain::WallTime;
use serde_json::Value;
use std::{
    fs::File,
    io::Read,
    path::Path,
    time::{Duration, SystemTime},
};

/// smartctl writes 20 kB; more is something else.
const LARGEST: u64 = 1 << 20;
/// Older than this says nothing of today: the timer measures every half hour.
const FRESH: Duration = Duration::from_secs(6 * 3600);
/// So far ahead of the clock is a clock that was set; further, nobody knows how old it is.
const AHEAD: Duration = Duration::from_secs(300);
/// Used up so far an SSD is to be replaced before it is used up.
const WORN: u64 = 90;
/// Warmer than this a disk ages fast (°C): the highest that makers of disks for recorders allow is 65 to 70.
const HOT: i64 = 60;

/// One disk at one time. What a disk does not tell is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) model: String,
    pub(super) serial: String,
    pub(super) measured: Option<WallTime>,
    /// The disk's own verdict.
    pub(super) passed: Option<bool>,
    pub(super) reallocated: Option<u64>,
    pub(super) pending: Option<u64>,
    pub(super) uncorrectable: Option<u64>,
    pub(super) worn_percent: Option<u64>,
    pub(super) temperature: Option<i64>,
    pub(super) hours: Option<u64>,
    /// Everything that is not as it should be, in English.
    pub(super) trouble: Vec<String>,
    failing: bool,
}

impl Reading {
    /// The word for it: `smart.<word>` in the page's texts.
    pub(super) fn state(&self) -> &'static str {
        match (self.failing, self.trouble.is_empty()) {
            (true, _) => "failing",
            (false, false) => "warning",
            (false, true) => "ok",
        }
    }

    fn judge(mut self) -> Self {
        let mut say = |bad: bool, failing: bool, what: String| {
            if bad {
                self.trouble.push(what);
                self.failing |= failing;
            }
        };
        say(self.passed == Some(false), true, "the disk itself says that it is failing".into());
        for (count, what) in [(self.pending, "sectors cannot be read"), (self.uncorrectable, "errors could not be corrected")] {
            say(count.is_some_and(|n| n > 0), true, format!("{} {what}", count.unwrap_or(0)));
        }
        let moved = self.reallocated.unwrap_or(0);
        say(moved > 0, moved > 100, format!("{moved} bad sectors were replaced by spare ones"));
        let worn = self.worn_percent.unwrap_or(0);
        say(worn >= WORN, worn >= 100, format!("{worn} % of its life is used"));
        let warm = self.temperature.unwrap_or(0);
        say(warm >= HOT, false, format!("it is {warm} °C warm"));
        self
    }
}

/// Reads one disk's file. The error says in words why there is nothing.
pub(super) fn read(path: &Path) -> Result<Reading, String> {
    let file = File::open(path).map_err(|_| "not measured: is matthon-smart.timer running, and smartmontools installed?".to_owned())?;
    let modified = file.metadata().and_then(|m| m.modified()).map_err(|e| e.to_string())?;
    let mut text = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut text).map_err(|e| e.to_string())?;
    if text.len() as u64 > LARGEST {
        return Err("what was measured is too large to be smartctl's".into());
    }
    match SystemTime::now().duration_since(modified) {
        Ok(age) if age > FRESH => {
            return Err(format!("last measured {} hours ago: is matthon-smart.timer running?", age.as_secs() / 3600));
        }
        // A clock that was ahead wrote it: it may be of any day.
        Err(ahead) if ahead.duration() > AHEAD => {
            let minutes = ahead.duration().as_secs() / 60;
            return Err(format!("when it was measured is not known: its time is {minutes} minutes in the future"));
        }
        _ => {}
    }
    let json: Value = serde_json::from_slice(&text).map_err(|_| "what was measured is not smartctl's JSON".to_owned())?;
    parse(&json)
}

fn parse(json: &Value) -> Result<Reading, String> {
    let measured = json["local_time"]["time_t"].as_i64().map(WallTime::from_secs);
    // A disk that hangs records nothing either.
    if let Some(seconds) = json["matthon_smart"]["silent_seconds"].as_u64() {
        let trouble = vec![format!("asked how it is, it was silent for {seconds} s")];
        return Ok(Reading { measured, trouble, failing: true, ..Reading::default() });
    }
    let word = |key: &str| json[key].as_str().unwrap_or_default().chars().take(64).collect::<String>();
    let nvme = &json["nvme_smart_health_information_log"];
    let ata = &json["ata_smart_attributes"]["table"];
    let passed = json["smart_status"]["passed"].as_bool();
    if passed.is_none() && !nvme.is_object() && !ata.is_array() {
        let said = json["smartctl"]["messages"][0]["string"].as_str().unwrap_or("no health information");
        return Err(format!("not measured: {}", said.chars().take(200).collect::<String>()));
    }
    // Makers agree on these numbers; the raw value's low 32 bits are the count (some keep more above them).
    let attribute = |id: u64| {
        let row = ata.as_array()?.iter().take(256).find(|row| row["id"].as_u64() == Some(id))?;
        Some(row["raw"]["value"].as_u64()? & 0xffff_ffff)
    };
    let used = |id: u64| {
        let row = ata.as_array()?.iter().take(256).find(|row| row["id"].as_u64() == Some(id))?;
        Some(100_u64.saturating_sub(row["value"].as_u64()?))
    };
    // On disks that turn these numbers, where there are any, count something else.
    let solid = json["rotation_rate"].as_u64() == Some(0);
    let flash = |id: u64| if solid { used(id) } else { None };
    let spare = nvme["available_spare"].as_u64().zip(nvme["available_spare_threshold"].as_u64());
    let mut reading = Reading {
        model: word("model_name"),
        serial: word("serial_number"),
        measured,
        passed,
        reallocated: attribute(5),
        pending: attribute(197),
        uncorrectable: attribute(198).or(nvme["media_errors"].as_u64()),
        // SSDs: 231 life left, 233 wear-out (Intel), 177 wear levelling (Samsung): 100 when new.
        worn_percent: nvme["percentage_used"].as_u64().or_else(|| flash(231)).or_else(|| flash(233)).or_else(|| flash(177)),
        temperature: json["temperature"]["current"].as_i64(),
        hours: json["power_on_time"]["hours"].as_u64(),
        ..Reading::default()
    };
    if spare.is_some_and(|(left, least)| left < least) {
        reading.trouble.push("its spare room is used up".into());
        reading.failing = true;
    }
    if nvme["critical_warning"].as_u64().is_some_and(|w| w != 0) {
        reading.trouble.push("it warns of itself".into());
        reading.failing = true;
    }
    Ok(reading.judge())
}

#[cfg(test)]
mod tests {
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

    fn worn_out(rotation: Value) -> Value {
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
        assert_eq!(parse(&worn_out(json!(0))).unwrap().worn_percent, Some(96));
        for other in [json!(7200), json!(null)] {
            let disk = parse(&worn_out(other)).unwrap();
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
}
