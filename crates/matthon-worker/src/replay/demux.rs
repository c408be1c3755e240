//! A file by descriptor → its video stream's access units, with times from the film's beginning.
//!
//! Belongs here: knowing containers by their first bytes, demuxers, parsers. Does not belong here: decoding.
//!
//! The file is read through a pad of our own that gives any range of it, so the demuxer opens nothing and may jump.

use crate::{decode::element_for, wired::one_line};
use gstreamer as gst;
use gstreamer::prelude::*;
use std::{
    fs::File,
    os::unix::fs::FileExt,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, Sender},
    },
};

/// Longest range a demuxer may ask for at once: the index of a film of a day.
const RANGE_MAX: u32 = 256 << 20;

/// One access unit.
#[derive(Debug)]
pub struct Packet {
    /// From the film's beginning, µs; negative: before it, not shown.
    pub pts: i64,
    /// Likewise.
    pub dts: Option<i64>,
    /// Decoding may start here.
    pub random_access: bool,
    /// The bytes, as the format says.
    pub data: Vec<u8>,
}

/// Why a film is not read on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Nobody wants more.
    Enough,
    /// It is no use, in one sentence.
    Failed(String),
}

/// Takes the access units, on the demuxer's thread.
pub trait Sink: Send + 'static {
    /// What the access units are from here on.
    ///
    /// # Errors
    /// To stop.
    fn format(&mut self, caps: &gst::Caps) -> Result<(), Stop>;
    /// The next one in decoding order.
    ///
    /// # Errors
    /// To stop.
    fn packet(&mut self, packet: Packet) -> Result<(), Stop>;
    /// There are no more.
    ///
    /// # Errors
    /// To stop.
    fn end(&mut self) -> Result<(), Stop>;
}

/// How a film ended, told by the demuxer's thread.
#[derive(Debug)]
enum Word {
    End,
    Stopped(Stop),
    NoVideo,
    Error(String),
}

/// Reads a film from its beginning to its end; gives the sink back.
///
/// # Errors
/// One sentence why it cannot be read.
pub fn run<S: Sink>(file: File, sink: S) -> Result<S, String> {
    let demuxer = container(&file)?;
    let (words, heard) = mpsc::channel();
    let film = Arc::new(Mutex::new(Some(sink)));
    let pipeline = gst::Pipeline::new();
    let made = build(&pipeline, file, demuxer, &film, &words);
    let outcome = made.and_then(|source| {
        pipeline.set_state(gst::State::Playing).map_err(|_| "the demuxer does not start".to_owned())?;
        source.set_active(true).map_err(|_| "the file cannot be given to the demuxer".to_owned())?;
        listen(&heard)
    });
    // Waits for the demuxer's thread.
    let _ = pipeline.set_state(gst::State::Null);
    outcome?;
    let mut film = film.lock().unwrap_or_else(PoisonError::into_inner);
    film.take().ok_or_else(|| "the film's reader is gone".to_owned())
}

fn listen(heard: &Receiver<Word>) -> Result<(), String> {
    match heard.recv() {
        Ok(Word::End | Word::Stopped(Stop::Enough)) => Ok(()),
        Ok(Word::Stopped(Stop::Failed(why)) | Word::Error(why)) => Err(why),
        Ok(Word::NoVideo) => Err("there is no video stream in it that can be decoded".to_owned()),
        Err(_) => Err("the demuxer ended without a word".to_owned()),
    }
}

/// The demuxer for a file, by its first bytes.
fn container(file: &File) -> Result<&'static str, String> {
    let mut head = [0; 189];
    let mut filled = 0;
    while filled < head.len() {
        match file.read_at(&mut head[filled..], filled as u64) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) => return Err(format!("it cannot be read: {e}")),
        }
    }
    let head = &head[..filled];
    Ok(match head {
        [_, _, _, _, b'f', b't', b'y', b'p', ..]
        | [_, _, _, _, b'm', b'o', b'o', b'v', ..]
        | [_, _, _, _, b'm', b'd', b'a', b't', ..]
        | [_, _, _, _, b'w', b'i', b'd', b'e', ..]
        | [_, _, _, _, b'f', b'r', b'e', b'e', ..] => "qtdemux",
        [0x1a, 0x45, 0xdf, 0xa3, ..] => "matroskademux",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'A', b'V', b'I', b' ', ..] => "avidemux",
        [0x47, rest @ ..] if rest.len() == 188 && rest[187] == 0x47 => "tsdemux",
        [] => return Err("it is empty".to_owned()),
        _ => return Err("it is neither MP4, Matroska, AVI nor MPEG-TS".to_owned()),
    })
}

