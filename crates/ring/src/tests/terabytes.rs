//! Rings of terabytes on a disk that turns: how long it takes until recording goes on after a cut, whatever the ring's size.

use super::{
    Dice, EVER, NOON, Village,
    cuts::{TURNING, cut},
    h264, start,
};
use crate::{
    ModelDisk, Pace, RingSpec,
    catalog::read_index,
    format::index::{BlockState, BlockSummary},
    reader::Reader,
    writer::start::write_index,
};
use bytes::Bytes;
use domain::{CameraId, Channel, Clock, Format, MonoTime, Sample, SimClock, StreamId, StreamKind, WallTime};
use std::{path::PathBuf, sync::Arc, time::Duration};

const CAMERAS: usize = 30;
/// Bytes of a frame: ten a second are 2 Mbit/s.
const FRAME: usize = 25_000;

/// Thirty cameras whose pictures are nearly all zeros, which cost no memory on the model disk.
struct Cameras {
    streams: Vec<Arc<StreamId>>,
    format: Arc<Format>,
    frames: u64,
    lost: bool,
}

impl Cameras {
    fn new() -> Self {
        let id = |n| Arc::new(StreamId::new(CameraId::new(&format!("c{n}")).unwrap(), Channel::Main, StreamKind::Video));
        Self { streams: (0..CAMERAS).map(id).collect(), format: h264(10), frames: 0, lost: true }
    }

    /// One frame of each, then 100 ms have passed.
    fn step(&mut self, core: &crate::writer::core::Core, clock: &SimClock) {
        self.frame(core, clock);
        clock.advance(Duration::from_millis(100));
    }

    fn frame(&mut self, core: &crate::writer::core::Core, clock: &SimClock) {
        for (n, stream) in self.streams.iter().enumerate() {
            let mut data = vec![0; FRAME];
            data[..8].copy_from_slice(&(self.frames * CAMERAS as u64 + n as u64 + 1).to_le_bytes());
            let dts = i64::try_from(self.frames).unwrap() * 9_000;
            let sample = Sample {
                stream: stream.clone(),
                format: self.format.clone(),
                seq: self.frames,
                capture: clock.wall(),
                pts: dts,
                dts,
                random_access: self.frames.is_multiple_of(20) || self.lost,
                loss_before: self.lost,
                data: Bytes::from(data),
            };
            core.intake().push(&sample, clock.mono());
        }
        (self.frames, self.lost) = (self.frames + 1, false);
    }
}

fn big(bytes: u64) -> RingSpec {
    RingSpec::new("main", vec![PathBuf::from("/ring")], bytes)
}

/// A ring that has gone round once: every line of its index says so, and the newest blocks are real.
fn grown(spec: &RingSpec) -> (ModelDisk, Arc<SimClock>) {
    let disk = ModelDisk::new();
    let clock = Arc::new(SimClock::at(NOON));
    drop(start(spec, &disk, &clock));
    let ring = read_index(spec, &disk, |_| true).unwrap().ring.unwrap();
    let long_ago = |n: usize| NOON.plus_micros((n as i64 - spec.blocks() as i64 - 1_000) * 17_000_000);
    let full = |n: usize| BlockSummary {
        sequence: n as u64,
        state: BlockState::Sealed,
        clock_unsynced: false,
        from: long_ago(n),
        to: long_ago(n + 1),
        records: 5_000,
        data_end: u32::try_from(spec.data_limit()).unwrap(),
    };
    let slots: Vec<_> = (0..spec.blocks()).map(|n| if n == 0 { BlockSummary::default() } else { full(n) }).collect();
    (0..spec.paths.len()).for_each(|n| write_index(spec, &disk, n, spec.paths.len(), ring, &slots).unwrap());
    let mut cameras = Cameras::new();
    for _ in 0..3 {
        let (mut core, _locks) = start(spec, &disk, &clock);
        cameras.lost = true;
        for n in 0..10 {
            cameras.step(&core, &clock);
            if n % 3 == 2 {
                core.tick();
            }
        }
        core.finish();
    }
    (disk, clock)
}

/// Records of some streams since the cameras of this test began.
fn recent(reader: &Reader, streams: &[Arc<StreamId>], from: WallTime) -> Vec<crate::RecordRef> {
    streams.iter().flat_map(|s| reader.records(s, from, EVER.1).unwrap()).collect()
}

/// What a start after a cut cost.
struct Again {
    opened: MonoTime,
    reads: u64,
    recording: MonoTime,
}

/// Starts on a disk as a cut left it, and records until something new is durable.
fn again(spec: &RingSpec, after: &ModelDisk, wall: WallTime, check: impl FnOnce(&Reader)) -> Again {
    let clock = Arc::new(SimClock::at(wall));
    clock.reboot();
    after.drive(clock.clone());
    after.pace(TURNING);
    let (mut core, _locks) = start(spec, after, &clock);
    let (opened, reads) = (clock.mono(), after.reads());
    after.pace(Pace::default());
    let reader = Reader::of(core.catalog().clone());
    check(&reader);
    after.pace(TURNING);
    let began = clock.wall();
    let mut cameras = Cameras { frames: 1_000_000, ..Cameras::new() };
    // A frame every 100 ms, a turn of the writer every 250 ms.
    for n in 1..=24 {
        if n % 2 == 1 {
            cameras.frame(&core, &clock);
        }
        clock.advance(Duration::from_millis(50));
        if n % 5 == 0 {
            core.tick();
        }
        if core.figures_written() > 0 {
            break;
        }
    }
    let recording = clock.mono();
    after.pace(Pace::default());
    assert!(!recent(&reader, &cameras.streams[..1], began).is_empty(), "nothing is recorded again");
    Again { opened, reads, recording }
}

