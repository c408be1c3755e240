//! A whole block file: scanned, judged, and read the way the recorder's start, `matthon ring` and the page's player do.

use crate::{
    counted::{Counted, OneBlock},
    mend,
    take::Take,
};
use ::ring::{
    Reader, RingSpec,
    clip::{self, Wish},
    format::{PAGE, batch::BatchHeader, record::RECORD_HEADER, record::RecordHeader},
    inspect, recover,
    table::BlockTable,
};
use domain::{StreamKind, WallTime};
use std::{path::PathBuf, sync::Arc};

/// Bytes of the block; the smallest a ring may have.
pub const BLOCK_SIZE: usize = 64 << 10;
/// A page may claim the largest directory there is and be read for it: so much more than the block is read at most.
const AMPLIFIED: u64 = 64;
/// Streams and records looked at: more of them show nothing new.
const LOOKED_AT: usize = 64;

/// The ring the block lies in.
#[must_use]
pub fn spec() -> RingSpec {
    RingSpec { block_size: BLOCK_SIZE as u64, ..RingSpec::new("main", vec![PathBuf::from("/ring")], 3 * BLOCK_SIZE as u64) }
}

/// The file an input stands for: the length of its front, its front, and what lies where the footer is. Zeros between.
#[must_use]
pub fn unpacked(data: &[u8]) -> Vec<u8> {
    let mut t = Take(data);
    let front = usize::from(t.u16());
    let limit = spec().data_limit() as usize;
    let mut file = t.bytes(front.min(limit)).to_vec();
    file.resize(limit, 0);
    file.extend_from_slice(t.bytes(BLOCK_SIZE - limit));
    file
}

/// The input that stands for a file.
#[must_use]
pub fn packed(file: &[u8]) -> Vec<u8> {
    let limit = spec().data_limit() as usize;
    let trimmed = |part: &[u8]| part[..part.iter().rposition(|b| *b != 0).map_or(0, |n| n + 1)].to_vec();
    let (front, end) = file.split_at(limit.min(file.len()));
    let front = trimmed(front);
    let len = u16::try_from(front.len()).unwrap_or(u16::MAX).to_le_bytes();
    [&len[..], &front, &trimmed(end)].concat()
}

/// Whatever bytes: an end, bounded reading, and only what lies there.
pub(crate) fn block(data: &[u8]) -> bool {
    let (file, limit) = (unpacked(data), spec().data_limit());
    let whole = scanned(&file, limit);
    let mended = mend::block(&file, limit as usize);
    whole | (mended != file && scanned(&mended, limit))
}

fn scanned(bytes: &[u8], limit: u64) -> bool {
    let file = Arc::new(Counted::padded(bytes, BLOCK_SIZE));
    let header = recover::block_header(&*file).unwrap();
    let first = bytes.get(PAGE as usize..).and_then(|b| BatchHeader::parse(b).ok());
    let Some(sequence) = header.map(|h| h.sequence).or(first.map(|b| b.block)) else { return false };
    let before = file.read();
    let scan = recover::scan(&*file, sequence, limit, PAGE, 0).unwrap();
    assert!(file.read() - before <= AMPLIFIED * BLOCK_SIZE as u64, "{} bytes read of a block", file.read() - before);
    assert!((PAGE..=limit).contains(&scan.data_end) && scan.data_end.is_multiple_of(PAGE));
    let mut end = PAGE;
    for r in &scan.records {
        let at = u64::from(r.offset);
        assert!(at >= end, "records overlap");
        end = at + r.header.len();
        assert!(end <= scan.data_end, "a record behind the end of what was kept");
        assert_eq!(r.header.block, sequence);
        let lies = &bytes[at as usize..at as usize + RECORD_HEADER];
        assert_eq!(RecordHeader::parse(lies).as_ref(), Ok(&r.header));
    }
    // Going on where it ended finds nothing that was there before.
    let more = recover::scan(&*file, sequence, limit, scan.data_end, scan.next_batch).unwrap();
    assert!(more.records.iter().all(|r| u64::from(r.offset) >= scan.data_end));
    let table = BlockTable::of(&scan);
    assert_eq!(table.records.len(), scan.records.len());
    judged(&file);
    !scan.records.is_empty()
}

/// The same block as a ring of its own: judged, listed, played.
fn judged(file: &Arc<Counted>) {
    let disk = || Arc::new(OneBlock(file.clone()));
    let mut blocks = 0;
    inspect::scan(&spec(), &*disk(), |_| blocks += 1).unwrap();
    assert_eq!(blocks, 3);
    let verdict = inspect::verify(spec(), disk(), None, |_, _| {}).unwrap();
    let reader = inspect::reader(spec(), disk()).unwrap();
    played(&reader, verdict.good());
}

fn played(reader: &Reader, good: bool) {
    let (from, to) = (WallTime(i64::MIN), WallTime(i64::MAX));
    for stream in reader.streams().into_iter().take(LOOKED_AT) {
        let Ok(records) = reader.records(&stream, from, to) else { continue };
        let _ = reader.coverage(&stream, from, to);
        for r in records.iter().take(LOOKED_AT) {
            let read = reader.read(r);
            assert!(!good || read.is_ok(), "the ring is called good and {stream} cannot be read: {:?}", read.err());
            if let Ok(samples) = reader.samples(r) {
                assert!(samples.iter().all(|s| *s.stream == stream));
            }
        }
        if let Some(last) = records.last() {
            let _ = reader.picture(&stream, last.entry.wall);
        }
        if stream.kind == StreamKind::Video {
            let wish = Wish { camera: &stream.camera, channel: stream.channel, from, to, audio: true, captions: None };
            let Ok(plan) = clip::plan(reader, &wish) else { continue };
            // A clip that was planned has the length it says.
            let (mut at, mut piece) = (0, [0; 4096]);
            while let Ok(n @ 1..) = plan.read_at(at, &mut piece) {
                at += n as u64;
            }
            assert!(at <= plan.len());
            let _ = plan.origins().take(LOOKED_AT).filter(Result::is_ok).count();
        }
    }
}
