//! AAC's AudioSpecificConfig (ISO 14496-3 §1.6.2.1): object type, rate, channels.

use crate::{bits::BitReader, error::MediaError};

const WHAT: &str = "AudioSpecificConfig";

/// Table 1.18.
const RATES: [u32; 13] = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

pub(super) struct Config {
    pub(super) object_type: u32,
    pub(super) rate: u32,
    pub(super) channels: u8,
}

pub(super) fn read(config: &[u8]) -> Result<Config, MediaError> {
    // The bit reader drops emulation prevention, which this structure does not have: 00 00 03 must reach it as it is.
    let escaped = crate::nal::escape(config);
    let mut r = BitReader::new(WHAT, &escaped);
    let object_type = object_type(&mut r)?;
    let mut rate = rate(&mut r)?;
    let channels = match r.bits(4)? {
        0 => {
            return Err(MediaError::Unsupported {
                what: WHAT,
                reason: "the channels are in a program config element; set mono or stereo on the camera",
            });
        }
        n @ 1..=6 => n as u8,
        7 => 8,
        _ => return Err(MediaError::malformed(WHAT, "the channel configuration is reserved")),
    };
    if matches!(object_type, 5 | 29) {
        rate = self::rate(&mut r)?;
    }
    Ok(Config { object_type, rate, channels })
}

/// `frameLengthFlag` of the GASpecificConfig behind (§4.4.1): 960 or 1024 samples of the core.
pub(super) fn frame_length(config: &[u8]) -> Result<u32, MediaError> {
    let escaped = crate::nal::escape(config);
    let mut r = BitReader::new(WHAT, &escaped);
    let extended = matches!(object_type(&mut r)?, 5 | 29);
    rate(&mut r)?;
    r.bits(4)?;
    if extended {
        rate(&mut r)?;
        object_type(&mut r)?;
    }
    Ok(if r.flag()? { 960 } else { 1024 })
}

fn object_type(r: &mut BitReader<'_>) -> Result<u32, MediaError> {
    match r.bits(5)? {
        0 => Err(MediaError::malformed(WHAT, "the object type is null")),
        31 => Ok(32 + r.bits(6)?),
        n => Ok(n),
    }
}

fn rate(r: &mut BitReader<'_>) -> Result<u32, MediaError> {
    let rate = match r.bits(4)? {
        15 => r.bits(24)?,
        index => RATES.get(index as usize).copied().unwrap_or(0),
    };
    if rate == 0 { Err(MediaError::malformed(WHAT, "the sampling rate is reserved")) } else { Ok(rate) }
}

#[cfg(test)]
mod tests {
    use super::super::aac_format;

    #[test]
    fn configurations_cameras_send() {
        let facts = |config: &[u8]| aac_format(config).map(|f| (f.codecs, f.sample_rate, f.channels));
        assert_eq!(facts(&[0x11, 0x90]), Ok(("mp4a.40.2".into(), 48_000, 2)));
        assert_eq!(facts(&[0x14, 0x08]), Ok(("mp4a.40.2".into(), 16_000, 1)));
        assert_eq!(facts(&[0x15, 0x88]), Ok(("mp4a.40.2".into(), 8_000, 1)));
        // explicit SBR: 22.05 kHz core, 44.1 kHz out
        assert_eq!(facts(&[0x2b, 0x92, 0x08, 0x00]), Ok(("mp4a.40.5".into(), 44_100, 2)));
        // an explicit rate of 0x000003 looks like emulation prevention and is not
        assert_eq!(facts(&[0x17, 0x80, 0x00, 0x01, 0x88]), Ok(("mp4a.40.2".into(), 3, 1)));
        for bad in [&[][..], &[0x11], &[0x16, 0x88], &[0x11, 0x80], &[0x00, 0x90]] {
            assert!(facts(bad).is_err(), "{bad:?}");
        }
    }
}
