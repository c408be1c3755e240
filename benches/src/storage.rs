//! What the disk side costs: timelines, clips, packages, and a start, on rings made here.

use anyhow::Result;
use bytes::Bytes;
use domain::{AudioCodec, CameraId, Channel, Clock, Format, Sample, SimClock, StreamId, StreamKind, VideoCodec, WallTime};
use evidence::{Package, manifest::Place};
use ring::{Ed25519Signer, Reader, Recorder, RingSpec, SystemDisk, clip::Wish};
use std::{
    fs::File,
    io::Write,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

pub(crate) const BEGIN: WallTime = WallTime::from_secs(1_795_430_400);
/// A real H.264 High format of 64×64.
const CONFIG: [u8; 47] = [
    1, 0x64, 0, 10, 0xff, 0xe1, 0, 0x19, 0x67, 0x64, 0x00, 10, 0xac, 0x72, 0x84, 0x44, 0x26, 0x84, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00,
    0x00, 0x03, 0x00, 0xca, 0x3c, 0x48, 0x96, 0x11, 0x80, 1, 0, 7, 0x68, 0xe8, 0x43, 0x8f, 0x13, 0x21, 0x30, 0xfd, 0xf8, 0xf8, 0,
];

pub(crate) struct Bench {
    pub(crate) recorder: Recorder,
    pub(crate) clock: Arc<SimClock>,
    pictures: Arc<Format>,
    sound: Arc<Format>,
}

impl Bench {
    pub(crate) fn new(dir: &Path, size: u64) -> Result<Self> {
        std::fs::create_dir_all(dir)?;
        let clock = Arc::new(SimClock::at(BEGIN));
        let spec = RingSpec { block_size: 64 << 20, ..RingSpec::new("main", vec![dir.to_owned()], size) };
        let signer = Arc::new(Ed25519Signer::from_secret(&[7; 32]));
        let as_clock: Arc<dyn Clock> = clock.clone();
        let recorder = Recorder::open(spec, Arc::new(SystemDisk), as_clock, signer)?;
        let pictures = Arc::new(Format::Video(media::params::video_format(VideoCodec::H264, &CONFIG)?));
        let sound = Arc::new(Format::Audio(media::params::g711_format(AudioCodec::PcmA, 8000, 1)));
        Ok(Self { recorder, clock, pictures, sound })
    }

    /// One picture or piece of sound, the `n`th of its stream, taken at `at`.
    pub(crate) fn push(&self, stream: &Arc<StreamId>, n: i64, at: WallTime, key: bool, loss: bool, data: &Bytes) {
        let dts = at.micros_since(BEGIN) * 9 / 100;
        let format = if stream.kind == StreamKind::Audio { &self.sound } else { &self.pictures };
        let sample = Sample {
            stream: stream.clone(),
            format: format.clone(),
            seq: n.unsigned_abs(),
            capture: at,
            pts: dts,
            dts,
            random_access: key,
            loss_before: loss,
            data: data.clone(),
        };
        self.recorder.push(&sample);
    }

    /// Waits until the disk has most of what was given: the queues are bounded.
    pub(crate) fn breathe(&self) {
        while self.recorder.status().in_flight_bytes > 8 << 20 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn stream(n: usize) -> Result<Arc<StreamId>> {
    Ok(Arc::new(StreamId::new(CameraId::new(&format!("cam-{n}"))?, Channel::Main, StreamKind::Video)))
}

fn percentile(times: &mut [Duration], p: f64) -> Duration {
    times.sort_unstable();
    let at = ((times.len() as f64 * p).ceil() as usize).clamp(1, times.len());
    times[at - 1]
}

/// Everything, in a folder that is taken away afterwards.
pub(crate) fn run(dir: &Path) -> Result<()> {
    timeline(&dir.join("timeline"))?;
    export(&dir.join("export"))?;
    day(&dir.join("day"))?;
    std::fs::remove_dir_all(dir)?;
    Ok(())
}

/// Thirty cameras, thirty days, each with a second of recording every ten minutes: 4320 holes a camera.
fn timeline(dir: &Path) -> Result<()> {
    let it = Bench::new(dir, 2 << 30)?;
    let streams = (0..30).map(stream).collect::<Result<Vec<_>>>()?;
    let data = Bytes::from(vec![0x65; 600]);
    let begun = Instant::now();
    for slot in 0..30 * 144 {
        for (n, s) in streams.iter().enumerate() {
            for frame in 0..2 {
                let at = BEGIN.plus_micros(slot * 600_000_000 + frame * 500_000 + n as i64);
                it.push(s, slot * 2 + frame, at, frame == 0, frame == 0, &data);
            }
        }
        it.clock.advance(Duration::from_secs(600));
        it.breathe();
    }
    let reader = it.recorder.reader();
    it.recorder.close()?;
    println!("timeline: {} blocks written in {:.1} s", reader.blocks()?.len(), begun.elapsed().as_secs_f64());
    let disk = Arc::new(SystemDisk);
    let spec = reader.spec().clone();
    // Again, as after a restart: from the snapshot.
    let signer = Arc::new(Ed25519Signer::from_secret(&[7; 32]));
    let started = Instant::now();
    let clock: Arc<dyn Clock> = it.clock;
    let again = Recorder::open(spec.clone(), disk.clone(), clock, signer)?;
    println!("timeline: recording again {:.0} ms after the start", started.elapsed().as_secs_f64() * 1e3);
    let (from, to) = (BEGIN, BEGIN.plus(Duration::from_secs(31 * 86_400)));
    let measure = |what: &str, reader: &Reader, rounds: usize| -> Result<()> {
        let mut times = Vec::new();
        for _ in 0..rounds {
            for s in &streams {
                let begun = Instant::now();
                let spans = reader.coverage(s, from, to)?;
                times.push(begun.elapsed());
                anyhow::ensure!(spans.len() == 30 * 144, "{} spans", spans.len());
            }
        }
        let (p50, p99) = (percentile(&mut times, 0.5), percentile(&mut times, 0.99));
        println!("timeline: a camera's 30 days {what}: p50 {:.2} ms, p99 {:.2} ms", p50.as_secs_f64() * 1e3, p99.as_secs_f64() * 1e3);
        Ok(())
    };
    let reader = again.reader();
    // The list is read beside the recording: until it is there the footers answer.
    let deadline = Instant::now() + Duration::from_secs(60);
    while !reader.coverage_known() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    println!("timeline: what is covered is known {:.0} ms after the start", started.elapsed().as_secs_f64() * 1e3);
    measure("from memory", &reader, 40)?;
    measure("from the footers (another process)", &Reader::open(spec, disk)?, 1)?;
    again.close()?;
    Ok(())
}

/// A camera of 8 Mbps for twenty minutes: its clip and its package.
fn export(dir: &Path) -> Result<()> {
    let it = Bench::new(dir, 2 << 30)?;
    let s = stream(0)?;
    let data = Bytes::from(vec![0x41; 66_000]);
    for n in 0..20 * 60 * 15 {
        it.push(&s, n, BEGIN.plus_micros(n * 1_000_000 / 15), n % 15 == 0, n == 0, &data);
        it.clock.advance(Duration::from_micros(1_000_000 / 15));
        if n % 15 == 0 {
            it.breathe();
        }
    }
    let reader = it.recorder.reader();
    it.recorder.close()?;
    let camera = s.camera.clone();
    let wish = Wish {
        camera: &camera,
        channel: Channel::Main,
        from: BEGIN,
        to: BEGIN.plus(Duration::from_secs(1200)),
        audio: true,
        captions: None,
    };
    // Once to bring it into the page cache.
    ring::clip::write_to(&ring::clip::plan(&reader, &wish)?, std::io::sink())?;
    let begun = Instant::now();
    let plan = ring::clip::plan(&reader, &wish)?;
    let planned = begun.elapsed();
    ring::clip::write_to(&plan, std::io::sink())?;
    let mb = plan.len() as f64 / 1e6;
    let rate = |since: Instant| mb / since.elapsed().as_secs_f64();
    println!("export: {mb:.0} MB, index in {:.0} ms, clip {:.0} MB/s", planned.as_secs_f64() * 1e3, rate(begun));
    let file = dir.join("clip.mp4");
    let begun = Instant::now();
    let mut out = File::create(&file)?;
    ring::clip::write_to(&plan, &mut out)?;
    out.flush()?;
    println!("export: clip into a file {:.0} MB/s", rate(begun));
    let zip = dir.join("package.zip");
    let begun = Instant::now();
    let mut package = Package::new(std::io::BufWriter::with_capacity(1 << 20, File::create(&zip)?), |_| true);
    package.add_master("goc/cam-0-main", &plan, &Place::named("Asia/Ho_Chi_Minh"))?;
    println!("export: film and records of a package, each record hashed again, {:.0} MB/s", rate(begun));
    Ok(())
}

/// What this thread has worked so far.
fn thread_cpu() -> Duration {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(t.tv_sec.unsigned_abs(), u32::try_from(t.tv_nsec).unwrap_or(0))
}

/// A sub stream of 300 kbps for a day: how soon a clip of all of it begins.
fn day(dir: &Path) -> Result<()> {
    let it = Bench::new(dir, 4 << 30)?;
    let s = stream(0)?;
    let data = Bytes::from(vec![0x41; 2500]);
    for n in 0..86_400 * 15 {
        it.push(&s, n, BEGIN.plus_micros(n * 1_000_000 / 15), n % 30 == 0, n == 0, &data);
        it.clock.advance(Duration::from_micros(1_000_000 / 15));
        if n % 150 == 0 {
            it.breathe();
        }
    }
    let reader = it.recorder.reader();
    it.recorder.close()?;
    let camera = s.camera.clone();
    for hours in [1, 6, 24] {
        let to = BEGIN.plus(Duration::from_secs(hours * 3600));
        let wish = Wish { camera: &camera, channel: Channel::Main, from: BEGIN, to, audio: true, captions: None };
        // The least of some: what it costs, not what else the machine does.
        let (mut wall, mut cpu, mut size) = (Duration::MAX, Duration::MAX, 0);
        for _ in 0..7 {
            let (begun, worked) = (Instant::now(), thread_cpu());
            let plan = ring::clip::plan(&reader, &wish)?;
            let mut first = vec![0; 64 << 10];
            plan.read_at(0, &mut first)?;
            (wall, cpu, size) = (wall.min(begun.elapsed()), cpu.min(thread_cpu() - worked), plan.len());
        }
        let ms = |d: Duration| d.as_secs_f64() * 1e3;
        println!("range of {hours} h: first byte after {:.0} ms ({:.0} ms of CPU), {} MB", ms(wall), ms(cpu), size / 1_000_000);
    }
    Ok(())
}
