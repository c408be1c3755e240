//! Writing a package: one file after the other, hashed as it is written; at the end manifest, signature and sums.

use crate::{
    chain,
    error::EvidenceError,
    hashing::{Tee, hex},
    manifest::{FileEntry, Manifest, Place, Track},
    recorded::Recorded,
    signature,
    view::View,
};
use domain::{Format, StreamKind, WallTime};
use ring::{ClipPlan, Signer, clip::Origin};
use std::{
    collections::{BTreeMap, HashMap},
    io::{self, Read, Seek, SeekFrom, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// Names with a part of their own.
pub(crate) const MANIFEST: &str = "manifest.json";
pub(crate) const SIGNATURE: &str = "manifest.sig";
pub(crate) const SUMS: &str = "SHA256SUMS";
/// Bytes copied between two looks at whether somebody called it off.
const PIECE: usize = 1 << 20;

/// A package being written. What is not finished is no package.
pub struct Package<W: Write + Seek> {
    zip: ZipWriter<Placed<W>>,
    /// Where the next byte goes.
    at: Arc<AtomicU64>,
    files: Vec<FileEntry>,
    /// Bytes written so far, and whether to go on.
    progress: Box<dyn FnMut(u64) -> bool + Send>,
    done: u64,
}

impl<W: Write + Seek> Package<W> {
    /// Begins; `progress` hears of bytes written and says whether to go on.
    pub fn new(out: W, progress: impl FnMut(u64) -> bool + Send + 'static) -> Self {
        let at = Arc::new(AtomicU64::new(0));
        let zip = ZipWriter::new(Placed { inner: out, at: at.clone() });
        Self { zip, at, files: Vec::new(), progress: Box::new(progress), done: 0 }
    }

    fn begin(&mut self, name: &str) -> Result<(), EvidenceError> {
        if !plain(name) || self.files.iter().any(|f| f.name == name) {
            return Err(EvidenceError::Name(name.to_owned()));
        }
        // Stored: film does not shrink, and what is stored can be read where it lies.
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(true);
        Ok(self.zip.start_file(name, options)?)
    }

    fn tick(&mut self, bytes: u64) -> Result<(), EvidenceError> {
        self.done += bytes;
        if (self.progress)(self.done) { Ok(()) } else { Err(EvidenceError::Cancelled) }
    }

    fn end(&mut self, name: &str, what: &str, (sha256, bytes): (String, u64)) {
        self.files.push(FileEntry { name: name.to_owned(), bytes, sha256, what: what.to_owned() });
    }

    /// Adds a small file.
    ///
    /// # Errors
    /// When the receiver does not take it or somebody called it off.
    pub fn add(&mut self, name: &str, what: &str, bytes: &[u8]) -> Result<(), EvidenceError> {
        self.begin(name)?;
        let mut out = Tee::new(&mut self.zip);
        out.write_all(bytes)?;
        let done = out.finish();
        self.end(name, what, done);
        self.tick(bytes.len() as u64)
    }

    /// Adds a film as it was recorded, and the records it was cut from: `NAME.mp4` and `NAME.chuoi`. Every record is read
    /// again whole and checked; what is damaged ends the export with its name.
    ///
    /// # Errors
    /// As [`Package::add`], and when the recording cannot be read.
    pub fn add_master(&mut self, name: &str, plan: &ClipPlan, place: &Place) -> Result<Masters, EvidenceError> {
        let (film, records) = (format!("{name}.mp4"), format!("{name}.chuoi"));
        self.begin(&film)?;
        let film_at = self.at.load(Ordering::Relaxed);
        let mut piece = vec![0; PIECE];
        let mut out = Tee::new(&mut self.zip);
        let mut at = 0;
        while at < plan.len() {
            let n = plan.read_at(at, &mut piece)?;
            if n == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            out.write_all(piece.get(..n).unwrap_or_default())?;
            at += n as u64;
            self.done += n as u64;
            if !(self.progress)(self.done) {
                return Err(EvidenceError::Cancelled);
            }
        }
        let done = out.finish();
        self.end(&film, "master", done);

        self.begin(&records)?;
        let mut recorded = Recorded { film: film_at, chain: self.at.load(Ordering::Relaxed), chain_len: 0, formats: HashMap::new() };
        let mut out = chain::Writer::new(io::BufWriter::with_capacity(1 << 16, &mut self.zip))?;
        let mut found =
            Tracks { film: &film, records: &records, plan, place, tracks: BTreeMap::new(), unsynchronised: 0, holes: Vec::new() };
        for origin in plan.origins() {
            let origin = origin?;
            out.push(&origin)?;
            found.see(&origin);
            if origin.header.stream.kind == StreamKind::Video {
                recorded.formats.entry(media::hash::parameters(&origin.format)).or_insert_with(|| origin.format.clone());
            }
            if !(self.progress)(self.done) {
                return Err(EvidenceError::Cancelled);
            }
        }
        let tracks = found.tracks.into_values().map(|(track, _)| track).collect();
        let (unsynchronised, holes) = (found.unsynchronised, found.holes);
        let done = out.finish()?;
        recorded.chain_len = done.1;
        let masters = Masters { tracks, unsynchronised, holes, recorded };
        self.end(&records, "chain", done);
        Ok(masters)
    }

    /// Adds a viewing copy. One that cannot be written as a film is refused before anything of it is in the package.
    ///
    /// # Errors
    /// As [`Package::add`]; [`EvidenceError::View`] when the copy is at fault.
    pub fn add_view(&mut self, name: &str, view: View) -> Result<(), EvidenceError> {
        let (head, mut rest) = view.finish()?;
        self.begin(name)?;
        let mut piece = vec![0; PIECE];
        let mut out = Tee::new(&mut self.zip);
        out.write_all(&head)?;
        loop {
            let n = rest.read(&mut piece)?;
            if n == 0 {
                break;
            }
            out.write_all(piece.get(..n).unwrap_or_default())?;
            // Its bytes are no part of what was to be written: making them was the work.
            if !(self.progress)(self.done) {
                return Err(EvidenceError::Cancelled);
            }
        }
        let done = out.finish();
        self.end(name, "view", done);
        Ok(())
    }

    /// Lets what was written reach the file, so that it can be read back.
    ///
    /// # Errors
    /// When the receiver does not take it.
    pub fn flush(&mut self) -> io::Result<()> {
        self.zip.flush()
    }

    /// Files so far.
    #[must_use]
    pub fn files(&self) -> &[FileEntry] {
        &self.files
    }

    /// Writes manifest, signature and sums, and ends the archive. The manifest's list of files is filled in here.
    ///
    /// # Errors
    /// As [`Package::add`].
    pub fn finish(mut self, mut manifest: Manifest, signer: &dyn Signer) -> Result<(W, Manifest), EvidenceError> {
        manifest.files = std::mem::take(&mut self.files);
        let key = signer.public_key();
        (manifest.made_by.key, manifest.made_by.fingerprint) = (hex(&key), signature::fingerprint(&key));
        let text = serde_json::to_vec_pretty(&manifest)?;
        let mark = signature::write(signer, &text);
        self.files = manifest.files.clone();
        self.add(MANIFEST, "manifest", &text)?;
        self.add(SIGNATURE, "signature", mark.as_bytes())?;
        let sums: String = self.files.iter().map(|f| format!("{}  {}\n", f.sha256, f.name)).collect();
        self.add(SUMS, "sums", sums.as_bytes())?;
        Ok((self.zip.finish()?.inner, manifest))
    }
}

/// What a film's records said.
#[derive(Debug)]
pub struct Masters {
    /// One a stream.
    pub tracks: Vec<Track>,
    /// Records begun under a clock that was not set.
    pub unsynchronised: u64,
    /// Holes between records: the stream, from, to.
    pub holes: Vec<(String, WallTime, WallTime)>,
    /// Where it all lies, for whoever reads it back.
    pub recorded: Recorded,
}

/// Tells where the next byte goes.
struct Placed<W> {
    inner: W,
    at: Arc<AtomicU64>,
}

impl<W: Write> Write for Placed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.at.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<W: Seek> Seek for Placed<W> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = self.inner.seek(to)?;
        self.at.store(at, Ordering::Relaxed);
        Ok(at)
    }
}

