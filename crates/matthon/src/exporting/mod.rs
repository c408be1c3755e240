//! Packages for authorities, made: what is asked becomes one signed ZIP. Used by `matthon export` and by the daemon.
//!
//! Belongs here: gathering what a package holds from ring, database and configuration. Does not belong here: its bytes
//! (`evidence`), who may have one (`web`), the daemon's queue of them (`desk`).

pub(crate) mod desk;
mod holes;
pub(crate) mod stills;
#[cfg(test)]
mod tests;
pub(crate) mod viewing;
mod words;

use anyhow::{Context, Result, anyhow, bail};
use config::Config;
use domain::{Clock, GapReason, StreamId, StreamKind};
use evidence::{
    EvidenceError, ExportRequest, Manifest, Package, VERIFY_PAGE,
    manifest::{Export, FORMAT, Gap, Place},
    report,
};
use ring::{ClipError, Reader, Signer, clip::Wish};
use std::{
    collections::BTreeMap,
    fs::File,
    io::Seek,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};
use store::Store;

/// Asks how far a camera's clock is off.
pub(crate) type ClockOffset = Arc<dyn Fn(&domain::CameraId) -> Option<f64> + Send + Sync>;

/// What an export is made from.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(crate) config: Arc<Config>,
    /// By the ring's name.
    pub(crate) rings: BTreeMap<String, Reader>,
    pub(crate) store: Store,
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) clock: Arc<dyn Clock>,
    /// A camera's clock less the box's, seconds, as last measured; nothing without a daemon.
    pub(crate) offsets: ClockOffset,
    /// Starts the worker that makes viewing copies.
    pub(crate) worker: Arc<dyn vision::Launcher>,
}

/// Who makes it.
#[derive(Clone, Debug)]
pub(crate) struct By {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) role: String,
}

/// A picture that goes along.
pub(crate) struct Picture {
    pub(crate) name: String,
    pub(crate) jpeg: Vec<u8>,
}

/// How far it is, and whether to go on; shared with whoever watches.
#[derive(Default)]
pub(crate) struct Progress {
    pub(crate) done: AtomicU64,
    pub(crate) total: AtomicU64,
    pub(crate) stop: AtomicBool,
}

impl Progress {
    fn advance(&self, work: u64) {
        self.done.fetch_add(work, Ordering::Relaxed);
    }

    fn called_off(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// What is to be made, and where.
pub(crate) struct Job<'a> {
    pub(crate) request: &'a ExportRequest,
    pub(crate) by: &'a By,
    pub(crate) pictures: &'a [Picture],
    pub(crate) estimate: Estimate,
    /// A folder for what is written twice: a viewing copy before its index is known.
    pub(crate) scratch: &'a Path,
}

/// About how large a package will be, and how much work it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Estimate {
    /// Bytes of the masters.
    masters: u64,
    /// Of these, pictures that are encoded again.
    viewed: u64,
    /// Bytes of viewing copies at most.
    views: u64,
}

impl Estimate {
    /// Bytes of the finished package at most.
    pub(crate) fn size(self) -> u64 {
        self.masters.saturating_add(self.views)
    }

    /// Bytes needed while it is made.
    pub(crate) fn room(self) -> u64 {
        // A copy lies there twice for a moment.
        self.masters.saturating_add(self.views.saturating_mul(2))
    }

    fn work(self) -> u64 {
        self.masters.saturating_add(self.viewed.saturating_mul(viewing::EFFORT))
    }
}

/// One camera's part.
struct Part<'a> {
    camera: &'a config::Camera,
    reader: &'a Reader,
}

/// Pictures are on the disk after this long.
const ON_ITS_WAY: i64 = 3_000_000;

fn parts<'a>(sources: &'a Sources, request: &ExportRequest) -> Result<Vec<Part<'a>>> {
    let part = |id: &domain::CameraId| {
        let camera = sources.config.cameras.iter().find(|c| c.id == *id).ok_or_else(|| anyhow!("there is no camera {id}"))?;
        let ring = camera.record.ring(request.stream).with_context(|| format!("{} of {id} is not recorded", request.stream))?;
        let reader = sources.rings.get(ring).with_context(|| format!("ring {ring} is not open"))?;
        Ok(Part { camera, reader })
    };
    request.cameras.iter().map(part).collect()
}

