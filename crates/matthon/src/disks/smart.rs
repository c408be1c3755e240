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
    /// The same for the page, which has its own words for it.
    pub(super) reasons: Vec<web::Reason>,
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

    fn say(&mut self, failing: bool, key: &'static str, n: u64, what: String) {
        self.trouble.push(what);
        self.reasons.push(web::Reason { key, n });
        self.failing |= failing;
    }

    fn judge(mut self) -> Self {
        if self.passed == Some(false) {
            self.say(true, "passed", 0, "the disk itself says that it is failing".into());
        }
        if let Some(n) = self.pending.filter(|n| *n > 0) {
            self.say(true, "pending", n, format!("{n} sectors cannot be read"));
        }
        if let Some(n) = self.uncorrectable.filter(|n| *n > 0) {
            self.say(true, "uncorrectable", n, format!("{n} errors could not be corrected"));
        }
        if let Some(n) = self.reallocated.filter(|n| *n > 0) {
            self.say(n > 100, "reallocated", n, format!("{n} bad sectors were replaced by spare ones"));
        }
        if let Some(n) = self.worn_percent.filter(|n| *n >= WORN) {
            self.say(n >= 100, "worn", n, format!("{n} % of its life is used"));
        }
        if let Some(n) = self.temperature.filter(|n| *n >= HOT) {
            self.say(false, "warm", n.unsigned_abs(), format!("it is {n} °C warm"));
        }
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
        let mut reading = Reading { measured, ..Reading::default() };
        reading.say(true, "silent", seconds, format!("asked how it is, it was silent for {seconds} s"));
        return Ok(reading);
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
        reading.say(true, "spare", 0, "its spare room is used up".into());
    }
    if nvme["critical_warning"].as_u64().is_some_and(|w| w != 0) {
        reading.say(true, "warns", 0, "it warns of itself".into());
    }
    Ok(reading.judge())
}

#[cfg(test)]
mod tests;
