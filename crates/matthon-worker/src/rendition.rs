//! A rendition: one stream decoded, scaled, covered and encoded in H.264 as it comes, on one thread that makes way.
//!
//! Belongs here: what is done with each sample and each picture. Does not belong here: the encoder and masks (`film`), who watches (the
//! core).

use crate::{
    counts::Tally,
    decode::{Frame, Order},
    film::{
        self, Stop,
        canvas::Canvas,
        cover::Cover,
        encode::Encoder,
        feed::{Came, Feed},
        inside,
        outlet::Outlet,
    },
    note::Notes,
};
use std::{
    io::{BufWriter, Read, Write},
    os::unix::net::UnixStream,
};
use vision::protocol::{
    Down, SampleHead, notes,
    rendition::{Spec, Up},
    stream,
};

/// What the thread yields to: detection, which yields to recording.
const NICE: i32 = 10;
/// From one key frame to the next, 90 kHz: whoever comes waits a second.
const KEY_EVERY: i64 = 90_000;
/// Pictures between key frames at most, whatever their times say.
const GOP_MAX: u32 = 120;

/// Works until the core closes its end.
pub fn run(socket: &UnixStream, spec: &Spec, notes: &Notes, tally: &Tally) {
    let failed = |why| stream::encode(&Up::Failed(why));
    film::run(socket, NICE, "a rendition", failed, |down, up| {
        if !spec.is_sound() {
            return Err(Stop::Failed("a rendition is asked for that cannot be".into()));
        }
        let mut rendition = Rendition { spec, up, tally, feed: Feed::new(Order::Prompt), film: None, last: None };
        rendition.all(down, notes)
    });
}

struct Rendition<'a> {
    spec: &'a Spec,
    up: BufWriter<UnixStream>,
    tally: &'a Tally,
    feed: Feed<Came>,
    film: Option<Film>,
    /// Presentation time of the picture before, since something was missing.
    last: Option<i64>,
}

impl Rendition<'_> {
    fn all(&mut self, mut from: impl Read, notes: &Notes) -> Result<(), Stop> {
        let mut data = Vec::new();
        while let Some(message) = stream::read_down(&mut from, &mut data)? {
            let _working = notes.begin(notes::decoding(0));
            match message {
                Down::Format(codec) => self.feed.format(codec),
                Down::Sample(head) => self.sample(&head, std::mem::take(&mut data))?,
                // Of streams that are looked at.
                Down::Interest(_) => {}
            }
        }
        Ok(())
    }

    fn sample(&mut self, head: &SampleHead, data: Vec<u8>) -> Result<(), Stop> {
        if head.loss_before {
            self.last = None;
        }
        let mut came = Vec::new();
        let decoded = self.feed.sample(head, data, |t| came = std::mem::take(&mut t.0));
        for frame in came {
            self.picture(&frame)?;
        }
        match decoded {
            Ok(pictures) => self.tally.decoded(pictures),
            Err(fault) => self.up.write_all(&stream::encode(&Up::Undecodable(fault.to_string()))?)?,
        }
        Ok(self.up.flush()?)
    }

    fn picture(&mut self, frame: &Frame) -> Result<(), Stop> {
        // A decoder that waits for as little as it may now and then gives one too late.
        if self.last.is_some_and(|last| frame.pts <= last) {
            return Ok(());
        }
        let begins = self.last.replace(frame.pts).is_none();
        if self.film.as_ref().is_none_or(|film| !film.fits(frame)) {
            self.film = Some(Film::new(self.spec, frame).map_err(Stop::Failed)?);
        }
        let Some(film) = &mut self.film else { return Ok(()) };
        film.add(frame, begins).map_err(Stop::Failed)?;
        film.outlet.give(&mut self.up)
    }
}

/// What is made of pictures of one size and kind.
struct Film {
    /// Size and colours of what it is made of.
    of: (u32, u32, gstreamer_video::VideoColorimetry),
    canvas: Canvas,
    cover: Cover,
    outlet: Outlet,
    /// Presentation times of the picture and of the key frame before.
    before: Option<(i64, i64)>,
    micros: u64,
}

fn kind(frame: &Frame) -> (u32, u32, gstreamer_video::VideoColorimetry) {
    (frame.info.width(), frame.info.height(), frame.info.colorimetry())
}

impl Film {
    fn new(spec: &Spec, frame: &Frame) -> Result<Self, String> {
        let size = inside((frame.info.width(), frame.info.height()), spec.fit);
        let canvas = Canvas::new(size, frame)?;
        let outlet = Outlet::new(Encoder::live(canvas.info(), spec.kbit, GOP_MAX)?);
        let cover = Cover::new(&spec.masks, (size.0 as usize, size.1 as usize));
        Ok(Self { of: kind(frame), canvas, cover, outlet, before: None, micros: 0 })
    }

    fn fits(&self, frame: &Frame) -> bool {
        self.of == kind(frame)
    }

    /// Encodes a picture; `begins`: nothing that came before is known to whoever shows it.
    fn add(&mut self, frame: &Frame, begins: bool) -> Result<(), String> {
        let cover = &self.cover;
        let picture = self.canvas.draw(frame, |planes| cover.paint(planes))?;
        let (pts, due) = (frame.pts, |key: i64| frame.pts.saturating_sub(key) >= KEY_EVERY || frame.pts < key);
        let (step, key) = match self.before {
            Some((last, key)) if !begins && !due(key) => (pts.saturating_sub(last), key),
            before => {
                // The first one is one anyway.
                if before.is_some() {
                    self.outlet.encoder().begin_anew();
                }
                (before.map_or(0, |(last, _)| pts.saturating_sub(last)), pts)
            }
        };
        // The encoder's times must rise and make sense; it uses them for its rate only.
        self.micros += u64::try_from(step.clamp(90, KEY_EVERY)).unwrap_or(90) * 100 / 9;
        self.before = Some((pts, key));
        self.outlet.push(picture, self.micros, (frame.capture, pts))
    }
}
