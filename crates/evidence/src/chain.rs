//! The chain file (`FORMAT.md`): the records a film was cut from, so that its samples can be hashed again one record at a time.

use crate::hashing::Tee;
use media::{fmp4::Piece, hash::parameters};
use ring::{
    clip::{Origin, Place},
    format::record::{RECORD_HEADER, RecordHeader},
};
use std::{
    collections::HashMap,
    io::{self, Read, Write},
};

const MAGIC: &[u8; 8] = b"MTCHAIN1";
/// A part that announces parameters.
const PARAMETERS: u8 = 1;
/// A part that is a record.
const RECORD: u8 = 2;
/// The chain before the record follows.
const HAS_BEFORE: u8 = 1;
const KEY: u8 = 1;
const DROPPED: u8 = 2;
/// Parameter sets are a few hundred bytes; more is no chain file.
const PARAMETERS_MAX: u32 = 64 << 10;
/// Cameras change their parameters rarely.
const SETS_MAX: usize = 256;
/// Bytes of left-out samples of one record: it holds at most 400 ms, and no more than a block.
const HERE_MAX: u64 = 64 << 20;
/// A record holds at most 400 ms.
const SAMPLES_MAX: u32 = 1 << 16;
/// The largest sample any ring records.
const SAMPLE_MAX: u32 = ring::MAX_ACCESS_UNIT as u32;

/// One record as it is in the file.
#[derive(Debug)]
pub struct Entry {
    /// What the record says about itself.
    pub header: RecordHeader,
    /// The chain before it, where it was known.
    pub before: Option<[u8; 32]>,
    /// The parameters, as they are hashed.
    pub parameters: std::rc::Rc<[u8]>,
    /// Its samples, in decoding order.
    pub samples: Vec<Sample>,
}

/// One sample: its line, and where its bytes are.
#[derive(Debug)]
pub struct Sample {
    /// As it was hashed.
    pub piece: Piece,
    /// Where its bytes are.
    pub at: Where,
}

/// Where a sample's bytes are.
#[derive(Debug)]
pub enum Where {
    /// In the film, from this byte on.
    Film(u64),
    /// The film leaves it out: here.
    Here(Vec<u8>),
}

/// Writes a chain file.
pub(crate) struct Writer<W: Write> {
    out: Tee<W>,
    known: HashMap<Vec<u8>, u16>,
}

impl<W: Write> Writer<W> {
    pub(crate) fn new(inner: W) -> io::Result<Self> {
        let mut out = Tee::new(inner);
        out.write_all(MAGIC)?;
        Ok(Self { out, known: HashMap::new() })
    }

    pub(crate) fn push(&mut self, origin: &Origin) -> io::Result<()> {
        let words = parameters(&origin.format);
        let number = match self.known.get(&words) {
            Some(number) => *number,
            None => {
                let number = u16::try_from(self.known.len()).map_err(|_| io::Error::other("too many parameter sets"))?;
                self.out.write_all(&[PARAMETERS])?;
                self.out.write_all(&u32::try_from(words.len()).map_err(io::Error::other)?.to_le_bytes())?;
                self.out.write_all(&words)?;
                self.known.insert(words, number);
                number
            }
        };
        self.out.write_all(&[RECORD, if origin.chain_before.is_some() { HAS_BEFORE } else { 0 }])?;
        self.out.write_all(&origin.header.to_bytes())?;
        self.out.write_all(&origin.chain_before.unwrap_or_default())?;
        self.out.write_all(&number.to_le_bytes())?;
        self.out.write_all(&u32::try_from(origin.samples.len()).map_err(io::Error::other)?.to_le_bytes())?;
        for s in &origin.samples {
            let (at, dropped) = match &s.place {
                Place::File(at) => (*at, 0),
                Place::Dropped(_) => (0, DROPPED),
            };
            self.out.write_all(&s.piece.duration.to_le_bytes())?;
            self.out.write_all(&s.piece.cts_offset.to_le_bytes())?;
            self.out.write_all(&s.piece.size.to_le_bytes())?;
            self.out.write_all(&[(u8::from(s.piece.random_access) * KEY) | dropped])?;
            self.out.write_all(&at.to_le_bytes())?;
        }
        for s in &origin.samples {
            if let Place::Dropped(bytes) = &s.place {
                self.out.write_all(bytes)?;
            }
        }
        Ok(())
    }

