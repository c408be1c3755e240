//! The sample table of a footer: what stands in front of each record's samples, in few bytes, so that the index of a clip of a
//! day is read from footers alone. A cache: whoever finds none reads the records' fronts.

use super::FormatError;
use media::fmp4::Piece;

const SAME_DURATION: u8 = 1;
const SAME_OFFSET: u8 = 2;
/// Where decoding may begin: these two bits; zeros say that each size says it for its sample.
const KEYS: u8 = 12;
/// Only at the first sample.
const FIRST_KEY: u8 = 4;
/// At every sample.
const ALL_KEY: u8 = 8;
/// Nowhere.
const NO_KEY: u8 = 12;
/// More samples no record has that this program writes.
const MOST: usize = 4096;

/// What is said of one record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SampleLine {
    /// Fingerprint of its format, as in the record's header.
    pub format: [u8; 16],
    /// Decoding time of the first sample, 90 kHz.
    pub base_dts: u64,
    /// Where the samples' own bytes begin in the payload.
    pub front: u32,
    /// The samples.
    pub pieces: Vec<Piece>,
}

/// The lines of a block, one a record, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SampleTable {
    formats: Vec<[u8; 16]>,
    lines: Vec<u8>,
    /// Where each line begins in `lines`.
    starts: Vec<u32>,
}

impl SampleTable {
    /// Adds the line of the next record. `false`: it cannot be said here, and the block goes without a table.
    #[must_use]
    pub fn push(&mut self, format: [u8; 16], base_dts: u64, front: u32, pieces: &[Piece]) -> bool {
        let known = self.formats.iter().position(|f| *f == format);
        let number = known.unwrap_or(self.formats.len());
        // Their count is a byte.
        let Some(number) = u8::try_from(number).ok().filter(|n| *n < u8::MAX) else { return false };
        let Ok(start) = u32::try_from(self.lines.len()) else { return false };
        if pieces.is_empty() || pieces.len() > MOST {
            return false;
        }
        if known.is_none() {
            self.formats.push(format);
        }
        let mut line = Vec::with_capacity(16 + 3 * pieces.len());
        encode(&mut line, number, base_dts, front, pieces);
        number_out(&mut self.lines, line.len() as u64);
        self.lines.extend_from_slice(&line);
        self.starts.push(start);
        true
    }

    /// Lines in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// The `n`th record's line.
    ///
    /// # Errors
    /// When it is not what [`SampleTable::push`] writes.
    pub fn line(&self, n: usize) -> Result<SampleLine, FormatError> {
        let mut line = SampleLine::default();
        self.read(n, &mut line)?;
        Ok(line)
    }

    /// The same into a line that is there: a day has hundreds of thousands of them.
    ///
    /// # Errors
    /// As [`SampleTable::line`]; what is in the line then means nothing.
    pub fn read(&self, n: usize, line: &mut SampleLine) -> Result<(), FormatError> {
        let start = *self.starts.get(n).ok_or(FormatError::Short)? as usize;
        let mut c = Numbers(self.lines.get(start..).ok_or(FormatError::Short)?);
        decode(c.line()?, &self.formats, line)
    }

    /// Bytes in the footer.
    #[must_use]
    pub fn size(&self) -> usize {
        1 + 16 * self.formats.len() + self.lines.len()
    }

    /// The bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::try_from(self.formats.len()).unwrap_or(u8::MAX));
        out.extend(self.formats.iter().flatten());
        out.extend_from_slice(&self.lines);
    }

    /// Reads a table of so many lines. What each line says is looked at when it is asked for.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn parse(bytes: &[u8], records: usize) -> Result<Self, FormatError> {
        let (count, rest) = bytes.split_first().ok_or(FormatError::Short)?;
        let (formats, lines) = rest.split_at_checked(16 * usize::from(*count)).ok_or(FormatError::Short)?;
        let formats = formats.as_chunks::<16>().0.to_vec();
        // A line has at least six bytes: a count that lies allocates no more than the bytes could hold.
        let mut starts = Vec::with_capacity(records.min(lines.len() / 6));
        let mut c = Numbers(lines);
        while !c.0.is_empty() {
            starts.push(u32::try_from(lines.len() - c.0.len()).map_err(|_| FormatError::Value("sample table"))?);
            c.line()?;
        }
        if starts.len() != records {
            return Err(FormatError::Value("lines of the sample table"));
        }
        Ok(Self { formats, lines: lines.to_vec(), starts })
    }
}

