//! The samples of a master that is in the package already, read back from there: what the ring overwrites meanwhile, while a viewing
//! copy is made for an hour, is still here.

use crate::chain::{Reader, Where};
use bytes::Bytes;
use domain::{Format, Sample, StreamId, StreamKind};
use ring::format::record::FLAG_LOSS_BEFORE;
use std::{
    collections::{HashMap, VecDeque},
    fs::File,
    io::{self, BufReader, Read},
    os::unix::fs::FileExt,
    sync::Arc,
};

/// Where a film and its records lie in the package's file.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub(crate) film: u64,
    pub(crate) chain: u64,
    pub(crate) chain_len: u64,
    /// By how they are hashed, which is how the chain file names them.
    pub(crate) formats: HashMap<Vec<u8>, Arc<Format>>,
}

impl Recorded {
    /// The film's pictures, in decoding order, one at a time; `loss_before` where recording was interrupted. Only once the
    /// package was flushed.
    pub fn pictures<'a>(&'a self, package: &'a File) -> impl Iterator<Item = io::Result<Sample>> + 'a {
        let records = At { file: package, at: self.chain }.take(self.chain_len);
        Pictures {
            recorded: self,
            package,
            records: Reader::new(BufReader::with_capacity(1 << 16, records)),
            next: VecDeque::new(),
            seq: None,
            hole: true,
            count: 0,
            ended: false,
        }
    }
}

/// Reads from a place on, wherever others leave the file's position.
struct At<'a> {
    file: &'a File,
    at: u64,
}

impl Read for At<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read_at(into, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

struct Pictures<'a, R> {
    recorded: &'a Recorded,
    package: &'a File,
    records: Reader<R>,
    /// Samples of the record in hand, and where their bytes begin.
    next: VecDeque<(Sample, u64, u32)>,
    /// Number of the record that would go on without a hole.
    seq: Option<u64>,
    hole: bool,
    count: u64,
    ended: bool,
}

impl<R: Read> Pictures<'_, R> {
    /// The next record's samples; whether there was one.
    fn record(&mut self) -> io::Result<bool> {
        let Some(entry) = self.records.next()? else { return Ok(false) };
        let h = &entry.header;
        // Sound lies behind all pictures.
        if h.stream.kind != StreamKind::Video {
            return Ok(false);
        }
        let bad = || io::Error::from(io::ErrorKind::InvalidData);
        let format = self.recorded.formats.get(entry.parameters.as_ref()).ok_or_else(bad)?;
        let stream: Arc<StreamId> = Arc::new(h.stream.clone());
        self.hole |= self.seq != Some(h.seq) || h.has(FLAG_LOSS_BEFORE);
        self.seq = h.seq.checked_add(1);
        let mut dts = i64::try_from(h.base_dts).map_err(|_| bad())?;
        let first = entry.samples.first().map_or(dts, |s| dts.saturating_add(s.piece.cts_offset.into()));
        for s in entry.samples {
            let pts = dts.saturating_add(s.piece.cts_offset.into());
            // What the film leaves out lies outside of the range, or cannot be decoded there.
            if let Where::Film(at) = s.at {
                let sample = Sample {
                    stream: stream.clone(),
                    format: format.clone(),
                    seq: self.count,
                    capture: h.wall.plus_micros(pts.saturating_sub(first).saturating_mul(100) / 9),
                    pts,
                    dts,
                    random_access: s.piece.random_access,
                    loss_before: std::mem::take(&mut self.hole),
                    data: Bytes::new(),
                };
                self.count += 1;
                self.next.push_back((sample, at, s.piece.size));
            }
            dts = dts.saturating_add(s.piece.duration.into());
        }
        Ok(true)
    }

    fn sample(&mut self) -> io::Result<Option<Sample>> {
        while self.next.is_empty() {
            if !self.record()? {
                return Ok(None);
            }
        }
        let Some((mut sample, at, size)) = self.next.pop_front() else { return Ok(None) };
        let mut data = vec![0; size as usize];
        self.package.read_exact_at(&mut data, self.recorded.film.saturating_add(at))?;
        sample.data = data.into();
        Ok(Some(sample))
    }
}

impl<R: Read> Iterator for Pictures<'_, R> {
    type Item = io::Result<Sample>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.sample().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}