    /// Digest and length.
    pub(crate) fn finish(mut self) -> io::Result<(String, u64)> {
        self.out.flush()?;
        Ok(self.out.finish())
    }
}

/// Reads a chain file record by record, holding one at a time. Bytes of anybody: nothing is believed.
pub struct Reader<R> {
    from: R,
    known: Vec<std::rc::Rc<[u8]>>,
    begun: bool,
}

impl<R: Read> Reader<R> {
    /// From its first byte on.
    pub fn new(from: R) -> Self {
        Self { from, known: Vec::new(), begun: false }
    }

    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.from.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn bytes(&mut self, len: u32, most: u32) -> io::Result<Vec<u8>> {
        if len > most {
            return Err(io::ErrorKind::InvalidData.into());
        }
        // As it comes: a made-up length must not take memory.
        let mut bytes = Vec::new();
        (&mut self.from).take(len.into()).read_to_end(&mut bytes)?;
        if bytes.len() == len as usize { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// The next record; `None` at the end.
    ///
    /// # Errors
    /// When the bytes are no chain file from here on, or cannot be read.
    #[allow(clippy::should_implement_trait, reason = "it fails, and after that there is nothing to go on with")]
    pub fn next(&mut self) -> io::Result<Option<Entry>> {
        let bad = || io::Error::from(io::ErrorKind::InvalidData);
        if !self.begun {
            self.begun = true;
            if &self.take::<8>()? != MAGIC {
                return Err(bad());
            }
        }
        loop {
            let mut kind = [0];
            if self.from.read(&mut kind)? == 0 {
                return Ok(None);
            }
            match kind[0] {
                PARAMETERS => {
                    let len = u32::from_le_bytes(self.take()?);
                    let words = self.bytes(len, PARAMETERS_MAX)?;
                    if self.known.len() >= SETS_MAX {
                        return Err(bad());
                    }
                    self.known.push(words.into());
                }
                RECORD => return self.record().map(Some),
                _ => return Err(bad()),
            }
        }
    }

    fn record(&mut self) -> io::Result<Entry> {
        let bad = || io::Error::from(io::ErrorKind::InvalidData);
        let flags = u8::from_le_bytes(self.take()?);
        let header = RecordHeader::parse(&self.take::<RECORD_HEADER>()?).map_err(|_| bad())?;
        let before: [u8; 32] = self.take()?;
        let number = u16::from_le_bytes(self.take()?);
        let parameters = self.known.get(usize::from(number)).ok_or_else(bad)?.clone();
        let count = u32::from_le_bytes(self.take()?);
        if count > SAMPLES_MAX {
            return Err(bad());
        }
        let mut samples = Vec::new();
        for _ in 0..count {
            let duration = u32::from_le_bytes(self.take()?);
            let cts_offset = i32::from_le_bytes(self.take()?);
            let size = u32::from_le_bytes(self.take()?);
            let [flags] = self.take()?;
            let at = u64::from_le_bytes(self.take()?);
            if size > SAMPLE_MAX || flags & !(KEY | DROPPED) != 0 {
                return Err(bad());
            }
            let piece = Piece { duration, size, cts_offset, random_access: flags & KEY != 0 };
            samples.push(Sample { piece, at: if flags & DROPPED == 0 { Where::Film(at) } else { Where::Here(Vec::new()) } });
        }
        let here: u64 = samples.iter().filter(|s| matches!(s.at, Where::Here(_))).map(|s| u64::from(s.piece.size)).sum();
        if here > HERE_MAX {
            return Err(bad());
        }
        for s in &mut samples {
            if let Where::Here(bytes) = &mut s.at {
                *bytes = self.bytes(s.piece.size, SAMPLE_MAX)?;
            }
        }
        Ok(Entry { header, before: (flags & HAS_BEFORE != 0).then_some(before), parameters, samples })
    }
}
