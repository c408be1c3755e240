//! G.711 to linear samples (ITU-T G.711, tables 1a to 2b), 16 bits. Two tables of 256, made when the program is built.

use domain::AudioCodec;

const A_LAW: [i16; 256] = table(false);
const MU_LAW: [i16; 256] = table(true);

/// The linear samples of a packet; of AAC, which has none this way, nothing.
pub(super) fn expand(law: AudioCodec, packet: &[u8]) -> Vec<i16> {
    let table = match law {
        AudioCodec::PcmA => &A_LAW,
        AudioCodec::PcmU => &MU_LAW,
        AudioCodec::Aac => return Vec::new(),
    };
    // An index of eight bits into 256 is always there.
    packet.iter().map(|code| table.get(usize::from(*code)).copied().unwrap_or(0)).collect()
}

const fn table(mu: bool) -> [i16; 256] {
    let mut out = [0; 256];
    let mut code = 0;
    while code < 256 {
        out[code] = if mu { mu_law(code as u8) } else { a_law(code as u8) };
        code += 1;
    }
    out
}

/// 13 bits in 8 segments, every other bit inverted, left-aligned to 16.
const fn a_law(code: u8) -> i16 {
    let code = code ^ 0x55;
    let (segment, step) = (code >> 4 & 7, (code & 15) as i16);
    let size = match segment {
        0 => (step << 4) + 8,
        n => ((step << 4) + 0x108) << (n - 1),
    };
    if code & 0x80 == 0 { -size } else { size }
}

/// 14 bits in 8 segments with a bias of 33, all bits inverted, left-aligned to 16.
const fn mu_law(code: u8) -> i16 {
    let code = !code;
    let size = (((((code & 15) as i32) << 3) + 0x84) << (code >> 4 & 7)) - 0x84;
    if code & 0x80 == 0 { size as i16 } else { -size as i16 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_and_the_middle_are_those_of_the_recommendation() {
        assert_eq!(expand(AudioCodec::PcmA, &[0xd5, 0x55, 0x2a, 0xaa]), [8, -8, -32_256, 32_256]);
        assert_eq!(expand(AudioCodec::PcmU, &[0xff, 0x7f, 0x00, 0x80]), [0, 0, -32_124, 32_124]);
    }
}