/// How large the package will be, from the ring's index.
pub(crate) fn estimate(sources: &Sources, request: &ExportRequest) -> Result<Estimate> {
    let mut all = Estimate::default();
    for part in parts(sources, request)? {
        let bytes =
            |kind| part.reader.bytes_between(&StreamId::new(part.camera.id.clone(), request.stream, kind), request.from, request.to);
        let (video, audio) = (bytes(StreamKind::Video)?, bytes(StreamKind::Audio)?);
        all.masters += video + audio;
        if request.viewing_copy {
            all.viewed += video;
            all.views += viewing::most(video, request.to.micros_since(request.from));
        }
    }
    Ok(all)
}

/// Writes the package into a file. What it returns is signed and whole; on an error the file is nobody's.
///
/// A recording that turns out damaged while it is copied costs its seconds, not the package: all of it is looked through, and the
/// package is begun again with a gap there.
pub(crate) fn make(sources: &Sources, job: &Job<'_>, out: File, progress: &Arc<Progress>) -> Result<Manifest> {
    let mut again = out.try_clone().context("the package cannot be begun again")?;
    match attempt(sources, job, out, progress) {
        Err(error) if is_gap(&error) && !progress.called_off() => {
            tracing::warn!(%error, "a recording of the package cannot be read: it is made again without");
            leave_out_damaged(sources, job.request, progress)?;
            progress.done.store(0, Ordering::Relaxed);
            again.set_len(0)?;
            again.rewind()?;
            attempt(sources, job, again, progress)
        }
        made => made,
    }
}

/// Whether a recording was overwritten, is damaged, or lies on a sector that cannot be read.
pub(crate) fn is_gap(error: &anyhow::Error) -> bool {
    let clip = match error.downcast_ref::<EvidenceError>() {
        Some(EvidenceError::Clip(clip)) => Some(clip),
        _ => error.downcast_ref::<ClipError>(),
    };
    matches!(clip, Some(ClipError::Ring(error)) if error.is_gap())
}

