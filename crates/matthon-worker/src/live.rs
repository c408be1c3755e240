//! A watched stream: samples from its socket, decoded, chosen, scaled, judged, handed to the detectors.
//!
//! Belongs here: the thread of one stream. Does not belong here: how each step is done, and what a detector sees.

use crate::{
    counts::Tally,
    decode::{self, Decoder, Frame, Order, Tap, Unit},
    grid::Grid,
    look::{Pool, Tag},
    motion::{Motion, QUIET},
    note::Notes,
    scale::Scaling,
    uplink::{Told, Uplink},
};
use domain::WallTime;
use std::{
    io::{self, BufReader},
    os::unix::net::UnixStream,
    sync::Arc,
};
use vision::protocol::{Codec, Down, SampleHead, Up, notes, stream};

/// A quiet stream is looked at all the same after this long, µs: somebody may have stood still from the first picture on.
const AT_LEAST: i64 = 10_000_000;
/// Bytes read from the socket at once.
const READ: usize = 64 * 1024;

/// What a stream's thread is given.
#[derive(Debug)]
pub struct Live {
    /// The core's number for it.
    pub stream: u32,
    /// For log lines.
    pub name: String,
    /// Pictures a second.
    pub fps: f32,
    /// Its socket.
    pub socket: UnixStream,
    /// The same socket, for what goes up.
    pub uplink: Arc<Uplink>,
    /// Who looks; without it pictures are decoded only.
    pub pool: Option<Arc<Pool>>,
    /// The model's input, for scaling.
    pub input: (u32, u32),
    /// Who works on what.
    pub notes: Notes,
    /// Counters.
    pub tally: Arc<Tally>,
}

/// Chooses by time, right where pictures come out.
#[derive(Debug)]
struct Chosen {
    grid: Grid,
    frames: Vec<Frame>,
}

impl Tap for Chosen {
    fn picture(&mut self, frame: Frame) {
        if self.grid.wants(frame.pts) {
            self.frames.push(frame);
        }
    }
}

struct Eye {
    live: Live,
    codec: Option<Codec>,
    decoder: Option<Decoder<Chosen>>,
    grid: Grid,
    scaling: Scaling,
    motion: Motion,
    interest: bool,
    last: Option<WallTime>,
    trouble: bool,
}

impl Live {
    /// Works until the socket ends.
    ///
    /// # Errors
    /// When the socket fails or says what cannot be.
    pub fn run(self) -> io::Result<()> {
        let mut source = BufReader::with_capacity(READ, self.socket.try_clone()?);
        let mut data = Vec::new();
        let grid = Grid::new(self.fps);
        let mut eye = Eye {
            live: self,
            codec: None,
            decoder: None,
            grid,
            scaling: Scaling::default(),
            motion: Motion::default(),
            interest: false,
            last: None,
            trouble: false,
        };
        while let Some(message) = stream::read_down(&mut source, &mut data)? {
            match message {
                Down::Format(codec) => {
                    eye.close();
                    eye.codec = Some(codec);
                }
                Down::Interest(yes) => eye.interest = yes,
                Down::Sample(head) => eye.sample(&head, std::mem::take(&mut data)),
            }
        }
        Ok(())
    }
}

impl Eye {
    fn sample(&mut self, head: &SampleHead, data: Vec<u8>) {
        if head.loss_before {
            self.close();
        }
        if self.decoder.is_none() && !head.random_access {
            return;
        }
        let notes = self.live.notes.clone();
        // From here to the end of this function whatever happens is this stream's doing: scaling is C code too.
        let _working = notes.begin(notes::decoding(self.live.stream));
        if let Err(fault) = self.decode(head, data) {
            self.undecodable(&fault.to_string());
        }
    }

    fn decode(&mut self, head: &SampleHead, data: Vec<u8>) -> Result<(), decode::Fault> {
        let decoder = match &mut self.decoder {
            Some(decoder) => decoder,
            None => {
                let Some(codec) = &self.codec else { return Ok(()) };
                let tap = Chosen { grid: self.grid.clone(), frames: Vec::new() };
                self.decoder.insert(Decoder::new(&decode::caps(codec), Order::Prompt, tap)?)
            }
        };
        let unit = Unit { pts: head.pts, dts: head.dts, capture: head.capture, random_access: head.random_access, data };
        let pushed = decoder.push(unit);
        let decoded = decoder.take_decoded();
        self.live.tally.decoded(decoded);
        self.trouble &= decoded == 0;
        for frame in decoder.tap(|chosen| std::mem::take(&mut chosen.frames)) {
            self.look(&frame);
        }
        pushed
    }

    fn look(&mut self, frame: &Frame) {
        let Some(pool) = &self.live.pool else { return };
        let size = (frame.info.width(), frame.info.height());
        let small = match self.scaling.to(frame, detect::fit(self.live.input, size)) {
            Ok(small) => Arc::new(small),
            Err(e) => return self.undecodable(&e.to_string()),
        };
        let motion = self.motion.look(&small);
        let capture = frame.capture;
        // A clock that stepped back counts as long ago.
        let due = self.last.is_none_or(|last| !(0..AT_LEAST).contains(&capture.micros_since(last)));
        if motion <= QUIET && !self.interest && !due {
            return self.live.tally.quiet();
        }
        self.last = Some(capture);
        let tag = Tag { capture, size, motion, uplink: self.live.uplink.clone() };
        pool.submit(self.live.stream, self.interest, small, tag);
    }

    fn undecodable(&mut self, what: &str) {
        self.close();
        // Once until a picture comes out again: a broken camera must not fill the log nor the socket.
        if !std::mem::replace(&mut self.trouble, true) {
            crate::say(format_args!("{}: {what}", self.live.name));
        }
        if self.live.uplink.tell(&Up::Undecodable { what: what.to_owned() }) == Told::Gone {
            self.live.uplink.close();
        }
    }

    /// Lets the decoder go; the next random access point gets a new one.
    fn close(&mut self) {
        if let Some(decoder) = self.decoder.take() {
            self.grid = decoder.tap(|chosen| chosen.grid.clone());
        }
    }
}
