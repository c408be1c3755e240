//! The same through the thread and a real file system.

use super::{Dice, NOON, Source, signer};
use crate::{Reader, Recorder, RingError, RingSpec, RingState, SystemDisk};
use domain::{Clock, MonoTime, SimClock, StreamKind, WallTime};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Real time on a wall that is always the same day.
struct Ticking(Instant);

impl Clock for Ticking {
    fn wall(&self) -> WallTime {
        NOON.plus(self.0.elapsed())
    }
    fn mono(&self) -> MonoTime {
        MonoTime(0).plus(self.0.elapsed())
    }
    fn synchronised(&self) -> bool {
        true
    }
    fn boot_id(&self) -> [u8; 16] {
        [1; 16]
    }
}

#[test]
fn recorded_read_beside_it_closed_and_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let paths = vec![dir.path().join("one"), dir.path().join("two")];
    let spec = RingSpec { block_size: 1 << 20, any_filesystem: true, ..RingSpec::new("main", paths, 8 << 20) };
    let open = || Recorder::open(spec.clone(), Arc::new(SystemDisk), Arc::new(Ticking(Instant::now())), signer());
    let recorder = open().unwrap();
    let e = open().unwrap_err();
    assert!(matches!(e, RingError::Locked { .. }), "{e}");
    let mut dice = Dice(1);
    let mut source = Source::new("a", StreamKind::Video, 8000);
    for n in 0..200 {
        recorder.push(&source.next(NOON.plus(Duration::from_millis(100 * n)), &mut dice));
    }
    // The writer works on a timer: wait for what it is to have done.
    let beside = Reader::open(spec.clone(), Arc::new(SystemDisk)).unwrap();
    let patience = Instant::now();
    while beside.records(&source.id, NOON, NOON.plus(Duration::from_secs(60))).unwrap().len() < 30 {
        assert!(patience.elapsed() < Duration::from_secs(20));
        std::thread::yield_now();
    }
    let status = recorder.status();
    assert_eq!((status.state, status.blocks), (RingState::Ok, 8), "{}", status.detail);
    let reader = recorder.reader();
    recorder.close().unwrap();
    let records = reader.records(&source.id, NOON, NOON.plus(Duration::from_secs(60))).unwrap();
    assert_eq!(records.iter().map(|r| u64::from(r.entry.samples)).sum::<u64>(), 200);
    for r in &records {
        assert!(reader.read(r).unwrap().media_verified);
        assert_eq!(reader.read(r).unwrap().payload, beside.read(r).unwrap().payload);
    }
    let again = open().unwrap();
    assert_eq!(again.reader().records(&source.id, NOON, NOON.plus(Duration::from_secs(60))).unwrap().len(), records.len());
    again.close().unwrap();
    let mut other = spec.clone();
    other.block_size = 2 << 20;
    let clock: Arc<dyn Clock> = Arc::new(SimClock::at(NOON));
    let e = Recorder::open(RingSpec { size: 16 << 20, ..other }, Arc::new(SystemDisk), clock, signer()).unwrap_err();
    assert!(e.to_string().contains("blocks of 1048576 bytes"), "{e}");
}
