//! The ring's structures, one by one: what is read can be written, and what is written is read as the same.

use crate::mend;
use ::ring::{
    Ed25519Signer,
    format::{
        batch::{BATCH_HEADER, BatchHeader},
        block::{BLOCK_HEADER, BlockHeader},
        footer::{FOOTER_HEADER, Footer},
        index::{BlockSummary, INDEX_ENTRY, INDEX_HEADER, IndexHeader},
        observations::{self, OBSERVATIONS_HEADER},
        record::{RECORD_HEADER, RecordHeader},
        samples::SampleTable,
        spans,
    },
};
use domain::Format;
use media::{
    fmp4::{fragment_header, parse_fragment},
    hash::media_hash,
};

/// A record's header, and behind it its payload.
pub(crate) fn record(data: &[u8]) -> bool {
    let mut read = false;
    for bytes in [data.to_vec(), mend::sealed(data, RECORD_HEADER)] {
        if let Ok(header) = RecordHeader::parse(&bytes) {
            let again = header.to_bytes();
            assert_eq!(RecordHeader::parse(&again).as_ref(), Ok(&header));
            assert_eq!(header.len(), RECORD_HEADER as u64 + u64::from(header.payload_len));
            assert!(header.wall_end() >= header.wall);
            // Where a record lies is no part of its chain; what it is, is.
            let moved = RecordHeader { block: header.block ^ 1, ..header.clone() };
            assert_eq!(moved.chain_after(&[0; 32]), header.chain_after(&[0; 32]));
            let other = RecordHeader { seq: header.seq ^ 1, ..header.clone() };
            assert_ne!(other.chain_after(&[0; 32]), header.chain_after(&[0; 32]));
            read = true;
        }
    }
    let payload = data.get(RECORD_HEADER..).unwrap_or_default();
    read |= fragment(payload) | observed(payload);
    read
}

/// `moof` and `mdat`: written again from what was read, it is read as the same.
pub(crate) fn fragment(bytes: &[u8]) -> bool {
    let Ok(f) = parse_fragment(bytes) else { return false };
    assert!(f.end <= bytes.len() && f.data.end <= f.end);
    assert_eq!(f.pieces.iter().map(|p| p.size as usize).sum::<usize>(), f.data.len());
    let data = &bytes[f.data.clone()];
    let mut again = fragment_header(f.sequence, f.track, f.base_dts, &f.pieces);
    let front = again.len();
    again.extend_from_slice(data);
    let g = parse_fragment(&again).unwrap();
    assert_eq!((g.sequence, g.track, g.base_dts, &g.pieces), (f.sequence, f.track, f.base_dts, &f.pieces));
    assert_eq!(g.data, front..again.len());
    let hash = |bytes: &[u8]| media_hash(&Format::Observations(1), f.base_dts, &f.pieces, bytes);
    assert_eq!(hash(&again[g.data]), hash(data));
    true
}

fn observed(bytes: &[u8]) -> bool {
    let Ok(o) = observations::parse(bytes) else { return false };
    let data = &bytes[o.data..];
    assert_eq!(o.rows.iter().map(|r| u64::from(r.size)).sum::<u64>(), data.len() as u64);
    assert!(o.data >= OBSERVATIONS_HEADER);
    let again = [&observations::header(o.encoding, o.base_dts, &o.rows)[..], data].concat();
    assert_eq!(observations::parse(&again).as_ref(), Ok(&o));
    true
}

