//! What everything that makes films has in common: a viewing copy, a wall, a rendition.
//!
//! Belongs here: beginning and ending such work, decoding a stream that has holes, pictures of any kind on one canvas, masks, letters, the
//! encoder and what comes out of it. Does not belong here: what is done with each message of the core.

pub mod canvas;
pub mod cover;
pub mod encode;
pub mod feed;
pub mod mark;
pub mod outlet;

use mark::Font;
use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Write},
    net::Shutdown,
    os::{fd::OwnedFd, unix::net::UnixStream},
};

/// A font larger than this is none we know.
const FONT_MAX: u64 = 64 << 20;
/// What is gathered before it is read or written, bytes.
const BUFFER: usize = 1 << 18;

/// Why a film ends early.
#[derive(Debug)]
pub enum Stop {
    /// The core is told.
    Failed(String),
    /// There is no core any more, or it says what cannot be.
    Socket(io::Error),
}

impl From<io::Error> for Stop {
    fn from(e: io::Error) -> Self {
        Self::Socket(e)
    }
}

/// Works on this thread, which makes way for all that are less `nice`, until the core closes its end; the last word may be `failed`, as bytes.
pub fn run(
    socket: &UnixStream,
    nice: i32,
    what: &str,
    failed: impl FnOnce(String) -> io::Result<Vec<u8>>,
    work: impl FnOnce(BufReader<UnixStream>, BufWriter<UnixStream>) -> Result<(), Stop>,
) {
    // Best effort; `None` is this thread on Linux.
    let _ = rustix::process::setpriority_process(None, nice);
    let ends = || Ok((BufReader::with_capacity(BUFFER, socket.try_clone()?), BufWriter::with_capacity(BUFFER, socket.try_clone()?)));
    match ends().map_err(Stop::Socket).and_then(|(down, up)| work(down, up)) {
        Ok(()) => {}
        Err(Stop::Failed(why)) => {
            let mut last = socket;
            let _ = failed(why).and_then(|bytes| last.write_all(&bytes));
        }
        Err(Stop::Socket(e)) => crate::say(format_args!("{what} broke off: {e}")),
    }
    let _ = socket.shutdown(Shutdown::Both);
}

/// Reads the letters that came along.
///
/// # Errors
/// When they are none.
pub fn letters(font: OwnedFd) -> Result<Font, Stop> {
    let mut bytes = Vec::new();
    File::from(font).take(FONT_MAX).read_to_end(&mut bytes)?;
    Font::read(bytes).ok_or_else(|| Stop::Failed("the font cannot be read".into()))
}

/// The largest even size of a picture's shape inside of a room that is no larger than the picture.
#[must_use]
pub fn inside(size: (u32, u32), fit: (u32, u32)) -> (u32, u32) {
    let (width, height) = (u64::from(size.0.max(2)), u64::from(size.1.max(2)));
    let (most_wide, most_high) = (u64::from(fit.0.max(2)), u64::from(fit.1.max(2)));
    // The tighter of the two bounds.
    let (num, den) = if width * most_high >= height * most_wide { (most_wide, width) } else { (most_high, height) };
    let scaled = |v: u64| if num >= den { v } else { v * num / den };
    let even = |v: u64| u32::try_from((v / 2 * 2).max(2)).unwrap_or(2);
    (even(scaled(width)), even(scaled(height)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_fit_and_keep_their_shape() {
        for (size, want) in [
            ((1920, 1080), (1920, 1080)),
            ((3840, 2160), (1920, 1080)),
            ((2560, 1920), (1440, 1080)),
            ((704, 577), (704, 576)),
            ((1080, 1920), (606, 1080)),
            ((1, 1), (2, 2)),
        ] {
            assert_eq!(inside(size, (1920, 1080)), want, "{size:?}");
        }
    }

    proptest! {
        #[test]
        fn any_size_fits(w: u16, h: u16) {
            let (wide, high) = inside((w.into(), h.into()), (1920, 1080));
            prop_assert!(wide <= 1920 && high <= 1080 && wide >= 2 && high >= 2 && wide % 2 == 0 && high % 2 == 0);
        }
    }
}