/// Reads everything the package would hold, so that clips planned afterwards leave out what cannot be read.
fn leave_out_damaged(sources: &Sources, request: &ExportRequest, progress: &Progress) -> Result<()> {
    for part in parts(sources, request)? {
        match ring::clip::plan(part.reader, &wish(&part, request)) {
            Ok(plan) => {
                plan.check(|| !progress.called_off())?;
                if progress.called_off() {
                    return Err(EvidenceError::Cancelled.into());
                }
            }
            Err(ClipError::Nothing { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn wish<'a>(part: &Part<'a>, request: &ExportRequest) -> Wish<'a> {
    Wish {
        camera: &part.camera.id,
        channel: request.stream,
        from: request.from,
        to: request.to,
        audio: request.audio && part.camera.audio,
        captions: None,
    }
}

fn attempt(sources: &Sources, job: &Job<'_>, out: File, progress: &Arc<Progress>) -> Result<Manifest> {
    let Job { request, by, pictures, .. } = *job;
    let now = sources.clock.wall();
    let place = Place::named(&sources.config.site.timezone);
    if request.to > now {
        bail!("{} lies in the future: a package tells of what has happened", request.to);
    }
    let parts = parts(sources, request)?;
    progress.total.store(job.estimate.work(), Ordering::Relaxed);

    let watch = progress.clone();
    let mut told = 0;
    let written = out.try_clone().context("the package cannot be read back")?;
    let mut package = Package::new(std::io::BufWriter::with_capacity(1 << 20, out), move |done| {
        watch.advance(done - told);
        told = done;
        !watch.called_off()
    });
    let mut films = Vec::new();
    let (mut tracks, mut gaps, mut unsynchronised) = (Vec::new(), Vec::new(), 0);
    for part in &parts {
        let stream = StreamId::new(part.camera.id.clone(), request.stream, StreamKind::Video);
        let named = stream.to_string();
        // What is still on its way to the disk is no gap.
        let until = request.to.min(now.plus_micros(-ON_ITS_WAY));
        let found = web::gaps::of(part.reader, &sources.store, &stream, request.from, until)?;
        let mut missing: Vec<_> = found.into_iter().map(|gap| (named.clone(), gap)).collect();
        // One camera's index at a time: those of thirty cameras and a day would not fit into this process.
        let plan = match ring::clip::plan(part.reader, &wish(part, request)) {
            Ok(plan) => Some(plan),
            // Told as a gap: of the other cameras there may be something.
            Err(ClipError::Nothing { .. }) => None,
            Err(e) => return Err(e.into()),
        };
        if let Some(plan) = &plan {
            let name = format!("goc/{}-{}", part.camera.id, request.stream);
            let masters = package.add_master(&name, plan, &place)?;
            films.push((part.camera, masters.recorded));
            tracks.extend(masters.tracks);
            unsynchronised += masters.unsynchronised;
            for (name, from, to) in masters.holes {
                if missing.iter().any(|(n, gap)| *n == name && holes::covers(gap, from, to)) {
                    continue;
                }
                let kind = if name == named { StreamKind::Video } else { StreamKind::Audio };
                // Holes come in the order of the records: those of the pictures first.
                let pictures: Vec<_> = missing.iter().filter(|(n, _)| *n == named).map(|(_, gap)| *gap).collect();
                let of = StreamId { kind, ..stream.clone() };
                let reason = holes::reason(part.reader, &sources.store, &of, holes::Hole { from, to }, &pictures)?;
                missing.push((name, domain::Gap { from, to, reason }));
            }
        }
        // At an end of the range, or where a whole camera cannot be read, no hole between two records tells of it.
        let sound = wish(part, request).audio.then_some(StreamKind::Audio);
        for of in [StreamKind::Video].into_iter().chain(sound).map(|kind| StreamId { kind, ..stream.clone() }) {
            let name = of.to_string();
            for span in part.reader.damaged_times(&of, request.from, request.to)? {
                if !missing.iter().any(|(n, gap)| *n == name && holes::covers(gap, span.from, span.to)) {
                    missing.push((name.clone(), domain::Gap { from: span.from, to: span.to, reason: GapReason::Damaged }));
                }
            }
        }
        gaps.extend(missing.into_iter().map(|(stream, gap)| Gap {
            stream,
            from: place.moment(gap.from),
            to: place.moment(gap.to),
            reason: gap.reason.as_str().into(),
        }));
    }
    if tracks.is_empty() {
        bail!("nothing was recorded there in that time");
    }
    // Only now: making copies takes long, and the ring goes on writing over what the masters were cut from.
    let notes = viewing::add(sources, job, &films, &written, &mut package, progress)?;
    for picture in pictures {
        package.add(&picture.name, "still", &picture.jpeg)?;
    }
    package.add("verify.html", "page", VERIFY_PAGE)?;
    package.add("DOC-TRUOC.txt", "text", words::READ_FIRST.as_bytes())?;
    let cameras: Vec<_> = parts.iter().map(|p| words::camera(p.camera, (sources.offsets)(&p.camera.id))).collect();
    let mut manifest = Manifest {
        format: FORMAT.into(),
        export: Export {
            id: by.id.clone(),
            purpose: request.purpose.clone(),
            authority: request.authority.clone(),
            officer: request.officer.clone(),
            document: request.document.clone(),
            exporter: by.name.clone(),
            role: by.role.clone(),
            made_at: Some(place.moment(now)),
        },
        made_by: words::maker(sources, &parts.iter().map(|p| p.camera).collect::<Vec<_>>(), now)?,
        clock: words::clock(&*sources.clock, unsynchronised, &cameras, now, &place),
        from: place.moment(request.from),
        to: place.moment(request.to),
        cameras,
        tracks,
        gaps,
        cases: words::case(sources, request.case, &place)?,
        redaction: "none".into(),
        notes,
        files: package.files().to_vec(),
    };
    match report::Fonts::installed() {
        Ok(fonts) => package.add("bao-cao.pdf", "report", &report::write(&manifest, &fonts, &place)?)?,
        Err(error) => manifest.notes.push(format!("Không kèm báo cáo PDF: {error}.")),
    }
    let (out, manifest) = package.finish(manifest, &*sources.signer)?;
    let file = out.into_inner().map_err(|e| anyhow!("cannot write the package: {}", e.error()))?;
    file.sync_all().context("cannot write the package")?;
    Ok(manifest)
}
