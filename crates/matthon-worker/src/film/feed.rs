//! One stream on its way into a decoder: begun anew at random access points, wherever something is missing.
//!
//! Belongs here: when there is a decoder, and when its samples are let go. Does not belong here: what becomes of pictures.

use crate::decode::{self, Decoder, Fault, Frame, Order, Tap, Unit};
use vision::protocol::{Codec, SampleHead};

/// Keeps pictures until they are worked on.
#[derive(Debug, Default)]
pub struct Came(pub Vec<Frame>);

impl Tap for Came {
    fn picture(&mut self, frame: Frame) {
        self.0.push(frame);
    }
}

/// One stream.
#[derive(Debug)]
pub struct Feed<T: Tap> {
    order: Order,
    codec: Option<Codec>,
    decoder: Option<Decoder<T>>,
    /// For the next random access point, after the decoder gave up.
    waiting: bool,
}

impl<T: Tap + Default> Feed<T> {
    /// A stream that nothing is known of.
    #[must_use]
    pub fn new(order: Order) -> Self {
        Self { order, codec: None, decoder: None, waiting: false }
    }

    /// Takes its parameters.
    pub fn format(&mut self, codec: Codec) {
        if self.codec.as_ref() != Some(&codec) {
            (self.decoder, self.codec) = (None, Some(codec));
        }
    }

    /// Decodes an access unit; answers how many pictures came out. `take` gets hold of them, also of those before a fault.
    ///
    /// # Errors
    /// When the decoder gave up; it goes on at the next random access point.
    pub fn sample(&mut self, head: &SampleHead, data: Vec<u8>, take: impl FnOnce(&mut T)) -> Result<u64, Fault> {
        if head.loss_before {
            self.decoder = None;
        }
        self.waiting |= self.decoder.is_none();
        if self.waiting && !head.random_access {
            return Ok(0);
        }
        self.waiting = false;
        let decoded = self.decode(head, data, take);
        if decoded.is_err() {
            (self.decoder, self.waiting) = (None, true);
        }
        decoded
    }

    fn decode(&mut self, head: &SampleHead, data: Vec<u8>, take: impl FnOnce(&mut T)) -> Result<u64, Fault> {
        let decoder = match &mut self.decoder {
            Some(decoder) => decoder,
            None => {
                let codec = self.codec.as_ref().ok_or_else(|| Fault::Refused("a sample without a format".into()))?;
                self.decoder.insert(Decoder::new(&decode::caps(codec), self.order, T::default())?)
            }
        };
        let pushed = decoder.push(Unit { pts: head.pts, dts: head.dts, capture: head.capture, random_access: head.random_access, data });
        decoder.tap(take);
        let decoded = decoder.take_decoded();
        pushed.map(|()| decoded)
    }
}
