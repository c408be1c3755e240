//! One line that stands alone without the picture, in Vietnamese and English.
//!
//! Belongs here: the wording of messages. "Nghi vấn" stays until a person confirms. Does not belong here: the reason a
//! rule gives (`analytics`), the page's texts (`web/ui`).

use crate::{BY_HAND, Case};
use domain::{CaseState, WallTime, Why};
use jiff::{Timestamp, tz::TimeZone};

/// class, Vietnamese, English.
const NAMES: &[(&str, &str, &str)] = &[
    ("car", "ô tô", "car"),
    ("van", "xe van", "van"),
    ("truck", "xe tải", "truck"),
    ("bus", "xe khách", "bus"),
    ("motorcycle", "xe máy", "motorcycle"),
    ("bicycle", "xe đạp", "bicycle"),
    ("person", "người", "person"),
];

/// The line for a case as it stands: `Cổng làng – nghi vấn ô tô đỗ sai chỗ, đã 4 phút – 17:42`.
#[must_use]
pub fn of(case: &Case, zone: &TimeZone) -> Why {
    let (place, time) = (&case.camera_name, clock(case.raised, zone));
    let (what_vi, what_en) = matter(case);
    let (vi, en) = match case.state {
        CaseState::Raised if case.kind == BY_HAND => (what_vi, capital(&what_en)),
        CaseState::Raised => (format!("nghi vấn {what_vi}"), format!("suspected: {what_en}")),
        CaseState::Confirmed => (format!("đã xác nhận: {what_vi}"), format!("confirmed: {what_en}")),
        CaseState::FalseAlarm => (format!("báo sai: {what_vi}"), format!("false alarm: {what_en}")),
    };
    Why { vi: format!("{place} – {vi} – {time}"), en: format!("{place} – {en} – {time}") }
}

fn matter(case: &Case) -> (String, String) {
    let (vi, en) = names(case.class.as_deref());
    match case.kind.as_str() {
        "wrong-way" => (format!("{vi} đi ngược chiều"), format!("{en} going the wrong way")),
        "no-parking" => {
            let (vi, en) = (format!("{vi} đỗ sai chỗ"), format!("{en} parked where it must not"));
            // A line with an empty variable is not sent: without the number the half-sentence goes.
            match case.measured.get("dwell_s").filter(|s| s.is_finite() && **s >= 1.0) {
                Some(seconds) => {
                    let (d_vi, d_en) = duration(*seconds);
                    (format!("{vi}, đã {d_vi}"), format!("{en}, for {d_en}"))
                }
                None => (vi, en),
            }
        }
        BY_HAND if case.note.is_empty() => {
            ("cán bộ ghi lại một việc từ camera".to_owned(), "noted by an official from the camera".to_owned())
        }
        BY_HAND => (format!("cán bộ ghi lại: {}", case.note), format!("noted by an official: {}", case.note)),
        other => (format!("{vi} vi phạm ({other})"), format!("{en}, {other}")),
    }
}

fn names(class: Option<&str>) -> (&'static str, &'static str) {
    NAMES.iter().find(|n| Some(n.0) == class).map_or(("phương tiện", "vehicle"), |n| (n.1, n.2))
}

/// `30 giây`, `4 phút`, `1 giờ 5 phút`: as people say it, not to the second.
fn duration(seconds: f64) -> (String, String) {
    let s = seconds.floor() as u64;
    match (s / 3600, s / 60 % 60) {
        (0, 0) => (format!("{s} giây"), format!("{s} s")),
        (0, m) => (format!("{m} phút"), format!("{m} min")),
        (h, 0) => (format!("{h} giờ"), format!("{h} h")),
        (h, m) => (format!("{h} giờ {m} phút"), format!("{h} h {m} min")),
    }
}

/// `17:42`, by the village's clock.
fn clock(at: WallTime, zone: &TimeZone) -> String {
    let instant = Timestamp::from_microsecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    instant.to_zoned(zone.clone()).strftime("%H:%M").to_string()
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_said_as_people_say_them() {
        let vi = |s| duration(s).0;
        assert_eq!([vi(30.9), vi(60.0), vi(299.0), vi(3600.0), vi(3900.0)], ["30 giây", "1 phút", "4 phút", "1 giờ", "1 giờ 5 phút"]);
    }

    #[test]
    fn unknown_things_are_vehicles_and_known_ones_have_their_name() {
        let vi: Vec<_> = ["car", "truck", "bus", "motorcycle", "bicycle", "van"].iter().map(|c| names(Some(c)).0).collect();
        assert_eq!(vi, ["ô tô", "xe tải", "xe khách", "xe máy", "xe đạp", "xe van"]);
        assert_eq!((names(Some("tuk-tuk")).0, names(None).1), ("phương tiện", "vehicle"));
    }

    #[test]
    fn the_time_is_the_villages() {
        let zone = jiff::tz::TimeZoneDatabase::bundled().get("Asia/Ho_Chi_Minh").unwrap();
        assert_eq!(clock(WallTime::from_secs(1_795_430_520), &zone), "17:42");
        assert_eq!(clock(WallTime(i64::MAX), &zone), "08:00", "1970, as Sài Gòn had it: an impossible time is no reason to fall");
    }
}
