//! Sentences that say why a rule is sure, in Vietnamese and English.
//!
//! Belongs here: wording. "Nghi vấn" / "suspected" stays until a person confirms. Does not belong here: alert
//! templates, which the page and the messages keep in their text files.

use crate::classes::names;
use domain::{Class, Why};
use std::time::Duration;

fn span(seconds: f64) -> (String, String) {
    let whole = seconds.max(0.0).floor() as u64;
    let (m, s) = (whole / 60, whole % 60);
    match (m, s) {
        (0, s) => (format!("{s} giây"), format!("{s} s")),
        (m, 0) => (format!("{m} phút"), format!("{m} min")),
        (m, s) => (format!("{m} phút {s} giây"), format!("{m} min {s} s")),
    }
}

pub(crate) fn no_parking(class: &Class, zone: &str, dwell: f64, after: Duration) -> Why {
    let ((vi, en), (dwell, limit)) = (names(class), (span(dwell), span(after.as_secs_f64())));
    Why {
        vi: format!("Nghi vấn {vi} đỗ trong vùng “{zone}” đã {}, quá mức cho phép {}.", dwell.0, limit.0),
        en: format!("Suspected: a {en} has stood in zone “{zone}” for {}; the limit is {}.", dwell.1, limit.1),
    }
}

pub(crate) fn wrong_way(class: &Class, zone: &str, angle: f64, travel: f64) -> Why {
    let (vi, en) = names(class);
    let (angle, part) = (angle.round(), (travel * 100.0).round());
    Why {
        vi: format!("Nghi vấn {vi} đi ngược chiều trong vùng “{zone}”: lệch {angle}° so với chiều cho phép, trên {part} % khung hình."),
        en: format!("Suspected: a {en} moved {angle}° off the permitted way in zone “{zone}”, over {part} % of the picture."),
    }
}
