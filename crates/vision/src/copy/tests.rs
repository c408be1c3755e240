//! Viewing copies by workers that speak the true protocol, well and badly.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use super::{room::SPARE, *};
use crate::{
    fake::{FakeLauncher, FakeWorker},
    protocol::{SAMPLE_MAX, copy},
};
use bytes::Bytes;
use domain::{Channel, StreamId, StreamKind};
use std::sync::atomic::{AtomicBool, Ordering};

/// 320 × 240, as in `media::params`.
const CONFIG: &[u8] = &[
    1, 0x64, 0, 0x0d, 0xff, 0xe1, 0, 25, 0x67, 0x64, 0, 0x0d, 0xac, 0xd9, 0x41, 0x41, 0xfb, 0x01, 0x10, 0, 0, 3, 0, 0x10, 0, 0, 3, 3, 0x20,
    0xf1, 0x42, 0x99, 0x60, 1, 0, 6, 0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0, 0xfd, 0xf8, 0xf8, 0,
];

fn samples(count: u64, size: usize) -> impl Iterator<Item = io::Result<Sample>> {
    let format = Arc::new(Format::Video(media::params::video_format(VideoCodec::H264, CONFIG).unwrap()));
    let stream = Arc::new(StreamId::new("cong".parse().unwrap(), Channel::Main, StreamKind::Video));
    (0..count).map(move |n| {
        let at = i64::try_from(n).unwrap();
        Ok(Sample {
            stream: stream.clone(),
            format: format.clone(),
            seq: n,
            capture: WallTime::from_secs(at),
            pts: at * 90_000,
            dts: at * 90_000,
            random_access: n == 0,
            loss_before: false,
            data: Bytes::from(vec![7; size]),
        })
    })
}

fn say(socket: &mut UnixStream, up: &Up, data: &[u8]) {
    let _ = socket.write_all(&stream::encode(up).unwrap());
    let _ = socket.write_all(data);
}

fn picture(capture: WallTime, data: &[u8]) -> Up {
    Up::Picture { capture, pts: 7, random_access: false, len: u32::try_from(data.len()).unwrap() }
}

/// One empty NAL unit and one of two bytes.
const UNITS: &[u8] = &[0, 0, 0, 0, 0, 0, 0, 2, 0x65, 1];

type Heard = Vec<(WallTime, usize)>;

fn with(
    count: u64,
    size: usize,
    go_on: &dyn Fn() -> bool,
    worker: impl Fn(&mut UnixStream) + Send + Sync + 'static,
) -> (Heard, Result<Copied, CopyError>) {
    let launcher = FakeLauncher::new(move |w: FakeWorker| {
        w.serve(|w, message, descriptors| {
            let ToWorker::Copy(spec) = message else { panic!("{message:?}") };
            assert_eq!((spec.title.as_str(), &w.purpose), ("BẢN XEM", &Purpose::Copy));
            let mut descriptors = descriptors.into_iter();
            let mut socket = w.stream(descriptors.next().unwrap());
            let mut font = String::new();
            std::fs::File::from(descriptors.next().unwrap()).read_to_string(&mut font).unwrap();
            assert_eq!(font, "letters");
            worker(&mut socket);
            false
        });
    });
    let spec = Spec {
        from: WallTime::from_secs(0),
        to: WallTime::from_secs(1_000_000),
        title: "BẢN\u{7} XEM".into(),
        fit: (1920, 1080),
        kbit: 4000,
        masks: Vec::new(),
    };
    let wanted = Wanted { spec, font: b"letters", words: &|at| format!("lúc {at}"), go_on };
    let mut heard = Vec::new();
    let result = super::copy(launcher.as_ref(), &wanted, samples(count, size), |made| {
        if let Made::Picture { capture, data, .. } = made {
            heard.push((capture, data.len()));
        }
        Ok(())
    });
    (heard, result)
}

/// Answers every sample with one picture, and the format first.
fn honest(socket: &mut UnixStream, mut answer: impl FnMut(&mut UnixStream, SampleAt)) {
    let mut from = socket.try_clone().unwrap();
    let (mut data, mut n) = (Vec::new(), 0);
    while let Ok(Some(down)) = copy::read_down(&mut from, &mut data) {
        match down {
            Down::Format(codec) => assert_eq!((codec.width, codec.height), (320, 240)),
            Down::Sample { head, words } => {
                assert_eq!(words, format!("lúc {}", head.capture));
                answer(socket, SampleAt { n, capture: head.capture });
                n += 1;
            }
        }
    }
}

