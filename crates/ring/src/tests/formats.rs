//! Parsers take anything, and what is written is read.

use crate::format::{
    batch::BatchHeader,
    block::BlockHeader,
    footer::Footer,
    index::{BlockState, BlockSummary, IndexHeader},
    observations,
    record::{RECORD_HEADER, RecordHeader},
};
use domain::{CameraId, Channel, MonoTime, StreamId, StreamKind, WallTime};
use proptest::prelude::*;

fn header(camera: &str, seq: u64, wall: i64) -> RecordHeader {
    RecordHeader {
        stream: StreamId::new(CameraId::new(camera).unwrap(), Channel::Sub, StreamKind::Audio),
        seq,
        gop: seq / 3,
        flags: 5,
        samples: 6,
        boot: [3; 16],
        wall: WallTime(wall),
        mono: MonoTime(9),
        base_dts: seq * 7,
        duration: 36_000,
        init_len: 700,
        payload_len: 12_345,
        payload_crc: 77,
        media_hash: [1; 32],
        format: [2; 16],
        front_len: 900,
        front_crc: 4,
        chain: [8; 32],
        block: 12,
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = BlockHeader::parse(&bytes);
        let _ = RecordHeader::parse(&bytes);
        let _ = BatchHeader::parse(&bytes).map(|h| h.directory(&bytes));
        let _ = Footer::parse(&bytes);
        let _ = IndexHeader::parse(&bytes);
        let _ = BlockSummary::parse(&bytes);
        let _ = observations::parse(&bytes);
    }

    #[test]
    fn bytes_behind_a_good_check_sum_never_panic(mut bytes in proptest::collection::vec(any::<u8>(), 64..600), magic in 0usize..7) {
        let magics = [b"MTBK", b"MTRC", b"MTBT", b"MTFT", b"MTIX", b"MTIE", b"MTOB"];
        bytes[..4].copy_from_slice(magics[magic]);
        bytes[4..6].copy_from_slice(&[1, 0]);
        for n in [64, 256, 320].into_iter().filter(|&n| n <= bytes.len()) {
            let mut b = bytes.clone();
            let crc = crc32fast::hash(&b[..n - 4]);
            b[n - 4..n].copy_from_slice(&crc.to_le_bytes());
            let _ = BlockHeader::parse(&b);
            let _ = RecordHeader::parse(&b).map(|h| (h.len(), h.wall_end(), h.chain_after(&[0; 32])));
            let _ = BatchHeader::parse(&b).map(|h| h.directory(&b[64..]));
            let _ = Footer::len_of(&b);
            let _ = Footer::parse(&b);
            let _ = IndexHeader::parse(&b);
            let _ = BlockSummary::parse(&b);
            let _ = observations::parse(&b);
        }
    }

    #[test]
    fn record_headers_come_back(camera in "[a-z0-9-]{1,48}", seq in any::<u32>(), wall in any::<i64>()) {
        let h = header(&camera, seq.into(), wall);
        prop_assert_eq!(RecordHeader::parse(&h.to_bytes()), Ok(h));
    }

    #[test]
    fn a_flipped_bit_of_a_record_header_is_found(bit in 0usize..RECORD_HEADER * 8) {
        let mut bytes = header("a", 3, 4).to_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(RecordHeader::parse(&bytes).is_err());
    }

    #[test]
    fn index_lines_come_back(sequence in 0..=crate::format::MAX_SEQUENCE, from in any::<i64>(), to in any::<i64>(), records in any::<u32>()) {
        let s = BlockSummary {
            sequence, state: BlockState::Sealed, clock_unsynced: true, from: WallTime(from), to: WallTime(to), records, data_end: 9,
        };
        prop_assert_eq!(BlockSummary::parse(&s.to_bytes()), Ok(s));
    }
}

#[test]
fn the_chain_says_what_and_not_where() {
    let a = header("a", 1, 1);
    let moved = RecordHeader { block: 99, chain: [0; 32], ..a.clone() };
    assert_eq!(a.chain_after(&[0; 32]), moved.chain_after(&[0; 32]));
    let other = RecordHeader { wall: WallTime(2), ..a.clone() };
    assert_ne!(a.chain_after(&[0; 32]), other.chain_after(&[0; 32]));
    assert_ne!(a.chain_after(&[0; 32]), a.chain_after(&[1; 32]));
}

#[test]
fn a_number_no_ring_reaches_is_not_a_blocks() {
    use crate::format::MAX_SEQUENCE;
    for (sequence, good) in [(MAX_SEQUENCE, true), (MAX_SEQUENCE + 1, false), (u64::MAX, false)] {
        let line = BlockSummary { sequence, state: BlockState::Open, ..BlockSummary::default() };
        assert_eq!(BlockSummary::parse(&line.to_bytes()).is_ok(), good);
        let header = BlockHeader {
            ring: [1; 16],
            sequence,
            block_size: 1 << 20,
            footer_size: 4096,
            clock_synchronised: true,
            wall: super::NOON,
            mono: MonoTime(1),
            boot: [2; 16],
            public_key: [3; 32],
        };
        assert_eq!(BlockHeader::parse(&header.to_bytes()).is_ok(), good);
    }
}