/// The pad that gives ranges of the file.
fn source(file: File) -> Result<gst::Pad, String> {
    let len = file.metadata().map_err(|e| format!("it cannot be read: {e}"))?.len();
    let pad = gst::Pad::builder(gst::PadDirection::Src)
        .name("file")
        .getrange_function(move |_, _, offset, into, asked| {
            let size = u64::from(asked.min(RANGE_MAX)).min(len.saturating_sub(offset));
            if size == 0 || asked > RANGE_MAX {
                return Err(gst::FlowError::Eos);
            }
            let size = usize::try_from(size).map_err(|_| gst::FlowError::Error)?;
            let Some(into) = into else {
                let mut bytes = vec![0; size];
                file.read_exact_at(&mut bytes, offset).map_err(|_| gst::FlowError::Error)?;
                let mut buffer = gst::Buffer::from_mut_slice(bytes);
                if let Some(b) = buffer.get_mut() {
                    b.set_offset(offset);
                }
                return Ok(gst::PadGetRangeSuccess::NewBuffer(buffer));
            };
            {
                let mut map = into.map_writable().map_err(|_| gst::FlowError::Error)?;
                let room = map.get_mut(..size).ok_or(gst::FlowError::Error)?;
                file.read_exact_at(room, offset).map_err(|_| gst::FlowError::Error)?;
            }
            into.set_size(size);
            Ok(gst::PadGetRangeSuccess::FilledBuffer)
        })
        .query_function(move |pad, parent, query| match query.view_mut() {
            gst::QueryViewMut::Scheduling(q) => {
                q.set(gst::SchedulingFlags::SEEKABLE, 1, -1, 0);
                q.add_scheduling_modes([gst::PadMode::Pull]);
                true
            }
            gst::QueryViewMut::Duration(q) if q.format() == gst::Format::Bytes => {
                q.set(gst::format::Bytes::from_u64(len));
                true
            }
            gst::QueryViewMut::Seeking(q) if q.format() == gst::Format::Bytes => {
                q.set(true, gst::format::Bytes::from_u64(0), gst::format::Bytes::from_u64(len));
                true
            }
            _ => gst::Pad::query_default(pad, parent, query),
        })
        .build();
    Ok(pad)
}

type Film<S> = Arc<Mutex<Option<S>>>;

fn build<S: Sink>(pipeline: &gst::Pipeline, file: File, demuxer: &str, film: &Film<S>, words: &Sender<Word>) -> Result<gst::Pad, String> {
    let missing = |e: gst::glib::BoolError| format!("{demuxer} is not installed: {}", one_line(&e.message));
    let demux = gst::ElementFactory::make(demuxer).build().map_err(missing)?;
    pipeline.add(&demux).map_err(|e| e.to_string())?;
    let source = source(file)?;
    let sink = demux.static_pad("sink").ok_or("the demuxer has no input")?;
    source.link(&sink).map_err(|e| format!("the demuxer does not take the file: {e}"))?;
    if let Some(bus) = pipeline.bus() {
        let words = words.clone();
        // A handler instead of a loop over the bus: no message waits for anybody, and there is no second way to hear the end.
        bus.set_sync_handler(move |_, message| {
            if let gst::MessageView::Error(e) = message.view() {
                let _ = words.send(Word::Error(one_line(&e.error().to_string())));
            }
            gst::BusSyncReply::Drop
        });
    }
    let (holder, film, told) = (pipeline.downgrade(), film.clone(), words.clone());
    let taken = Arc::new(Mutex::new(None));
    let found = taken.clone();
    demux.connect_pad_added(move |_, pad| {
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(pipeline) = holder.upgrade() else { return };
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        if taken.is_some() || element_for(&caps).is_none() {
            return;
        }
        // Kept, for a link does not hold on to its pads.
        let ours = taken.insert(taker(&film, &told));
        if let Err(why) = attach(&pipeline, pad, &caps, ours) {
            let _ = told.send(Word::Error(why));
        }
    });
    let words = words.clone();
    demux.connect_no_more_pads(move |_| {
        if found.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
            let _ = words.send(Word::NoVideo);
        }
    });
    Ok(source)
}

/// Demuxer → parser, where one is needed → our pad.
fn attach(pipeline: &gst::Pipeline, pad: &gst::Pad, caps: &gst::Caps, ours: &gst::Pad) -> Result<(), String> {
    let parser = match caps.structure(0).map(|s| s.name().as_str()) {
        Some("video/x-h264") => Some(("h264parse", "video/x-h264,alignment=au,stream-format=(string){avc,byte-stream}")),
        Some("video/x-h265") => Some(("h265parse", "video/x-h265,alignment=au,stream-format=(string){hvc1,byte-stream}")),
        _ => None,
    };
    ours.set_active(true).map_err(|e| e.to_string())?;
    let Some((name, wanted)) = parser else {
        return pad.link(ours).map(drop).map_err(|e| e.to_string());
    };
    let make = || -> Result<(), gst::glib::BoolError> {
        let parser = gst::ElementFactory::make(name).build()?;
        let filter = gst::ElementFactory::make("capsfilter").property("caps", wanted.parse::<gst::Caps>()?).build()?;
        pipeline.add_many([&parser, &filter])?;
        parser.link(&filter)?;
        let end = |element: &gst::Element, name: &str| element.static_pad(name).ok_or_else(|| gst::glib::bool_error!("a pad is missing"));
        end(&filter, "src")?.link(ours).map_err(|e| gst::glib::bool_error!("{e}"))?;
        filter.sync_state_with_parent()?;
        parser.sync_state_with_parent()?;
        pad.link(&end(&parser, "sink")?).map_err(|e| gst::glib::bool_error!("{e}"))?;
        Ok(())
    };
    make().map_err(|e| format!("{name} cannot be used: {}", one_line(&e.message)))
}