fn encode(out: &mut Vec<u8>, format: u8, base_dts: u64, front: u32, pieces: &[Piece]) {
    let first = pieces.first();
    let all = |same: &dyn Fn(&Piece, &Piece) -> bool| first.is_some_and(|f| pieces.iter().all(|p| same(f, p)));
    let same_duration = all(&|a, b| a.duration == b.duration);
    let same_offset = all(&|a, b| a.cts_offset == b.cts_offset);
    let keys = pieces.iter().filter(|p| p.random_access).count();
    let bits = match keys {
        0 => NO_KEY,
        n if n == pieces.len() => ALL_KEY,
        1 if first.is_some_and(|p| p.random_access) => FIRST_KEY,
        _ => 0,
    };
    out.push(bits | if same_duration { SAME_DURATION } else { 0 } | if same_offset { SAME_OFFSET } else { 0 });
    out.push(format);
    number_out(out, base_dts);
    number_out(out, front.into());
    number_out(out, pieces.len() as u64);
    for p in pieces.iter().take(if same_duration { 1 } else { usize::MAX }) {
        number_out(out, p.duration.into());
    }
    for p in pieces.iter().take(if same_offset { 1 } else { usize::MAX }) {
        number_out(out, zigzag(p.cts_offset));
    }
    for p in pieces {
        // The size's lowest bit says whether decoding may begin here, where the line's own bits do not.
        let size = u64::from(p.size);
        number_out(out, if bits == 0 { size << 1 | u64::from(p.random_access) } else { size });
    }
}

fn decode(line: &[u8], formats: &[[u8; 16]], out: &mut SampleLine) -> Result<(), FormatError> {
    let bad = || FormatError::Value("line of the sample table");
    let mut c = Numbers(line);
    let (bits, format) = (c.byte()?, c.byte()?);
    if bits & !(SAME_DURATION | SAME_OFFSET | KEYS) != 0 {
        return Err(bad());
    }
    let format = *formats.get(usize::from(format)).ok_or_else(bad)?;
    let (base_dts, front, count) = (c.number()?, c.narrow()?, c.narrow()? as usize);
    // At least a byte a sample follows.
    if count == 0 || count > MOST || count > line.len() {
        return Err(bad());
    }
    let pieces = &mut out.pieces;
    pieces.clear();
    pieces.resize(count, Piece { duration: 0, size: 0, cts_offset: 0, random_access: false });
    let mut value = 0;
    for (n, p) in pieces.iter_mut().enumerate() {
        if n == 0 || bits & SAME_DURATION == 0 {
            value = c.narrow()?;
        }
        p.duration = value;
    }
    let mut offset = 0;
    for (n, p) in pieces.iter_mut().enumerate() {
        if n == 0 || bits & SAME_OFFSET == 0 {
            offset = unzigzag(c.number()?).ok_or_else(bad)?;
        }
        p.cts_offset = offset;
    }
    for (n, p) in pieces.iter_mut().enumerate() {
        let size = c.number()?;
        let (size, key) = match bits & KEYS {
            FIRST_KEY => (size, n == 0),
            ALL_KEY => (size, true),
            NO_KEY => (size, false),
            _ => (size >> 1, size & 1 != 0),
        };
        p.size = u32::try_from(size).map_err(|_| bad())?;
        p.random_access = key;
    }
    (out.format, out.base_dts, out.front) = (format, base_dts, front);
    if c.0.is_empty() { Ok(()) } else { Err(bad()) }
}

fn zigzag(v: i32) -> u64 {
    let v = i64::from(v);
    ((v << 1) ^ (v >> 63)).cast_unsigned()
}

fn unzigzag(v: u64) -> Option<i32> {
    i32::try_from((v >> 1).cast_signed() ^ -((v & 1).cast_signed())).ok()
}

/// LEB128: seven bits a byte, the lowest first, the highest bit set while more follow.
fn number_out(out: &mut Vec<u8>, mut v: u64) {
    while v >= 0x80 {
        out.push((v & 0x7f) as u8 | 0x80);
        v >>= 7;
    }
    out.push(v as u8);
}

struct Numbers<'a>(&'a [u8]);

