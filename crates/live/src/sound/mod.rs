//! The sound of a stream that is watched, for those who asked for it: a stream of fragments of its own, on the line of the pictures.
//!
//! Belongs here: the one mux of sound however many listen, what a listener is sent and in which order. Does not belong here:
//! where sound lies (`line`), what a packet becomes (see `media::sound`), who may listen (see `web`). Nothing runs while nobody listens.

mod line;
mod mux;
#[cfg(test)]
mod tests;

pub use mux::SoundInfo;

use crate::{mux::Piece as Picture, stream::Seat};
use bytes::Bytes;
use domain::{Format, Sample};
use hub::{Capacity, Consumer, Delivery, Fanout};
use mux::{Mux, Piece};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What is heard: `Format`, `Init`, then fragments; both again whenever the format changes.
#[derive(Clone, Debug)]
pub enum Heard {
    /// The parameters of what follows.
    Format(Arc<SoundInfo>),
    /// `ftyp` and `moov`.
    Init(Bytes),
    /// A packet, with silence before it where some was missing; or silence alone.
    Fragment {
        /// The boxes; one buffer shared by all listeners.
        bytes: Bytes,
        /// Its decoding time, as the boxes tell it: 90 kHz, rising, on the line of the pictures' fragments.
        time: u64,
    },
    /// This listener was too slow and lost that many fragments.
    Skipped {
        /// How many.
        fragments: u64,
    },
}

/// Somebody listening. Dropping it is no longer listening; the last one ends the mux.
pub struct Listener {
    pieces: Consumer<Piece>,
    told: Option<Arc<SoundInfo>>,
    /// The first fragment of a format, while that and the initialization segment go ahead.
    held: Option<(Option<Bytes>, Piece)>,
    _seat: Seat,
}

impl Listener {
    pub(crate) fn new(pieces: Consumer<Piece>, seat: Seat) -> Self {
        Self { pieces, told: None, held: None, _seat: seat }
    }

    /// The next message, the moment it is there; `None` when the stream is gone for good.
    /// Cancel-safe: a message is lost only when it was returned.
    pub async fn next(&mut self) -> Option<Heard> {
        match self.held.take() {
            Some((Some(init), piece)) => {
                self.held = Some((None, piece));
                return Some(Heard::Init(init));
            }
            Some((None, piece)) => return Some(fragment(piece)),
            None => {}
        }
        let piece = match self.pieces.next().await? {
            Delivery::Skipped { gops } => return Some(Heard::Skipped { fragments: gops }),
            Delivery::Item(piece) => piece,
        };
        if self.told.as_ref().is_some_and(|told| Arc::ptr_eq(told, &piece.info)) {
            return Some(fragment(piece));
        }
        let info = Arc::clone(&piece.info);
        self.told = Some(Arc::clone(&info));
        self.held = Some((Some(piece.init.clone()), piece));
        Some(Heard::Format(info))
    }
}

fn fragment(piece: Piece) -> Heard {
    Heard::Fragment { bytes: piece.bytes, time: piece.time }
}

/// Whether sound of this format can be sent.
pub(crate) fn sends(format: &Format) -> bool {
    mux::describe(format).is_ok()
}

/// The mux of sound while it runs.
pub(crate) struct Running {
    pub(crate) pieces: Fanout<Piece>,
    pub(crate) stop: CancellationToken,
    /// Which run it is.
    pub(crate) number: u64,
}

/// What may wait for one listener: about ten seconds.
pub(crate) fn capacity() -> Capacity {
    Capacity { items: 500, bytes: 2 << 20 }
}

/// What may wait for the mux.
pub(crate) fn mux_capacity() -> Capacity {
    Capacity { items: 256, bytes: 2 << 20 }
}

/// Drives one run of the mux: one wake-up a picture or packet, no timer. Ends with the pictures.
pub(crate) async fn run(
    name: String,
    mut pictures: Consumer<Picture>,
    mut sounds: Consumer<Sample>,
    pieces: Fanout<Piece>,
    stop: CancellationToken,
) {
    let mut mux = Mux::default();
    loop {
        // Pictures first: they say where sound lies.
        let made = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            delivery = pictures.next() => match delivery {
                None => break,
                Some(Delivery::Skipped { .. }) => None,
                Some(Delivery::Item(picture)) => mux.picture(&picture),
            },
            delivery = sounds.next() => match delivery {
                None => break,
                Some(Delivery::Skipped { .. }) => None,
                Some(Delivery::Item(sample)) => mux.sound(&sample).unwrap_or_else(|reason| {
                    tracing::warn!(stream = name, %reason, "sound that cannot be heard live");
                    None
                }),
            },
        };
        if let Some(piece) = made {
            pieces.publish(piece);
        }
    }
}
