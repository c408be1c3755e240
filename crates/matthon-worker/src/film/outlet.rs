//! Encoded pictures on their way to the core, each named by the sample it was made from.
//!
//! Belongs here: what a viewing copy and a rendition say of each picture. Does not belong here: what is on it.

use super::{Stop, encode::Encoder};
use crate::wired;
use domain::WallTime;
use gstreamer as gst;
use std::{collections::VecDeque, io::Write};
use vision::protocol::{
    film::{PICTURE_MAX, Up},
    stream,
};

/// One encoder and whose pictures are in it.
#[derive(Debug)]
pub struct Outlet {
    encoder: Encoder,
    told: bool,
    /// Capture and presentation times of pictures in the encoder, in their order.
    times: VecDeque<(WallTime, i64)>,
}

impl Outlet {
    /// Of a new encoder.
    #[must_use]
    pub fn new(encoder: Encoder) -> Self {
        Self { encoder, told: false, times: VecDeque::new() }
    }

    /// The encoder, to be told something between two pictures.
    #[must_use]
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// Encodes a picture of a sample, shown so many µs after the first as far as the encoder's rate is concerned.
    ///
    /// # Errors
    /// What the encoder says.
    pub fn push(&mut self, picture: gst::Buffer, micros: u64, of: (WallTime, i64)) -> Result<(), String> {
        self.times.push_back(of);
        self.encoder.push(picture, micros)
    }

    /// Hands over what the encoder has ready.
    ///
    /// # Errors
    /// When the core is gone or the encoder gives what cannot be.
    pub fn give(&mut self, up: &mut impl Write) -> Result<(), Stop> {
        let broken = |what: &str| Stop::Failed(what.to_owned());
        while let Some(unit) = self.encoder.take() {
            if !self.told {
                let config = self.encoder.config().ok_or_else(|| broken("the encoder tells no format"))?;
                up.write_all(&stream::encode(&Up::Format(config))?)?;
                self.told = true;
            }
            let (capture, pts) = self.times.pop_front().ok_or_else(|| broken("the encoder gave more pictures than it got"))?;
            let bytes = unit.buffer.map_readable().map_err(|e| Stop::Failed(wired::one_line(&e.message)))?;
            let len =
                u32::try_from(bytes.len()).ok().filter(|n| *n as usize <= PICTURE_MAX).ok_or_else(|| broken("a picture is too large"))?;
            up.write_all(&stream::encode(&Up::Picture { capture, pts, random_access: unit.random_access, len })?)?;
            up.write_all(&bytes)?;
        }
        Ok(())
    }
}