/// Names of files: no way out of the folder somebody unpacks into.
pub(crate) fn plain(name: &str) -> bool {
    let part =
        |p: &str| !p.is_empty() && !p.starts_with('.') && p.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    name.len() <= 200 && name.split('/').all(part)
}

/// Gathers the manifest's tracks while records pass.
struct Tracks<'a> {
    film: &'a str,
    records: &'a str,
    plan: &'a ClipPlan,
    place: &'a Place,
    tracks: BTreeMap<String, (Track, WallTime)>,
    unsynchronised: u64,
    holes: Vec<(String, WallTime, WallTime)>,
}

impl Tracks<'_> {
    fn see(&mut self, origin: &Origin) {
        let h = &origin.header;
        self.unsynchronised += u64::from(h.has(ring::format::record::FLAG_CLOCK_UNSYNCED));
        let stream = h.stream.to_string();
        let moment = |at: WallTime| self.place.moment(at);
        let first = || Track {
            file: self.film.to_owned(),
            chain_file: self.records.to_owned(),
            stream: stream.clone(),
            parameters: words(&origin.format),
            records: 0,
            first: h.seq,
            last: h.seq.wrapping_sub(1),
            chain_before: origin.chain_before.map(|c| hex(&c)).unwrap_or_default(),
            chain_after: String::new(),
            from: moment(self.plan.starts_at()),
            to: moment(self.plan.ends_at()),
            samples_at: self.plan.samples_at(),
        };
        let (track, end) = self.tracks.entry(stream.clone()).or_insert_with(|| (first(), h.wall));
        // Missing from the chain, or from time.
        if track.last.wrapping_add(1) != h.seq || h.wall.micros_since(*end) > ring::table::TOLERANCE {
            self.holes.push((stream, *end, h.wall));
        }
        *end = h.wall_end();
        track.records += 1;
        track.last = h.seq;
        track.chain_after = hex(&h.chain);
        let words = words(&origin.format);
        if !track.parameters.contains(&words) {
            track.parameters = format!("{}; {words}", track.parameters);
        }
    }
}

/// `H.264 1920×1080`.
fn words(format: &Format) -> String {
    match format {
        Format::Video(v) => {
            let codec = match v.codec {
                domain::VideoCodec::H264 => "H.264",
                domain::VideoCodec::H265 => "H.265",
            };
            format!("{codec} {}×{}", v.width, v.height)
        }
        Format::Audio(a) => {
            let codec = match a.codec {
                domain::AudioCodec::Aac => "AAC",
                domain::AudioCodec::PcmA => "G.711 A-law",
                domain::AudioCodec::PcmU => "G.711 µ-law",
            };
            format!("{codec} {} Hz", a.sample_rate)
        }
        Format::Observations(version) => format!("observations {version}"),
    }
}