/// A block's header; a batch's header and its directory.
pub(crate) fn batch(data: &[u8]) -> bool {
    let mut read = false;
    for bytes in [data.to_vec(), mend::sealed(data, BLOCK_HEADER)] {
        if let Ok(header) = BlockHeader::parse(&bytes) {
            assert_eq!(BlockHeader::parse(&header.to_bytes()), Ok(header));
            read = true;
        }
    }
    let mut mended = data.to_vec();
    if mended.len() >= BATCH_HEADER {
        mend::batch(&mut mended, 0);
    }
    for bytes in [data, &mended] {
        let Ok(header) = BatchHeader::parse(bytes) else { continue };
        assert!(u64::from(header.len) >= BatchHeader::total(header.records as usize, u64::from(header.records) * RECORD_HEADER as u64));
        let Ok(entries) = header.directory(&bytes[BATCH_HEADER..]) else { continue };
        assert_eq!(entries.len(), header.records as usize);
        let mut end = BatchHeader::front(entries.len()) as u64;
        for e in &entries {
            assert!(u64::from(e.offset) >= end && e.len as usize >= RECORD_HEADER, "records overlap");
            end = u64::from(e.offset) + u64::from(e.len);
        }
        assert!(end <= u64::from(header.len), "a record leaves its batch");
        let again = BatchHeader::write(header.block, header.number, header.synced_below, header.len, header.wall, &entries);
        assert_eq!(BatchHeader::parse(&again).as_ref(), Ok(&header));
        assert_eq!(header.directory(&again[BATCH_HEADER..]), Ok(entries));
        read = true;
    }
    read
}

/// A footer: signed again with another key it says the same, and its signature holds.
pub(crate) fn footer(data: &[u8]) -> bool {
    let mut read = false;
    for bytes in [data.to_vec(), mend::footer(data)] {
        let Ok(f) = Footer::parse(&bytes) else { continue };
        assert!(Footer::len_of(&bytes).is_ok_and(|len| len <= bytes.len()));
        let _ = f.signed();
        for line in f.samples.iter().flat_map(|t| (0..=t.len()).filter_map(|n| t.line(n).ok())) {
            let mut alone = SampleTable::default();
            assert!(alone.push(line.format, line.base_dts, line.front, &line.pieces), "a line that was read cannot be written");
            assert_eq!(alone.line(0), Ok(line));
        }
        let mut other = f.clone();
        let (again, digest) = other.seal(&Ed25519Signer::from_secret(&[9; 32]));
        assert_eq!(Footer::len_of(&again), Ok(again.len()));
        assert!(again.len() <= bytes.len(), "a footer grew by being read");
        let parsed = Footer::parse(&again).unwrap();
        assert_eq!(parsed, other);
        assert_eq!(Footer { public_key: f.public_key, signature: f.signature, ..parsed }, f);
        assert!(other.signed() && other.digest() == digest && f.digest() == digest);
        for cut in [0, FOOTER_HEADER - 1, again.len() - 1] {
            assert!(Footer::parse(&again[..cut]).is_err());
        }
        read = true;
    }
    read
}

/// Lines of the index, and its front.
pub(crate) fn index(data: &[u8]) -> bool {
    let mut read = false;
    for bytes in [data.to_vec(), mend::sealed(data, INDEX_HEADER)] {
        if let Ok(header) = IndexHeader::parse(&bytes) {
            assert_eq!(IndexHeader::parse(&header.to_bytes()), Ok(header));
            read = true;
        }
    }
    for line in data.chunks(INDEX_ENTRY) {
        for bytes in [line.to_vec(), mend::sealed(line, INDEX_ENTRY)] {
            if let Ok(summary) = BlockSummary::parse(&bytes) {
                assert_eq!(BlockSummary::parse(&summary.to_bytes()), Ok(summary));
                read = true;
            }
        }
    }
    read
}

/// A snapshot of what is covered.
pub(crate) fn spans(data: &[u8]) -> bool {
    let mut read = false;
    if let Some(header) = spans::Header::parse(data) {
        assert!(header.len <= spans::SNAPSHOT_MAX);
        read = data.get(spans::HEADER..).and_then(|body| header.body(body)).is_some();
    }
    // Without its sums: what the body alone may say.
    for body in [data, data.get(spans::HEADER..).unwrap_or_default()] {
        if let Ok(said) = spans::Spans::parse(body) {
            let again = said.to_bytes(7);
            assert!(again.len() <= body.len() + spans::HEADER, "a snapshot grew by being read");
            let header = spans::Header::parse(&again).unwrap();
            assert_eq!(header.upto, 7);
            assert_eq!(header.body(&again[spans::HEADER..]).as_ref(), Some(&said));
            read = true;
        }
    }
    read
}