struct SampleAt {
    n: u64,
    capture: WallTime,
}

#[test]
fn much_more_than_a_socket_holds_goes_both_ways_at_once() {
    let (heard, result) = with(300, 100_000, &|| true, |socket| {
        let big = [UNITS, &[0, 1, 0, 0], &vec![9; 0x1_0000]].concat();
        honest(socket, |socket, s| {
            if s.n == 0 {
                say(socket, &Up::Format(CONFIG.to_vec()), &[]);
            }
            say(socket, &picture(s.capture, &big), &big);
        });
        say(socket, &Up::End, &[]);
    });
    assert_eq!(result.unwrap(), Copied { wanted: 300, shown: 300 });
    assert!(heard.into_iter().eq((0..300).map(|n| (WallTime::from_secs(n), 10 + 4 + 0x1_0000))));
}

#[test]
fn what_cannot_be_decoded_is_counted() {
    let (heard, result) = with(10, 10, &|| true, |socket| {
        honest(socket, |socket, s| match s.n {
            0 => {
                say(socket, &Up::Format(CONFIG.to_vec()), &[]);
                say(socket, &picture(s.capture, UNITS), UNITS);
            }
            1 => say(socket, &Up::Undecodable("a scratch".into()), &[]),
            _ => {}
        });
        say(socket, &Up::End, &[]);
    });
    assert_eq!((result.unwrap(), heard.len()), (Copied { wanted: 10, shown: 1 }, 1));
}

#[test]
fn a_worker_that_ends_in_the_middle_is_told_with_how() {
    let (_, result) = with(1_000, 100_000, &|| true, |socket| say(socket, &Up::Format(CONFIG.to_vec()), &[]));
    assert_eq!(result.unwrap_err().to_string(), "the worker was ended by signal 9 in the middle of its work");
}

#[test]
fn why_it_refuses_is_told_though_it_reads_no_more() {
    let (_, result) = with(1_000, 100_000, &|| true, |socket| say(socket, &Up::Failed("there is no encoder".into()), &[]));
    assert_eq!(result.unwrap_err().to_string(), "the worker cannot make a viewing copy: there is no encoder");
}

#[test]
fn whoever_calls_it_off_does_not_wait_for_a_worker_that_hangs() {
    let asked = AtomicBool::new(false);
    // On the second look: by then the socket is full, since nobody reads.
    let (_, result) = with(1_000, 100_000, &|| !asked.swap(true, Ordering::Relaxed), |socket| {
        let _ = socket.take_error();
        while socket.peer_open() {
            std::thread::yield_now();
        }
    });
    assert!(matches!(result, Err(CopyError::Cancelled)), "{result:?}");
}

trait PeerOpen {
    fn peer_open(&self) -> bool;
}

impl PeerOpen for UnixStream {
    /// Whether the other side still holds its end, found out by waiting for it a little.
    fn peer_open(&self) -> bool {
        let mut fds = [PollFd::new(self, PollFlags::empty())];
        let _ = poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 10_000_000 }));
        !fds[0].revents().contains(PollFlags::HUP)
    }
}

#[test]
fn nonsense_is_refused() {
    let format = || Up::Format(CONFIG.to_vec());
    let at = WallTime(0);
    let cases: Vec<Vec<(Up, Vec<u8>)>> = vec![
        vec![(Up::Format(vec![1, 2, 3]), vec![])],
        vec![(format(), vec![]), (format(), vec![])],
        vec![(picture(at, UNITS), UNITS.to_vec())],
        vec![(format(), vec![]), (picture(at, &[0, 0, 0, 9, 1]), vec![0, 0, 0, 9, 1])],
        vec![(format(), vec![]), (Up::Picture { capture: at, pts: 0, random_access: true, len: u32::MAX }, vec![])],
        // Two pictures of one sample.
        vec![(format(), vec![]), (picture(at, UNITS), UNITS.to_vec()), (picture(at, UNITS), UNITS.to_vec())],
        vec![(Up::Undecodable("x".into()), vec![]), (Up::Undecodable("x".into()), vec![])],
        vec![(Up::End, vec![0])],
    ];
    for (n, says) in cases.into_iter().enumerate() {
        let (_, result) = with(1, 10, &|| true, move |socket| {
            honest(socket, |_, _| {});
            for (up, data) in &says {
                say(socket, up, data);
            }
        });
        assert!(matches!(result, Err(CopyError::Worker(LoneError::Protocol(_)))), "{n}: {result:?}");
    }
}