impl<'a> Numbers<'a> {
    fn byte(&mut self) -> Result<u8, FormatError> {
        let (b, rest) = self.0.split_first().ok_or(FormatError::Short)?;
        self.0 = rest;
        Ok(*b)
    }

    fn number(&mut self) -> Result<u64, FormatError> {
        let mut v = 0u64;
        for shift in (0..64).step_by(7) {
            let b = self.byte()?;
            let part = u64::from(b & 0x7f);
            if part > u64::MAX >> shift {
                break;
            }
            v |= part << shift;
            if b & 0x80 == 0 {
                return Ok(v);
            }
        }
        Err(FormatError::Value("number"))
    }

    fn narrow(&mut self) -> Result<u32, FormatError> {
        u32::try_from(self.number()?).map_err(|_| FormatError::Value("number"))
    }

    /// The next line, its length passed over.
    fn line(&mut self) -> Result<&'a [u8], FormatError> {
        let len = self.narrow()? as usize;
        let (line, rest) = self.0.split_at_checked(len).ok_or(FormatError::Short)?;
        self.0 = rest;
        Ok(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn piece() -> impl Strategy<Value = Piece> {
        (any::<u32>(), 0..u32::MAX, any::<i32>(), any::<bool>()).prop_map(|(duration, size, cts_offset, random_access)| Piece {
            duration,
            size,
            cts_offset,
            random_access,
        })
    }

    /// As cameras send: one duration, mostly no reordering, a key picture in front.
    fn plain() -> impl Strategy<Value = Vec<Piece>> {
        (1u32..9_000, proptest::collection::vec(1u32..200_000, 1..12), any::<bool>()).prop_map(|(duration, sizes, key)| {
            sizes.into_iter().enumerate().map(|(n, size)| Piece { duration, size, cts_offset: 0, random_access: key && n == 0 }).collect()
        })
    }

    proptest! {
        #[test]
        fn what_is_pushed_comes_back(
            lines in proptest::collection::vec((0u8..3, any::<u64>(), any::<u32>(), prop_oneof![plain(), proptest::collection::vec(piece(), 1..9)]), 0..20),
        ) {
            let mut table = SampleTable::default();
            for (f, dts, front, pieces) in &lines {
                prop_assert!(table.push([*f; 16], *dts, *front, pieces));
            }
            let mut bytes = Vec::new();
            table.write(&mut bytes);
            prop_assert_eq!(bytes.len(), table.size());
            let again = SampleTable::parse(&bytes, lines.len()).unwrap();
            prop_assert_eq!(&again, &table);
            for (n, (f, dts, front, pieces)) in lines.iter().enumerate() {
                let want = SampleLine { format: [*f; 16], base_dts: *dts, front: *front, pieces: pieces.clone() };
                prop_assert_eq!(again.line(n).unwrap(), want);
            }
            prop_assert!(again.line(lines.len()).is_err());
            prop_assert!(SampleTable::parse(&bytes, lines.len() + 1).is_err());
        }

        #[test]
        fn hostile_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..300), records in 0usize..40) {
            if let Ok(table) = SampleTable::parse(&bytes, records) {
                for n in 0..records {
                    let _ = table.line(n);
                }
            }
        }
    }

    #[test]
    fn more_formats_than_it_can_count_are_refused() {
        let pieces = [Piece { duration: 1, size: 1, cts_offset: 0, random_access: true }];
        let mut table = SampleTable::default();
        let taken = (0..300u16).filter(|n| table.push([n.to_le_bytes(); 8].concat().try_into().unwrap(), 0, 0, &pieces)).count();
        assert_eq!(taken, 255);
        let mut bytes = Vec::new();
        table.write(&mut bytes);
        assert_eq!(SampleTable::parse(&bytes, 255).unwrap(), table);
    }

    #[test]
    fn a_usual_record_takes_few_bytes() {
        let pieces: Vec<Piece> = (0..6).map(|n| Piece { duration: 6000, size: 9000 + n, cts_offset: 0, random_access: false }).collect();
        let mut table = SampleTable::default();
        assert!(table.push([1; 16], 7_776_000_000, 200, &pieces));
        let first = table.size();
        assert!(table.push([1; 16], 7_776_036_000, 200, &pieces));
        assert!(table.size() - first <= 26, "{}", table.size() - first);
    }
}