#[test]
fn four_terabytes_open_and_record_within_two_seconds_after_a_cut_anywhere() {
    let spec = big(4 << 40);
    assert_eq!((spec.blocks(), spec.block_size), (32_768, 128 << 20));
    let (disk, clock) = grown(&spec);
    let mut v = Village::on(disk, clock, &spec, Vec::new(), 1);
    v.disk.drive(v.clock.clone());
    let from = v.clock.wall();
    let mut cameras = Cameras { frames: 500_000, ..Cameras::new() };
    let mut dice = Dice(4);
    let (mut cuts, mut slowest, mut most) = (0, MonoTime(0), 0);
    let (mut before, mut ticks) = (Vec::new(), 0u64);
    // A block takes these cameras 17 s.
    while v.core.catalog().slots().iter().filter(|s| s.sequence > 32_770).count() < 3 {
        ticks += 1;
        v.disk.watch();
        for _ in 0..3 {
            cameras.step(&v.core, &v.clock);
        }
        v.core.tick();
        let history = v.disk.take_history();
        // Seldom where one batch follows another, at every operation where a block ends.
        let every = if history.len() > 2 { 1 } else { 3 };
        let watched = &cameras.streams[dice.below(28) as usize..][..2];
        for disk in history.into_iter().enumerate().filter(|(n, _)| (*n as u64 + ticks).is_multiple_of(every)).map(|(_, d)| d) {
            let after = cut(&disk, &mut dice);
            let now = NOON.plus(Duration::from_micros(disk.taken().0));
            let done = again(&spec, &after, v.clock.wall(), |reader| {
                let found = recent(reader, watched, from);
                for r in before.iter().filter(|r: &&crate::RecordRef| watched.contains(&Arc::new(r.stream.clone()))) {
                    assert!(found.contains(r), "{} record {} was promised", r.stream, r.entry.seq);
                }
                for s in watched {
                    let end = found.iter().rfind(|r| r.stream == **s).map_or(from, |r| r.entry.wall_end());
                    assert!(now.micros_since(end) <= 1_000_000, "{s}: {} µs are lost", now.micros_since(end));
                }
                if let Some(last) = found.last() {
                    reader.read(last).unwrap();
                }
            });
            assert!(done.recording <= MonoTime(2_000_000), "opened {:?}, recorded {:?}, {} reads", done.opened, done.recording, done.reads);
            (cuts, slowest, most) = (cuts + 1, slowest.max(done.recording), most.max(done.reads));
        }
        before = recent(&v.reader, &cameras.streams, from);
    }
    assert!(cuts >= 50, "{cuts}");
    println!("{cuts} cuts of 4 TB: recording again after {} ms at most, {most} reads at most", slowest.0 / 1000);
}

/// The worst case of each size: the power goes as a block is nearly full.
#[test]
fn recording_goes_on_as_soon_in_a_large_ring_as_in_a_small_one() {
    let mut times = Vec::new();
    for (name, bytes) in [("1 GB", 1_000_000_000), ("100 GB", 100_000_000_000), ("4 TB", 4_000_000_000_000)] {
        let spec = big(bytes);
        let (disk, clock) = grown(&spec);
        let mut v = Village::on(disk, clock, &spec, Vec::new(), 1);
        let mut cameras = Cameras { frames: 500_000, ..Cameras::new() };
        while v.core.open.as_ref().is_none_or(|o| o.at + (4 << 20) < spec.data_limit()) {
            for _ in 0..3 {
                cameras.step(&v.core, &v.clock);
            }
            v.core.tick();
        }
        let after = v.disk.cut(|_| false);
        let began = std::time::Instant::now();
        let done = again(&spec, &after, v.clock.wall(), |_| {});
        println!(
            "{name}: {} blocks of {} MiB; opened after {} ms and recording after {} ms simulated, {} reads; {} ms of this machine",
            spec.blocks(),
            spec.block_size >> 20,
            done.opened.0 / 1000,
            done.recording.0 / 1000,
            done.reads,
            began.elapsed().as_millis()
        );
        assert!(done.recording <= MonoTime(2_000_000));
        times.push(done.reads);
    }
    // What is read grows with a block, and with the index alone by its bytes.
    assert!(times[2] <= times[1] + 2, "{times:?}");
}

#[test]
fn a_cut_while_a_large_ring_is_laid_out_costs_no_look_at_every_block() {
    let spec = big(4 << 40);
    let disk = ModelDisk::new();
    disk.watch();
    let clock = Arc::new(SimClock::at(NOON));
    drop(start(&spec, &disk, &clock));
    let mut history = disk.take_history();
    history.push(disk);
    let mut dice = Dice(3);
    // At each write of the start, with none, few or many of the block files there already: names are durable at once.
    for (n, disk) in history.into_iter().enumerate() {
        // No file before the index is durable.
        let numbers: &[usize] = if n < 2 { &[0] } else { &[0, 7, 4_000] };
        for &number in numbers {
            let half = disk.fork();
            for n in 0..number {
                crate::Disk::create(&half, &spec.paths[0].join(crate::spec::block_name(n)), spec.block_size).unwrap();
            }
            let done = again(&spec, &cut(&half, &mut dice), NOON, |_| {});
            assert!(done.recording <= MonoTime(2_000_000), "{number} blocks: {} reads", done.reads);
        }
    }
}