#[test]
fn a_worker_that_sends_without_end_is_stopped() {
    const FAULT: &str = "the worker does not keep to the protocol: it sends more bytes than a copy of this film can have";
    // Pictures of the largest size for every sample: the samples are a second apart, so each has 4 Mbit/s twice.
    let largest = [&[0, 0x7f, 0xff, 0xfc][..], &vec![9; copy::PICTURE_MAX - 4]].concat();
    let (heard, result) = with(300, 10, &|| true, move |socket| {
        honest(socket, |socket, s| {
            if s.n == 0 {
                say(socket, &Up::Format(CONFIG.to_vec()), &[]);
            }
            say(socket, &picture(s.capture, &largest), &largest);
        });
    });
    assert_eq!(result.unwrap_err().to_string(), FAULT);
    // All 300 samples fit into the socket at once: what was allowed is at most their rate.
    let most = 300 * 2 * 500_000 + SPARE;
    assert!(heard.iter().map(|(_, len)| *len as u64).sum::<u64>() <= most && !heard.is_empty(), "{}", heard.len());
    // And while it is asked for nothing: the second sample waits in a full socket, which it does not read.
    let (_, result) = with(100_000, 100_000, &|| true, |socket| {
        say(socket, &Up::Format(CONFIG.to_vec()), &[]);
        let text = Up::Undecodable("x".repeat(1000));
        while socket.write_all(&stream::encode(&text).unwrap()).is_ok() {}
    });
    assert!(result.unwrap_err().to_string().contains("it complains more often than there are samples"));
}

#[test]
fn a_copy_of_any_length_at_its_rate_is_within_its_room() {
    // An hour of 4 Mbit/s at 15, and at 100 pictures a second; one with gaps of an hour, and one whose times stand still.
    for (step, count, each) in [(66_666, 54_000, 33_333), (10_000, 360_000, 5_000), (3_600_000_000, 100, 1_000_000), (0, 1000, 20_000)] {
        let mut room = Room::new(4000);
        for n in 0..count {
            room.sample(WallTime(n * step));
            assert!(!room.came(each), "{step}: {n}");
        }
    }
}

#[test]
fn words_are_cut_between_letters() {
    assert_eq!(words("Cổng làng\n"), "Cổng làng");
    let long = words(&"ổ".repeat(500));
    assert!(long.len() <= copy::WORDS_MAX && long.chars().all(|c| c == 'ổ') && long.len() > copy::WORDS_MAX - 4);
}

proptest::proptest! {
    #[test]
    fn messages_are_the_same_in_whatever_pieces_they_arrive(sizes in proptest::collection::vec(0usize..3000, 1..20), piece in 1usize..700) {
        let mut bytes = Vec::new();
        for (n, size) in sizes.iter().enumerate() {
            let up = if n % 3 == 2 { Up::Undecodable("x".repeat(*size % 100)) } else { picture(WallTime(n as i64), &vec![1; *size]) };
            bytes.extend(stream::encode(&up).unwrap());
            if let Up::Picture { .. } = up {
                bytes.extend(vec![n as u8; *size]);
            }
        }
        let (mut inbox, mut heard) = (Inbox::default(), Vec::new());
        for piece in bytes.chunks(piece) {
            inbox.push(piece);
            while let Some((up, data)) = inbox.take().unwrap() {
                if let Up::Picture { capture, len, .. } = up {
                    proptest::prop_assert!(data.iter().all(|b| *b == capture.0 as u8) && data.len() == len as usize);
                }
                heard.push(data.len());
            }
        }
        let want: Vec<usize> = sizes.iter().enumerate().map(|(n, size)| if n % 3 == 2 { 0 } else { *size }).collect();
        proptest::prop_assert_eq!(heard, want);
        proptest::prop_assert!(inbox.is_empty());
    }

    #[test]
    fn arbitrary_bytes_are_read_or_refused_without_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..2000)) {
        let mut inbox = Inbox::default();
        inbox.push(&bytes);
        while let Ok(Some(_)) = inbox.take() {}
        let _ = copy::read_down(&mut &bytes[..], &mut Vec::new());
    }

    #[test]
    fn a_sample_longer_than_one_may_be_is_refused(more in 1u32..1000) {
        let head = crate::protocol::SampleHead {
            capture: WallTime(0), pts: 0, dts: 0, random_access: true, loss_before: false, len: SAMPLE_MAX as u32 + more,
        };
        let bytes = stream::encode(&Down::Sample { head, words: String::new() }).unwrap();
        proptest::prop_assert!(copy::read_down(&mut &bytes[..], &mut Vec::new()).is_err());
    }
}
