//! The model is as treacherous as it says: otherwise what stands on it proves nothing.

use super::*;
use crate::disk::read_exact_at;

fn file(disk: &ModelDisk, name: &str) -> Arc<dyn DiskFile> {
    disk.create(Path::new(name), 1 << 20).unwrap()
}

fn bytes(disk: &ModelDisk, name: &str, offset: u64, len: usize) -> Vec<u8> {
    let mut buf = vec![9; len];
    read_exact_at(&*disk.open(Path::new(name), false).unwrap(), offset, &mut buf).unwrap();
    buf
}

fn write(file: &dyn DiskFile, offset: u64, byte: u8, len: usize) {
    file.write_all_at(&[IoSlice::new(&vec![byte; len])], offset).unwrap();
}

#[test]
fn what_is_synced_stays_and_the_rest_is_lost_or_not() {
    let disk = ModelDisk::new();
    let f = file(&disk, "/a/x");
    write(&*f, 100, 1, 5000);
    f.sync_data().unwrap();
    write(&*f, 3000, 2, 5000);
    assert_eq!(bytes(&disk, "/a/x", 3000, 1), [2], "a reader sees what is written");
    let lost = disk.cut(|_| false);
    assert_eq!((bytes(&lost, "/a/x", 99, 2), bytes(&lost, "/a/x", 5099, 2)), (vec![0, 1], vec![1, 0]));
    assert_eq!(bytes(&disk.cut(|_| true), "/a/x", 2999, 2), [1, 2]);
    assert_eq!((disk.unsynced(), lost.unsynced()), (1, 0));
}

#[test]
fn a_later_write_survives_an_earlier_one_and_over_files_too() {
    let disk = ModelDisk::new();
    let (a, b) = (file(&disk, "/a/x"), file(&disk, "/a/y"));
    write(&*a, 0, 1, 512);
    write(&*a, 4096, 2, 512);
    write(&*b, 0, 3, 512);
    let after = disk.cut(|write| write != 0);
    let first = |d: &ModelDisk, name, at| bytes(d, name, at, 1)[0];
    assert_eq!((first(&after, "/a/x", 0), first(&after, "/a/x", 4096), first(&after, "/a/y", 0)), (0, 2, 3));
}

#[test]
fn writes_are_torn_between_sectors_or_pages_and_never_inside_a_sector() {
    let disk = ModelDisk::new();
    write(&*file(&disk, "/a/x"), 300, 7, 8916);
    let mut asked = Vec::new();
    let after = disk.cut_sectors(|_, at| {
        asked.push(at);
        at % 1024 == 0
    });
    assert_eq!((asked[0], asked[1], asked.len()), (300, 512, 18));
    let torn = bytes(&after, "/a/x", 0, 10_240);
    for (n, sector) in torn.chunks(512).enumerate().skip(1) {
        assert!(sector.iter().all(|b| *b == if n % 2 == 0 && n < 18 { 7 } else { 0 }), "sector {n}");
    }
    let after = disk.cut_sectors(|_, at| at / 4096 == 1);
    assert_eq!((bytes(&after, "/a/x", 4095, 2), bytes(&after, "/a/x", 8191, 2)), (vec![0, 7], vec![7, 0]));
}

#[test]
fn what_a_refused_sync_left_is_made_durable_by_no_later_one() {
    let disk = ModelDisk::new();
    let f = file(&disk, "/a/x");
    write(&*f, 0, 1, 100);
    write(&*f, 8192, 1, 100);
    disk.fail(Path::new("/a"), Fault::Sync);
    assert!(f.sync_data().is_err());
    disk.heal();
    f.sync_data().unwrap();
    assert_eq!(bytes(&disk, "/a/x", 0, 1), [1], "readers see it");
    assert_eq!(bytes(&disk.cut(|_| false), "/a/x", 0, 1), [0], "a cut may forget it");
    assert_eq!(bytes(&disk.cut(|_| true), "/a/x", 0, 1), [1], "or not");
    // Its page is dirty again: then it is written with it.
    write(&*f, 200, 2, 100);
    f.sync_data().unwrap();
    let after = disk.cut(|_| false);
    assert_eq!((bytes(&after, "/a/x", 0, 1), bytes(&after, "/a/x", 8192, 1)), (vec![1], vec![0]));
}

#[test]
fn copies_go_their_own_way_and_cost_what_is_changed() {
    let disk = ModelDisk::new();
    for n in 0..500 {
        write(&*file(&disk, &format!("/a/{n}")), 0, 1, 10);
    }
    let copy = disk.fork();
    write(&*disk.open(Path::new("/a/7"), true).unwrap(), 0, 2, 10);
    disk.delete(Path::new("/a/8")).unwrap();
    write(&*file(&copy, "/a/new"), 0, 3, 10);
    assert_eq!((bytes(&disk, "/a/7", 0, 1), bytes(&copy, "/a/7", 0, 1)), (vec![2], vec![1]));
    assert!(disk.open(Path::new("/a/8"), false).is_err() && copy.open(Path::new("/a/8"), false).is_ok());
    let dir = Path::new("/a");
    assert_eq!((disk.list(dir).unwrap().len(), copy.list(dir).unwrap().len()), (499, 501));
}

#[test]
fn reading_and_syncing_take_time_where_told() {
    let disk = ModelDisk::new();
    let clock = Arc::new(SimClock::default());
    let f = file(&disk, "/a/x");
    disk.drive(clock.clone());
    disk.pace(Pace { read: Duration::from_millis(10), mib: Duration::from_millis(8), sync: Duration::from_millis(5) });
    bytes(&disk, "/a/x", 0, 1 << 19);
    assert_eq!((clock.mono(), disk.reads()), (MonoTime(14_000), 1));
    f.sync_data().unwrap();
    disk.watch();
    disk.fail(Path::new("/a"), Fault::Slow(Duration::from_secs(1)));
    f.sync_data().unwrap();
    assert_eq!(clock.mono(), MonoTime(1_024_000));
    assert_eq!(disk.take_history()[0].taken(), MonoTime(19_000));
}

#[test]
fn bad_sectors_refuse_reads_that_touch_them_and_no_others() {
    let disk = ModelDisk::new();
    let f = file(&disk, "/a/x");
    write(&*f, 0, 1, 8192);
    disk.fail(Path::new("/a/x"), Fault::Unreadable(512, 1024));
    let read = |offset, len| f.read_at(offset, &mut vec![0; len]).is_ok();
    assert!(read(0, 512) && read(1024, 512) && !read(0, 513) && !read(1023, 1) && !read(0, 4096));
    assert!(f.sync_data().is_ok());
}
