//! A small village on a model disk, and what must hold of it. Each file is one property.

mod clip;
mod coverage;
mod cuts;
mod faults;
mod formats;
mod housekeeping;
mod inspect;
mod mend;
mod model;
mod paths;
mod real;
mod samples;
mod terabytes;

use crate::{
    ModelDisk, RingSpec,
    disk::Disk,
    reader::{Reader, RecordRef},
    sign::{Ed25519Signer, Signer},
    writer::core::Core,
};
use bytes::Bytes;
use domain::{CameraId, Channel, Format, Sample, SimClock, StreamId, StreamKind, VideoCodec, WallTime};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

pub(crate) const NOON: WallTime = WallTime::from_secs(1_795_430_400);
pub(crate) const EVER: (WallTime, WallTime) = (WallTime(i64::MIN), WallTime(i64::MAX));

/// Numbers from a seed (splitmix64).
#[derive(Clone)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.roll() % n
    }
    pub(crate) fn bytes(&mut self, n: usize) -> Bytes {
        (0..n).map(|_| self.roll() as u8).collect()
    }
}

pub(crate) fn spec(blocks: u64, block_size: u64) -> RingSpec {
    RingSpec { block_size, ..RingSpec::new("main", vec![PathBuf::from("/ring")], blocks * block_size) }
}

pub(crate) fn signer() -> Arc<dyn Signer> {
    Arc::new(Ed25519Signer::from_secret(&[7; 32]))
}

/// A real H.264 High format of 64×64, so that init segments are written and read for real; the level tells formats apart.
pub(crate) fn h264(level: u8) -> Arc<Format> {
    let config = [
        1, 0x64, 0, level, 0xff, 0xe1, 0, 0x19, 0x67, 0x64, 0x00, level, 0xac, 0x72, 0x84, 0x44, 0x26, 0x84, 0x00, 0x00, 0x03, 0x00, 0x04,
        0x00, 0x00, 0x03, 0x00, 0xca, 0x3c, 0x48, 0x96, 0x11, 0x80, 1, 0, 7, 0x68, 0xe8, 0x43, 0x8f, 0x13, 0x21, 0x30, 0xfd, 0xf8, 0xf8, 0,
    ];
    Arc::new(Format::Video(media::params::video_format(VideoCodec::H264, &config).unwrap()))
}

pub(crate) fn alaw() -> Arc<Format> {
    Arc::new(Format::Audio(media::params::g711_format(domain::AudioCodec::PcmA, 8000, 1)))
}

/// One camera stream that makes samples.
pub(crate) struct Source {
    pub(crate) id: Arc<StreamId>,
    pub(crate) format: Arc<Format>,
    pub(crate) step: i64,
    pub(crate) gop: u64,
    pub(crate) size: u64,
    pub(crate) count: u64,
    pub(crate) dts: i64,
    pub(crate) loss: bool,
}

impl Source {
    pub(crate) fn new(camera: &str, kind: StreamKind, size: u64) -> Self {
        let id = Arc::new(StreamId::new(CameraId::new(camera).unwrap(), Channel::Main, kind));
        let (format, step, gop) = match kind {
            StreamKind::Video => (h264(10), 9_000, 12),
            StreamKind::Audio => (alaw(), 1_800 * 5, 1),
            StreamKind::Observations => (Arc::new(Format::Observations(1)), 45_000, 1),
        };
        Self { id, format, step, gop, size, count: 0, dts: 0, loss: true }
    }

    pub(crate) fn next(&mut self, capture: WallTime, dice: &mut Dice) -> Sample {
        let n = usize::try_from(self.size / 4 + dice.below(self.size)).unwrap();
        let s = Sample {
            stream: self.id.clone(),
            format: self.format.clone(),
            seq: self.count,
            capture,
            pts: self.dts,
            dts: self.dts,
            random_access: self.count.is_multiple_of(self.gop),
            loss_before: std::mem::take(&mut self.loss),
            data: dice.bytes(n),
        };
        self.count += 1;
        self.dts += self.step;
        s
    }
}

