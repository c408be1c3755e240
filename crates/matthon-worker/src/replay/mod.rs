//! A video file looked at from its beginning to its end: every analysed picture in order, without the motion gate.
//!
//! Belongs here: what is done with each access unit of the file. Does not belong here: taking the file apart (see [`demux`]).
//!
//! Everything after the demuxer happens on its one thread, so the same file gives the same observations each time.

pub mod demux;

use crate::{
    counts::Tally,
    decode::{Decoder, Fault, Frame, Order, Tap, Unit},
    grid::Grid,
    motion::Motion,
    note::Notes,
    scale::Scaling,
    uplink::{Told, Uplink},
};
use demux::{Packet, Sink, Stop};
use detect::{Detector, Look};
use domain::{Observation, WallTime};
use gstreamer as gst;
use std::{fs::File, sync::Arc, time::Instant};
use vision::protocol::{Up, notes};

/// A replay that was asked for.
#[derive(Debug)]
pub struct Replay {
    /// The file.
    pub file: File,
    /// Pictures a second.
    pub fps: f32,
    /// Where the observations go.
    pub uplink: Arc<Uplink>,
    /// Who looks.
    pub detector: Option<Detector>,
    /// The model's input.
    pub input: (u32, u32),
    /// Who works on what.
    pub notes: Notes,
    /// Counters.
    pub tally: Arc<Tally>,
}

impl Replay {
    /// Works until the file is over or nobody listens any more; the last words are `End` or `Failed`.
    pub fn run(self) {
        let uplink = self.uplink.clone();
        let last = match self.detector {
            Some(detector) => {
                let looking = Looking { detector, uplink: self.uplink, input: self.input, notes: self.notes, tally: self.tally };
                replay(self.file, self.fps, looking)
            }
            None => Up::Failed { what: "the worker has no model".to_owned() },
        };
        uplink.tell(&last);
        uplink.close();
    }
}

/// What a picture goes through.
#[derive(Debug)]
pub struct Looking<L> {
    /// Who looks.
    pub detector: L,
    /// Where the observations go.
    pub uplink: Arc<Uplink>,
    /// The model's input.
    pub input: (u32, u32),
    /// Who works on what.
    pub notes: Notes,
    /// Counters.
    pub tally: Arc<Tally>,
}

/// Replays a file; the answer is the last message. `L` so that it can be tested without a model.
pub fn replay<L: Look>(file: File, fps: f32, looking: Looking<L>) -> Up {
    let film = Film {
        looking,
        grid: Some(Grid::new(fps)),
        decoder: None,
        caps: None,
        scaling: Scaling::default(),
        motion: Motion::default(),
        decoded: 0,
        end: 0,
        waiting: false,
    };
    match demux::run(file, film) {
        Ok(film) if film.end > 0 => Up::End { decoded: film.decoded, length_micros: film.end },
        Ok(_) => Up::Failed { what: "no picture of it could be decoded".to_owned() },
        Err(what) => Up::Failed { what },
    }
}

/// Takes what the grid wants, and notes where the film ends.
#[derive(Debug)]
struct Shown {
    grid: Grid,
    frames: Vec<Frame>,
    end: i64,
    last: Option<i64>,
}

impl Tap for Shown {
    fn picture(&mut self, frame: Frame) {
        let at = frame.capture.0;
        // Before the film's beginning: decoded only because later pictures need it.
        if at < 0 {
            return;
        }
        let told = frame.buffer.duration().map(|d| i64::try_from(d.useconds()).unwrap_or(0)).filter(|d| (1..2_000_000).contains(d));
        let since = self.last.map(|last| at - last).filter(|d| (1..2_000_000).contains(d));
        self.end = self.end.max(at.saturating_add(told.or(since).unwrap_or(40_000)));
        self.last = Some(at);
        if self.grid.wants(frame.pts) {
            self.frames.push(frame);
        }
    }
}

