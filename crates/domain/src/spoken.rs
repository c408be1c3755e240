//! A hash as a few syllables that can be read out over the telephone and compared by ear.

/// Sixteen beginnings and sixteen endings: every pair is a syllable Vietnamese can say and spell in one way.
const BEGIN: [&str; 16] = ["b", "ch", "d", "đ", "h", "l", "m", "n", "ph", "r", "s", "t", "th", "tr", "v", "x"];
const END: [&str; 16] = ["a", "ai", "an", "ang", "ao", "e", "en", "in", "inh", "o", "oi", "on", "ong", "u", "un", "ung"];

/// The first four bytes as four syllables.
#[must_use]
pub fn spoken(hash: &[u8; 32]) -> String {
    let syllable = |b: &u8| format!("{}{}", BEGIN[usize::from(b >> 4)], END[usize::from(b & 15)]);
    hash.iter().take(4).map(syllable).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_byte_has_its_own_syllable() {
        let all: BTreeSet<String> = (0..=255u8)
            .map(|b| {
                let mut hash = [0; 32];
                hash[0] = b;
                spoken(&hash).split(' ').next().unwrap().to_owned()
            })
            .collect();
        assert_eq!(all.len(), 256);
        assert_eq!(spoken(&[0x3f; 32]), "đung đung đung đung");
    }
}