/// The pad at which access units arrive.
fn taker<S: Sink>(film: &Film<S>, words: &Sender<Word>) -> gst::Pad {
    let segment = Arc::new(Mutex::new(gst::FormattedSegment::<gst::ClockTime>::new()));
    let (at, film_of_chain, words_of_chain) = (segment.clone(), film.clone(), words.clone());
    let (film, words) = (film.clone(), words.clone());
    gst::Pad::builder(gst::PadDirection::Sink)
        .name("units")
        .chain_function(move |_, _, buffer| {
            let segment = at.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let Some(packet) = packet(&buffer, &segment) else { return Ok(gst::FlowSuccess::Ok) };
            with(&film_of_chain, &words_of_chain, |sink| sink.packet(packet))
        })
        .event_function(move |pad, parent, event| {
            match event.view() {
                gst::EventView::Caps(e) => {
                    let caps = e.caps().to_owned();
                    return with(&film, &words, |sink| sink.format(&caps)).is_ok();
                }
                gst::EventView::Segment(e) => {
                    if let Some(new) = e.segment().downcast_ref::<gst::ClockTime>() {
                        *segment.lock().unwrap_or_else(PoisonError::into_inner) = new.clone();
                    }
                }
                gst::EventView::Eos(_) => {
                    if with(&film, &words, Sink::end).is_ok() {
                        let _ = words.send(Word::End);
                    }
                }
                _ => return gst::Pad::event_default(pad, parent, event),
            }
            true
        })
        .build()
}

fn with<S: Sink>(
    film: &Film<S>,
    words: &Sender<Word>,
    work: impl FnOnce(&mut S) -> Result<(), Stop>,
) -> Result<gst::FlowSuccess, gst::FlowError> {
    let mut film = film.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(sink) = film.as_mut() else { return Err(gst::FlowError::Eos) };
    work(sink).map(|()| gst::FlowSuccess::Ok).map_err(|stop| {
        // Whatever the demuxer says about being stopped comes after this, and is not heard.
        let _ = words.send(Word::Stopped(stop));
        gst::FlowError::Eos
    })
}

/// Times from the film's beginning; what lies outside of the film's edit is decoded but before its beginning.
fn packet(buffer: &gst::Buffer, segment: &gst::FormattedSegment<gst::ClockTime>) -> Option<Packet> {
    let micros = |t: gst::ClockTime| -> Option<i64> {
        let (sign, at) = match segment.to_stream_time_full(t) {
            Some(gst::Signed::Positive(at)) => (1, at),
            Some(gst::Signed::Negative(at)) => (-1, at),
            None => return None,
        };
        // Rounded: a film's 1/30 s are 33 333 333 ns.
        i64::try_from((at.nseconds() + 500) / 1000).ok().map(|v| sign * v)
    };
    let stamp = buffer.pts().or(buffer.dts())?;
    let pts = micros(stamp)?;
    let after = segment.stop().is_some_and(|stop| stamp >= stop);
    let data = buffer.map_readable().ok()?.as_slice().to_vec();
    Some(Packet {
        // After the edit's end: needed by pictures before it perhaps, never shown.
        pts: if after { -1 - pts.abs() } else { pts },
        dts: buffer.dts().and_then(micros),
        random_access: !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT),
        data,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]
    use super::*;
    use std::io::Write;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn containers_are_known_by_their_first_bytes() {
        let mut ts = vec![0; 400];
        (ts[0], ts[188]) = (0x47, 0x47);
        assert_eq!(container(&file(b"\0\0\0\x20ftypisom")), Ok("qtdemux"));
        assert_eq!(container(&file(&[0x1a, 0x45, 0xdf, 0xa3, 1])), Ok("matroskademux"));
        assert_eq!(container(&file(b"RIFF....AVI LIST")), Ok("avidemux"));
        assert_eq!(container(&file(&ts)), Ok("tsdemux"));
        assert!(container(&file(b"")).unwrap_err().contains("empty"));
        assert!(container(&file(b"GIF89a")).unwrap_err().contains("neither"));
    }
}
