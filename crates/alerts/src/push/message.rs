//! What a phone is told: small JSON that its service worker turns into a notification. Pure.
//!
//! One sentence stands alone, because many phones show nothing else. Never a picture: a push carries 4 kB.

use domain::WallTime;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

/// Most bytes of a message. Push services take 4,096 sealed; what sealing adds is about 100.
const BYTES_MAX: usize = 3500;
/// Most bytes of the sentence, tried in turn: the rest must fit beside it, and a letter may be escaped to two.
const SENTENCE_MAX: [usize; 3] = [2400, 1200, 600];

/// What a parcel tells.
pub(super) struct Told {
    pub(super) id: i64,
    pub(super) camera: String,
    /// It waits for a person.
    pub(super) open: bool,
    place: String,
    raised: String,
    site: String,
    /// Vietnamese, English.
    sentence: [String; 2],
}

impl Told {
    /// Reads the message of a case; `None`: it is about something else.
    pub(super) fn read(body: &Value) -> Option<Self> {
        let (case, sentence) = (&body["case"], &body["sentence"]);
        let text = |of: &Value| of.as_str().map(str::to_owned);
        Some(Self {
            id: case["id"].as_i64()?,
            camera: text(&case["camera"])?,
            open: case["state"] == "raised",
            place: text(&case["camera_name"])?,
            raised: text(&case["raised"])?,
            site: text(&body["site"])?,
            sentence: [text(&sentence["vi"])?, text(&sentence["en"])?],
        })
    }
}

/// The message as bytes. `late`: when it happened, now, and whose clock says so.
pub(super) fn of(told: &Told, language: &str, late: Option<(WallTime, WallTime, &TimeZone)>, picture: Option<&str>) -> Vec<u8> {
    let english = language == "en";
    let mut message = json!({
        "id": told.id,
        "site": told.site,
        "time": told.raised,
        "place": told.place,
        "url": format!("/vu-viec/{}", told.id),
        "open": told.open,
        "language": if english { "en" } else { "vi" },
    });
    if let Some((happened, now, zone)) = late {
        let time = time(happened, now, zone);
        message["late"] = if english {
            format!("Late message (happened at {time}; box was offline).").into()
        } else {
            format!("Tin gửi chậm (việc xảy ra lúc {time}, máy mất mạng).").into()
        };
    }
    if let Some(picture) = picture {
        message["image"] = picture.into();
    }
    let sentence = told.sentence.get(usize::from(english)).map_or("", String::as_str);
    let mut bytes = Vec::new();
    for most in SENTENCE_MAX {
        message["sentence"] = cut(sentence, most).into();
        bytes = message.to_string().into_bytes();
        if bytes.len() <= BYTES_MAX {
            break;
        }
    }
    bytes
}

/// `17:42`, or `17:42 23/11/2026` when that was another day.
fn time(at: WallTime, now: WallTime, zone: &TimeZone) -> String {
    let local = |t: WallTime| Timestamp::from_microsecond(t.0).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone.clone());
    let (then, today) = (local(at), local(now));
    let format = if then.date() == today.date() { "%H:%M" } else { "%H:%M %d/%m/%Y" };
    then.strftime(format).to_string()
}

fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = (0..=most).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
    format!("{}…", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZoneDatabase;

    const EVENING: WallTime = WallTime::from_secs(1_795_430_520);

    fn body(sentence: &str, place: &str) -> Value {
        json!({
            "event": "case.raised", "site": "Thôn Duyên Hy", "sentence": {"vi": sentence, "en": "suspected"},
            "case": {"id": 12, "camera": "cho", "camera_name": place, "state": "raised", "raised": "2026-11-23T10:42:00Z"},
        })
    }

    fn read(bytes: &[u8]) -> Value {
        serde_json::from_slice(bytes).unwrap()
    }

    #[test]
    fn a_message_is_one_sentence_that_stands_alone() {
        let line = "Cổng chợ – nghi vấn xe tải đỗ sai chỗ, đã 4 phút – 17:42";
        let told = Told::read(&body(line, "Cổng chợ")).unwrap();
        let message = read(&of(&told, "vi", None, Some("/m/abc")));
        let expected = json!({
            "id": 12, "site": "Thôn Duyên Hy", "sentence": line, "time": "2026-11-23T10:42:00Z", "place": "Cổng chợ", "url": "/vu-viec/12",
            "open": true, "language": "vi", "image": "/m/abc",
        });
        assert_eq!(message, expected);
        assert_eq!(read(&of(&told, "en", None, None))["sentence"], "suspected");
    }

    #[test]
    fn what_comes_late_says_so_and_when_it_happened() {
        let zone = TimeZoneDatabase::bundled().get("Asia/Ho_Chi_Minh").unwrap();
        let told = Told::read(&body("x", "y")).unwrap();
        let hours = |n: i64| EVENING.plus_micros(n * 3_600_000_000);
        let late = |language, n| read(&of(&told, language, Some((EVENING, hours(n), &zone)), None))["late"].as_str().unwrap().to_owned();
        assert_eq!(late("vi", 2), "Tin gửi chậm (việc xảy ra lúc 17:42, máy mất mạng).");
        assert_eq!(late("vi", 12), "Tin gửi chậm (việc xảy ra lúc 17:42 23/11/2026, máy mất mạng).");
        assert_eq!(late("en", 2), "Late message (happened at 17:42; box was offline).");
    }

    #[test]
    fn the_longest_names_and_notes_fit() {
        for letter in ["ỡ", "\"", "x"] {
            let told = Told::read(&body(&letter.repeat(4000), &letter.repeat(120))).unwrap();
            let bytes = of(&told, "vi", None, Some(&format!("/m/{}", "a".repeat(64))));
            assert!(bytes.len() <= BYTES_MAX, "{letter}: {}", bytes.len());
            let sentence = read(&bytes)["sentence"].as_str().unwrap().to_owned();
            assert!(sentence.ends_with('…') && sentence.starts_with(letter));
        }
    }

    #[test]
    fn what_is_no_case_is_no_message() {
        for other in [json!({}), json!([]), json!({"event": "disk.changed", "sentence": {"vi": "a", "en": "b"}, "site": "x"})] {
            assert!(Told::read(&other).is_none(), "{other}");
        }
    }
}