struct Film<L> {
    looking: Looking<L>,
    grid: Option<Grid>,
    decoder: Option<Decoder<Shown>>,
    caps: Option<gst::Caps>,
    scaling: Scaling,
    motion: Motion,
    decoded: u64,
    end: i64,
    /// For the next random access point, after the decoder gave up.
    waiting: bool,
}

impl<L: Look> Sink for Film<L> {
    fn format(&mut self, caps: &gst::Caps) -> Result<(), Stop> {
        if self.caps.as_ref() != Some(caps) {
            self.drain()?;
            self.decoder = None;
            self.caps = Some(caps.clone());
        }
        Ok(())
    }

    fn packet(&mut self, packet: Packet) -> Result<(), Stop> {
        if self.waiting && !packet.random_access {
            return Ok(());
        }
        self.waiting = false;
        let notes = self.looking.notes.clone();
        let _working = notes.begin(notes::decoding(0));
        match self.decode(packet) {
            Ok(()) => {}
            Err(fault @ Fault::Refused(_)) => return Err(Stop::Failed(fault.to_string())),
            Err(fault) => {
                self.look()?;
                self.decoder = None;
                self.waiting = true;
                self.tell(&Up::Undecodable { what: fault.to_string() })?;
            }
        }
        self.look()
    }

    fn end(&mut self) -> Result<(), Stop> {
        let notes = self.looking.notes.clone();
        let _working = notes.begin(notes::decoding(0));
        self.drain()
    }
}

impl<L: Look> Film<L> {
    fn decode(&mut self, packet: Packet) -> Result<(), Fault> {
        let decoder = match &mut self.decoder {
            Some(decoder) => decoder,
            None => {
                let caps = self.caps.as_ref().ok_or_else(|| Fault::Refused("a stream without a format".to_owned()))?;
                let grid = self.grid.clone().unwrap_or_else(|| Grid::new(5.0));
                let tap = Shown { grid, frames: Vec::new(), end: self.end, last: None };
                self.decoder.insert(Decoder::new(caps, Order::Exact, tap)?)
            }
        };
        let ticks = |micros: i64| i64::try_from(i128::from(micros) * 9 / 100).unwrap_or(i64::MAX);
        decoder.push(Unit {
            pts: ticks(packet.pts),
            dts: ticks(packet.dts.unwrap_or(packet.pts)),
            capture: WallTime(packet.pts),
            random_access: packet.random_access,
            data: packet.data,
        })
    }

    /// Lets the decoder's last pictures out, and looks at them.
    fn drain(&mut self) -> Result<(), Stop> {
        if let Some(decoder) = &mut self.decoder {
            decoder.finish();
        }
        self.look()
    }

    fn look(&mut self) -> Result<(), Stop> {
        let Some(decoder) = &self.decoder else { return Ok(()) };
        let decoded = decoder.take_decoded();
        self.decoded += decoded;
        self.looking.tally.decoded(decoded);
        let (frames, grid, end) = decoder.tap(|t| (std::mem::take(&mut t.frames), t.grid.clone(), t.end));
        (self.grid, self.end) = (Some(grid), end);
        for frame in frames {
            let size = (frame.info.width(), frame.info.height());
            let small = match self.scaling.to(&frame, detect::fit(self.looking.input, size)) {
                Ok(small) => small,
                Err(e) => {
                    self.tell(&Up::Undecodable { what: e.to_string() })?;
                    continue;
                }
            };
            let motion = self.motion.look(&small);
            let begin = Instant::now();
            let result = {
                let _working = self.looking.notes.begin(notes::detecting(0));
                self.looking.detector.look(&small)
            };
            self.looking.tally.inferred(u64::try_from(begin.elapsed().as_micros()).unwrap_or(0));
            let detections = result.map_err(|e| Stop::Failed(e.to_string()))?;
            let (width, height) = size;
            self.tell(&Up::Seen(Observation { capture: frame.capture, width, height, motion, detections }))?;
        }
        Ok(())
    }

    fn tell(&self, message: &Up) -> Result<(), Stop> {
        match self.looking.uplink.tell(message) {
            Told::Gone => Err(Stop::Enough),
            Told::Yes | Told::Dropped => Ok(()),
        }
    }
}
