//! One byte range of a file (RFC 9110 §14), and whether the client's copy is still this file.

use axum::http::{HeaderMap, header};

/// What part of the file to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it.
    Whole,
    /// From the first byte to before the second.
    Bytes(u64, u64),
    /// The range asked for has no byte of this file.
    Outside,
}

/// Reads `Range` and `If-Range` against a file of `length` bytes with the given (strong, quoted) entity tag.
/// Several ranges, other units and nonsense are answered with the whole file, as the RFC allows.
pub(crate) fn of(headers: &HeaderMap, length: u64, etag: &str) -> Part {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(range) = headers.get(header::RANGE) else { return Part::Whole };
    if headers.contains_key(header::IF_RANGE) && text(header::IF_RANGE) != Some(etag) {
        return Part::Whole;
    }
    range.to_str().ok().and_then(|text| parse(text, length)).unwrap_or(Part::Whole)
}

fn parse(text: &str, length: u64) -> Option<Part> {
    let (unit, spec) = text.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") || spec.contains(',') {
        return None;
    }
    let (first, last) = spec.trim().split_once('-')?;
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse::<u64>().unwrap_or(u64::MAX))
    };
    if first.is_empty() {
        let count = number(last)?.min(length);
        return Some(if count == 0 { Part::Outside } else { Part::Bytes(length - count, length) });
    }
    let first = number(first)?;
    let end = if last.is_empty() { length } else { number(last)?.saturating_add(1).min(length) };
    if !last.is_empty() && number(last)? < first {
        return None;
    }
    Some(if first >= length { Part::Outside } else { Part::Bytes(first, end) })
}

/// Whether `If-None-Match` names this entity.
pub(crate) fn unchanged(headers: &HeaderMap, etag: &str) -> bool {
    let Some(known) = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()) else { return false };
    known.split(',').map(|tag| tag.trim().trim_start_matches("W/")).any(|tag| tag == "*" || tag == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_as_players_send_them() {
        let table = [
            ("bytes=0-", Part::Bytes(0, 1000)),
            ("bytes=0-0", Part::Bytes(0, 1)),
            ("bytes=500-999", Part::Bytes(500, 1000)),
            ("bytes=500-5000", Part::Bytes(500, 1000)),
            ("bytes=-1", Part::Bytes(999, 1000)),
            ("bytes=-5000", Part::Bytes(0, 1000)),
            ("Bytes = 5-6", Part::Bytes(5, 7)),
            ("bytes=1000-", Part::Outside),
            ("bytes=99999999999999999999999-", Part::Outside),
            ("bytes=0-99999999999999999999999", Part::Bytes(0, 1000)),
            ("bytes=-0", Part::Outside),
            ("bytes=6-5", Part::Whole),
            ("bytes=0-1,5-6", Part::Whole),
            ("bytes=a-b", Part::Whole),
            ("bytes=+1-2", Part::Whole),
            ("lines=1-2", Part::Whole),
            ("bytes", Part::Whole),
        ];
        for (text, expected) in table {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, text.parse().unwrap());
            assert_eq!(of(&headers, 1000, "\"a\""), expected, "{text}");
        }
    }

    #[test]
    fn a_changed_file_is_sent_whole() {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, "bytes=1-2".parse().unwrap());
        headers.insert(header::IF_RANGE, "\"a\"".parse().unwrap());
        assert_eq!(of(&headers, 10, "\"a\""), Part::Bytes(1, 3));
        assert_eq!(of(&headers, 10, "\"b\""), Part::Whole);
        assert_eq!(of(&HeaderMap::new(), 10, "\"b\""), Part::Whole);
    }
}