/// A recorder driven by hand, and everything it was given.
pub(crate) struct Village {
    pub(crate) spec: RingSpec,
    pub(crate) disk: ModelDisk,
    pub(crate) clock: Arc<SimClock>,
    pub(crate) core: Core,
    pub(crate) reader: Reader,
    pub(crate) sources: Vec<Source>,
    pub(crate) dice: Dice,
    /// Bytes given, by stream and decoding time (never the same twice: sessions do not start again).
    pub(crate) given: BTreeMap<(StreamId, u64), Bytes>,
    _locks: Vec<crate::disk::LockGuard>,
}

pub(crate) fn start(spec: &RingSpec, disk: &ModelDisk, clock: &Arc<SimClock>) -> (Core, Vec<crate::disk::LockGuard>) {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    crate::recorder::prepare(spec.clone(), disk, clock.clone(), signer()).unwrap()
}

impl Village {
    pub(crate) fn new(spec: &RingSpec, sources: Vec<Source>, seed: u64) -> Self {
        Self::on(ModelDisk::new(), Arc::new(SimClock::at(NOON)), spec, sources, seed)
    }

    pub(crate) fn on(disk: ModelDisk, clock: Arc<SimClock>, spec: &RingSpec, sources: Vec<Source>, seed: u64) -> Self {
        let (core, locks) = start(spec, &disk, &clock);
        let reader = Reader::of(core.catalog().clone());
        Self { spec: spec.clone(), disk, clock, core, reader, sources, dice: Dice(seed), given: BTreeMap::new(), _locks: locks }
    }

    /// Every source gives what it has until now + 100 ms, then time has passed.
    pub(crate) fn step(&mut self) {
        use domain::Clock;
        for n in 0..self.sources.len() {
            let capture = self.clock.wall();
            let s = self.sources[n].next(capture, &mut self.dice);
            self.given.insert(((*s.stream).clone(), s.dts as u64), s.data.clone());
            self.core.intake().push(&s, self.clock.mono());
        }
        self.clock.advance(Duration::from_millis(100));
    }

    /// Lets so many tenths of a second pass, with a tick every three.
    pub(crate) fn live(&mut self, tenths: u64) {
        for n in 0..tenths {
            self.step();
            if n % 3 == 2 {
                self.core.tick();
            }
        }
    }

    /// All records of all streams, in order.
    pub(crate) fn all(&self, reader: &Reader) -> Vec<RecordRef> {
        self.sources.iter().flat_map(|s| reader.records(&s.id, EVER.0, EVER.1).unwrap()).collect()
    }
}

/// A record's samples as (decoding time, bytes), from its payload alone.
pub(crate) fn samples_of(record: &crate::Record) -> Vec<(u64, Bytes)> {
    let (mut dts, rows, mut at) = if record.header.stream.kind == StreamKind::Observations {
        let o = crate::format::observations::parse(&record.payload).unwrap();
        (o.base_dts, o.rows.iter().map(|r| (r.duration, r.size)).collect::<Vec<_>>(), o.data)
    } else {
        let f = media::fmp4::parse_fragment(&record.payload).unwrap();
        (f.base_dts, f.pieces.iter().map(|p| (p.duration, p.size)).collect(), f.data.start)
    };
    let mut out = Vec::new();
    for (duration, size) in rows {
        out.push((dts, record.payload.slice(at..at + size as usize)));
        (dts, at) = (dts + u64::from(duration), at + size as usize);
    }
    out
}

/// Every record reads back, its samples are those given, its chain goes on unbroken.
pub(crate) fn verify(reader: &Reader, records: &[RecordRef], given: &BTreeMap<(StreamId, u64), Bytes>) {
    let mut last: Option<(StreamId, u64, [u8; 32])> = None;
    for r in records {
        let record = reader.read(r).unwrap();
        for (dts, data) in samples_of(&record) {
            assert_eq!(given.get(&(r.stream.clone(), dts)), Some(&data), "{} {dts}", r.stream);
        }
        let h = &record.header;
        if let Some((stream, seq, chain)) = &last
            && *stream == h.stream
        {
            assert_eq!(h.seq, seq + 1, "{stream}: a hole");
            assert_eq!(h.chain, h.chain_after(chain), "{stream}: chain");
        }
        last = Some((h.stream.clone(), h.seq, h.chain));
    }
}
