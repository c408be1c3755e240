//! The stamp every video access unit carries: when it was sent, which one it is, whose it is.
//!
//! A recording that copies the stream carries the stamps along, so that it can be checked frame by
//! frame. The stamp is an SEI message *user data unregistered* (H.264 and H.265 annex D, payload
//! type 5) in a NAL unit of its own, right before the first slice:
//!
//! ```text
//! a7d1f0c3 5b9e4e42 b1c66e76 722d6c61           16-byte UUID
//! t=<Unix time of the send, ns, 16 hex digits> n=<number, 8 hex digits> c=<camera>/<stream>;
//! ```
//!
//! Building bytes only; the clock is read by the caller.

use crate::spec::Codec;

/// Marks our stamps among other user data.
pub(crate) const UUID: [u8; 16] = [0xa7, 0xd1, 0xf0, 0xc3, 0x5b, 0x9e, 0x4e, 0x42, 0xb1, 0xc6, 0x6e, 0x76, 0x72, 0x2d, 0x6c, 0x61];

const USER_DATA_UNREGISTERED: u8 = 5;

/// The stamp as one NAL unit without a start code.
///
/// `sent` is Unix time in nanoseconds, `number` the camera stream's access unit number from 0 since the
/// server started, `name` is `camera/stream`.
pub(crate) fn nal(codec: Codec, sent: u64, number: u32, name: &str) -> Vec<u8> {
    let text = format!("t={sent:016x} n={number:08x} c={name};");
    let mut message = Vec::with_capacity(UUID.len() + text.len() + 4);
    message.push(USER_DATA_UNREGISTERED);
    let mut size = UUID.len() + text.len();
    while size >= 255 {
        message.push(255);
        size -= 255;
    }
    message.push(u8::try_from(size).unwrap_or(254));
    message.extend_from_slice(&UUID);
    message.extend_from_slice(text.as_bytes());
    message.push(0x80); // rbsp_trailing_bits: we are byte aligned

    let mut nal: Vec<u8> = match codec {
        Codec::H264 => vec![0x06],
        Codec::H265 => vec![39 << 1, 0x01], // prefix SEI, layer 0, temporal id 0
    };
    escape(&message, &mut nal);
    nal
}

/// Appends `payload` with emulation prevention bytes (H.264 §7.4.1, H.265 §7.4.2), so that no start code appears in it.
pub(crate) fn escape(payload: &[u8], out: &mut Vec<u8>) {
    let mut zeros = 0;
    for &byte in payload {
        if zeros >= 2 && byte <= 3 {
            out.push(3);
            zeros = 0;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        out.push(byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unescape(data: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut zeros = 0;
        for &byte in data {
            if zeros >= 2 && byte == 3 {
                zeros = 0;
                continue;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            out.push(byte);
        }
        out
    }

    #[test]
    fn h264_stamp_reads_as_the_standard_says() {
        let nal = nal(Codec::H264, 0x1234, 7, "cong-lang/main");
        let text = b"t=0000000000001234 n=00000007 c=cong-lang/main;";
        assert_eq!(nal[..2], [0x06, 5]);
        assert_eq!(usize::from(nal[2]), 16 + text.len());
        assert_eq!(nal[3..19], UUID);
        assert_eq!(&nal[19..nal.len() - 1], text);
        assert_eq!(nal.last(), Some(&0x80));
    }

    #[test]
    fn h265_stamp_is_a_prefix_sei() {
        let nal = nal(Codec::H265, u64::MAX, u32::MAX, "a/sub");
        assert_eq!(nal[..3], [0x4e, 0x01, 5]);
        assert_eq!(&nal[20..nal.len() - 1], b"t=ffffffffffffffff n=ffffffff c=a/sub;");
    }

    #[test]
    fn long_names_use_the_extended_size() {
        let name = "x".repeat(300);
        let nal = nal(Codec::H264, 0, 0, &name);
        let body = 16 + "t=0000000000000000 n=00000000 c=;".len() + 300;
        assert_eq!(nal[2], 255);
        assert_eq!(usize::from(nal[3]), body - 255);
        assert_eq!(nal.len(), 1 + 3 + body + 1);
    }

    #[test]
    fn emulation_prevention_hides_start_codes_and_is_reversible() {
        for payload in [&[0, 0, 1][..], &[0, 0, 0, 0, 0, 3], &[0, 0, 2, 0, 0, 3, 0, 0, 4], &[1, 0, 0], &[0, 0, 0, 1]] {
            let mut out = Vec::new();
            escape(payload, &mut out);
            assert!(!out.windows(3).any(|w| w[..2] == [0, 0] && w[2] < 3), "{out:?}");
            assert_eq!(unescape(&out), payload);
        }
    }
}
