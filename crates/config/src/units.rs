//! Numbers with units, as people write them: `30s`, `8TB`, `60deg`, `2Mbps`, `40km/h`.

use crate::source::{Wrong, show};
use std::time::Duration;

/// A number and the unit behind it.
fn split(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let unit_at = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    if !number.starts_with(|c: char| c.is_ascii_digit()) || number.len() > 30 {
        return None;
    }
    Some((number.parse().ok()?, unit.trim_start()))
}

/// `number × factor of the unit`, when the unit is in the table; the answer names what was expected otherwise.
fn measure(text: &str, what: &str, units: &[(&str, f64)], fix: &str) -> Result<f64, Wrong> {
    let problem = match split(text) {
        Some((number, unit)) => match units.iter().find(|(name, _)| *name == unit) {
            Some((_, factor)) => return Ok(number * factor),
            None if unit.is_empty() => format!("{} has no unit", show(text)),
            None => format!("{} is not {what}: {} is not a unit of it", show(text), show(unit)),
        },
        None => format!("{} is not {what}", show(text)),
    };
    Err(Wrong::new(problem, fix))
}

/// `800ms`, `30s`, `5m`, `2h`, `15d`; whole microseconds.
pub(crate) fn duration(text: &str, example: &str) -> Result<Duration, Wrong> {
    let units = [("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("min", 60.0), ("h", 3600.0), ("d", 86_400.0)];
    let fix = format!("write a number with ms, s, m, h or d: \"{example}\"");
    let secs = measure(text, "a duration", &units, &fix)?;
    let micros = (secs * 1e6).round();
    // 100 years is as far as anything here looks.
    if micros > 100.0 * 365.25 * 86_400.0 * 1e6 {
        return Err(Wrong::new(format!("{} is too long", show(text)), fix));
    }
    Ok(Duration::from_micros(micros as u64))
}

/// `8TB` (10^12), `512MiB` (2^20); bytes.
pub(crate) fn size(text: &str, example: &str) -> Result<u64, Wrong> {
    let units = [
        ("B", 1.0),
        ("kB", 1e3),
        ("KB", 1e3),
        ("MB", 1e6),
        ("GB", 1e9),
        ("TB", 1e12),
        ("KiB", 1024.0),
        ("MiB", 1024.0 * 1024.0),
        ("GiB", 1024.0 * 1024.0 * 1024.0),
        ("TiB", 1024.0 * 1024.0 * 1024.0 * 1024.0),
    ];
    let fix = format!("write a number with MB, GB, TB (powers of 1000) or MiB, GiB, TiB (powers of 1024): \"{example}\"");
    let bytes = measure(text, "a size", &units, &fix)?.round();
    // Beyond 2^53 the number would no longer be exact; no disk is that large.
    if bytes > 9e15 {
        return Err(Wrong::new(format!("{} is larger than any disk", show(text)), fix));
    }
    Ok(bytes as u64)
}

/// `60deg`; degrees.
pub(crate) fn angle(text: &str) -> Result<f64, Wrong> {
    measure(text, "an angle", &[("deg", 1.0), ("°", 1.0)], "write degrees: \"60deg\"")
}

/// `2Mbps`; bits a second.
pub(crate) fn bitrate(text: &str) -> Result<u64, Wrong> {
    let units = [("kbps", 1e3), ("Kbps", 1e3), ("Mbps", 1e6), ("Gbps", 1e9)];
    let fix = "write the main stream's bits a second: \"2Mbps\"";
    let bits = measure(text, "a bit rate", &units, fix)?;
    if !(8e3..=1e9).contains(&bits) {
        return Err(Wrong::new(format!("{} is no camera's bit rate", show(text)), fix));
    }
    Ok(bits as u64)
}

/// `40km/h`; kilometres an hour.
pub(crate) fn speed(text: &str) -> Result<f64, Wrong> {
    measure(text, "a speed", &[("km/h", 1.0)], "write kilometres an hour: \"40km/h\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let ms = |text| duration(text, "30s").map(|d| d.as_millis()).map_err(|w| w.problem);
        assert_eq!(ms("30s"), Ok(30_000));
        assert_eq!(ms("800ms"), Ok(800));
        assert_eq!(ms("15d"), Ok(15 * 86_400_000));
        assert_eq!(ms("2h"), Ok(7_200_000));
        assert_eq!(ms("5m"), ms("5 min"));
        assert_eq!(ms("1.5s"), Ok(1500));
        assert_eq!(ms("30"), Err("`30` has no unit".into()));
        assert!(ms("30 sec").unwrap_err().contains("`sec` is not a unit of it"));
        for bad in ["", "s", "-5s", ".5s", "1.2.3s", "١s", "99999999999999d", "1e3s", &format!("{}s", "9".repeat(400))] {
            assert!(ms(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_angles_and_rates() {
        assert_eq!(size("8TB", "8TB").unwrap(), 8_000_000_000_000);
        assert_eq!(size("512MiB", "8TB").unwrap(), 512 << 20);
        assert_eq!(size("1.5 GB", "8TB").unwrap(), 1_500_000_000);
        for bad in ["8", "8T", "TB", "9999PB", "99999TB", "-8TB"] {
            assert!(size(bad, "8TB").is_err(), "{bad}");
        }
        assert!((angle("60deg").unwrap() - 60.0).abs() < 1e-9);
        assert!(angle("1rad").is_err());
        assert_eq!(bitrate("2Mbps").unwrap(), 2_000_000);
        assert_eq!(bitrate("300kbps").unwrap(), 300_000);
        assert!(bitrate("2MBps").is_err());
        assert!((speed("40km/h").unwrap() - 40.0).abs() < 1e-9);
    }
}
