//! Films of what is recorded for pages: covered where the camera has masks, in H.264 whatever it sent, made by a worker of its own while somebody
//! takes it.
//!
//! Belongs here: which records lead to a film, where it ends, how it waits for whoever takes it. Does not belong here: pixels (the worker), who
//! may see which (`web`).

mod boxing;

use boxing::Boxing;
use bytes::Bytes;
use domain::{CameraId, Channel, Sample, StreamId, StreamKind, WallTime, mask::Mask};
use ring::{Reader, RecordRef, RingError};
use std::{cell::Cell, collections::BTreeMap, io, sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use vision::{CopyError, Made, Wanted, protocol::copy::Spec};
use web::{Film, FilmWish, NoFilm};

/// No wider and no higher, pixels: what is made faster than it is watched.
const FIT: (u32, u32) = (1280, 1280);
/// Most kilobits a second.
const KBIT: u32 = 3000;
/// Fragments that wait to be taken, of half a second each.
const AHEAD: usize = 4;
/// Whoever takes nothing for so long, because he paused, begins another film when he goes on.
const PATIENCE: Duration = Duration::from_secs(60);
/// No picture is shown later than this behind one that is decoded after it, µs.
const REORDER: i64 = 1_000_000;

/// Where a camera's recordings are, and what is black on them.
pub(crate) struct Source {
    pub(crate) recorded: Vec<(Channel, Reader)>,
    pub(crate) masks: Vec<Mask>,
}

/// Makes them.
pub(crate) struct Films {
    pub(crate) cameras: BTreeMap<CameraId, Source>,
    pub(crate) launcher: Arc<dyn vision::Launcher>,
}

/// What is known of a film with its first picture.
type First = Result<(WallTime, String), NoFilm>;

#[async_trait::async_trait]
impl web::Films for Films {
    async fn begin(&self, wish: FilmWish, stop: CancellationToken, place: OwnedSemaphorePermit) -> Result<Film, NoFilm> {
        let source = self.cameras.get(&wish.camera).ok_or(NoFilm::Nothing)?;
        let reader = source.recorded.iter().find(|(channel, _)| *channel == wish.channel).map(|(_, reader)| reader.clone());
        let reader = reader.ok_or(NoFilm::Nothing)?;
        let masks = if wish.covered { source.masks.clone() } else { Vec::new() };
        let (tell, told) = oneshot::channel();
        let (give, pieces) = mpsc::channel(AHEAD);
        let making = Making { reader, masks, wish, stop, first: Some(tell), give, runtime: tokio::runtime::Handle::current() };
        let launcher = self.launcher.clone();
        // It lasts as long as somebody watches: no thread of those that answer.
        let thread = std::thread::Builder::new().name("film".into()).spawn(move || {
            making.make(&*launcher);
            drop(place);
        });
        thread.map_err(|e| NoFilm::Cannot(e.to_string()))?;
        let (starts_at, codecs) = told.await.unwrap_or_else(|_| Err(NoFilm::Cannot("it broke off".into())))?;
        Ok(Film { starts_at, codecs, pieces })
    }
}

struct Making {
    reader: Reader,
    masks: Vec<Mask>,
    wish: FilmWish,
    stop: CancellationToken,
    /// To be told once.
    first: Option<oneshot::Sender<First>>,
    give: mpsc::Sender<io::Result<Bytes>>,
    runtime: tokio::runtime::Handle,
}

impl Making {
    fn make(mut self, launcher: &dyn vision::Launcher) {
        let error = match self.film(launcher) {
            // Whoever took it has left, or had enough for now.
            Ok(()) | Err(CopyError::Cancelled | CopyError::Sink(_)) => return,
            Err(error) => error,
        };
        let nothing = matches!(&error, CopyError::Source(e) if e.kind() == io::ErrorKind::NotFound);
        let why = match &error {
            CopyError::Refused(why) => why.clone(),
            // What it says names files.
            CopyError::Source(_) => "the recording cannot be read".to_owned(),
            other => other.to_string(),
        };
        if !nothing {
            tracing::warn!(camera = %self.wish.camera, %error, "a film of a recording is not made");
        }
        // One that has begun breaks off: its end does not come.
        if let Some(first) = self.first.take() {
            let _ = first.send(Err(if nothing { NoFilm::Nothing } else { NoFilm::Cannot(why) }));
        }
    }

    fn film(&mut self, launcher: &dyn vision::Launcher) -> Result<(), CopyError> {
        let FilmWish { camera, channel, from, to, .. } = self.wish.clone();
        let stream = StreamId::new(camera, channel, StreamKind::Video);
        if self.stop.is_cancelled() {
            return Err(CopyError::Cancelled);
        }
        let records = run(&self.reader, &stream, from, to).map_err(|e| CopyError::Source(io::Error::other(e)))?;
        let spec = Spec { from, to, title: String::new(), fit: FIT, kbit: KBIT, masks: self.masks.clone() };
        let (stop, left) = (self.stop.clone(), self.give.clone());
        let go_on = || !stop.is_cancelled() && !left.is_closed();
        let wanted = Wanted { spec, font: &[], words: &|_| String::new(), go_on: &go_on };
        let reader = self.reader.clone();
        let begun = Cell::new(false);
        let (records, waiting) = (records.into_iter(), Vec::new().into_iter());
        let samples = Samples { reader: &reader, records, range: (from, to), waiting, seq: None, begun: &begun };
        let mut samples = samples.peekable();
        if samples.peek().is_none() {
            return Err(CopyError::Source(io::ErrorKind::NotFound.into()));
        }
        if !go_on() {
            return Err(CopyError::Cancelled);
        }
        let mut boxing = Boxing::default();
        let mut head = None;
        let copied = vision::copy(launcher, &wanted, samples, |made| match made {
            Made::Format(format) => {
                let codecs = format.codecs.clone();
                head = Some((codecs, Boxing::init(format).map_err(io::Error::other)?));
                Ok(())
            }
            Made::Picture { capture, pts, random_access, data } => {
                if let Some((codecs, init)) = head.take() {
                    if let Some(first) = self.first.take() {
                        let _ = first.send(Ok((capture, codecs)));
                    }
                    self.send(init)?;
                }
                boxing.picture(pts, random_access, data).map_or(Ok(()), |fragment| self.send(fragment))
            }
        });
        match copied {
            // What led up to the range was there, and nothing of the range.
            Err(CopyError::Refused(_)) if !begun.get() => return Err(CopyError::Source(io::ErrorKind::NotFound.into())),
            other => other?,
        };
        let end = boxing.rest().map_or(Ok(()), |fragment| self.send(fragment));
        end.and_then(|()| self.send(Vec::new())).map_err(CopyError::Sink)
    }

    /// Waits until there is room.
    fn send(&self, bytes: Vec<u8>) -> io::Result<()> {
        let sent = self.runtime.block_on(async {
            tokio::select! {
                sent = tokio::time::timeout(PATIENCE, self.give.send(Ok(bytes.into()))) => sent.map(|sent| sent.is_ok()),
                () = self.stop.cancelled() => Ok(false),
            }
        });
        match sent {
            Ok(true) => Ok(()),
            Ok(false) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

/// The records that lead to a film: of the range, from a random access point on.
fn run(reader: &Reader, stream: &StreamId, from: WallTime, to: WallTime) -> Result<Vec<RecordRef>, RingError> {
    let mut found = reader.records(stream, from, to.plus_micros(REORDER))?;
    if let Some(before) = found.first().map(|first| reader.group_before(first)).transpose()?.flatten() {
        found.splice(0..0, before);
    }
    Ok(found)
}

/// Their samples until something is missing: a hole, or what cannot be read.
struct Samples<'a> {
    reader: &'a Reader,
    records: std::vec::IntoIter<RecordRef>,
    range: (WallTime, WallTime),
    waiting: std::vec::IntoIter<Sample>,
    /// The count of the record before.
    seq: Option<u64>,
    /// Whether a picture of the range came: what is missing before is not missed.
    begun: &'a Cell<bool>,
}

impl Iterator for Samples<'_> {
    type Item = io::Result<Sample>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(sample) = self.waiting.next() {
                if sample.capture >= self.range.0 && sample.capture < self.range.1 {
                    self.begun.set(true);
                }
                return Some(Ok(sample));
            }
            let record = self.records.next()?;
            let before = self.seq.replace(record.entry.seq);
            let mut samples = match self.reader.samples(&record) {
                Ok(samples) => samples,
                Err(e) if e.is_gap() && self.begun.get() => return None,
                Err(e) if e.is_gap() => {
                    self.seq = None;
                    continue;
                }
                Err(e) => return Some(Err(io::Error::other(e))),
            };
            let missing = before.is_some_and(|before| before.checked_add(1) != Some(record.entry.seq));
            let hole = missing || samples.first().is_some_and(|s| s.loss_before);
            if hole && self.begun.get() {
                return None;
            }
            if let Some(first) = samples.first_mut() {
                first.loss_before = hole || before.is_none();
            }
            self.waiting = samples.into_iter();
        }
    }
}
