//! The other end: str0m as a browser would be, and the line between.

use crate::{
    crypto::{self, Keys},
    session::{Output, Packet, Session},
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use str0m::{
    Candidate, Event, Input, Rtc, RtcConfig,
    change::{SdpAnswer, SdpPendingOffer},
    media::{Direction, KeyframeRequestKind, MediaData, MediaKind, Mid},
    net::{Protocol, Receive},
};

pub(super) fn host() -> SocketAddr {
    "192.168.1.5:8555".parse().unwrap()
}

pub(super) fn home() -> SocketAddr {
    "192.168.1.77:50000".parse().unwrap()
}

/// A line that loses and delays, each packet by dice of its own, so that some overtake others.
pub(super) struct Line {
    pub(super) loss: f64,
    pub(super) delay: Duration,
    pub(super) jitter: Duration,
    dice: StdRng,
    on_way: Vec<(Instant, Packet)>,
    pub(super) lost: usize,
    pub(super) carried: usize,
}

impl Line {
    pub(super) fn new(seed: u64) -> Self {
        let ms = Duration::from_millis;
        Self { loss: 0.0, delay: ms(5), jitter: ms(0), dice: StdRng::seed_from_u64(seed), on_way: Vec::new(), lost: 0, carried: 0 }
    }

    fn put(&mut self, packet: Packet, now: Instant) {
        if self.dice.random_bool(self.loss) {
            self.lost += 1;
            return;
        }
        self.carried += 1;
        let jitter = self.jitter.mul_f64(self.dice.random());
        self.on_way.push((now + self.delay + jitter, packet));
    }

    fn due(&self) -> Option<Instant> {
        self.on_way.iter().map(|(at, _)| *at).min()
    }

    fn take(&mut self, now: Instant) -> Vec<Packet> {
        let mut there: Vec<_> = self.on_way.extract_if(.., |(at, _)| *at <= now).collect();
        there.sort_by_key(|(at, _)| *at);
        there.into_iter().map(|(_, packet)| packet).collect()
    }
}

/// A viewer who asks for a key frame when pictures are missing.
pub(super) struct Viewer {
    rtc: Rtc,
    mid: Option<Mid>,
    due: Instant,
    asked: Option<Instant>,
    out: Vec<Packet>,
    pub(super) connected: bool,
    pub(super) closed: bool,
    pub(super) got: Vec<(Instant, MediaData)>,
    pub(super) asks: usize,
}

impl Viewer {
    pub(super) fn offering(now: Instant) -> (Self, String, SdpPendingOffer) {
        let config = RtcConfig::new().set_crypto_provider(crypto::provider()).set_dtls_cert(Keys::new().unwrap().certificate());
        // As patient as browsers are, which ask more than twice for a packet.
        let mut rtc = config.set_reordering_size_video(400).build(now);
        rtc.add_local_candidate(Candidate::host(home(), Protocol::Udp).unwrap());
        let mut api = rtc.sdp_api();
        let mid = api.add_media(MediaKind::Video, Direction::RecvOnly, None, None, None);
        let (offer, pending) = api.apply().unwrap();
        let viewer =
            Self { rtc, mid: Some(mid), due: now, asked: None, out: Vec::new(), connected: false, closed: false, got: Vec::new(), asks: 0 };
        (viewer, offer.to_sdp_string(), pending)
    }

    /// Takes the answer; with the first datagrams, which knock at the host's door.
    pub(super) fn knocks(&mut self, pending: SdpPendingOffer, answer: &str, now: Instant) -> Vec<Packet> {
        self.rtc.sdp_api().accept_answer(pending, SdpAnswer::from_sdp_string(answer).unwrap()).unwrap();
        for tick in 0..20 {
            let now = now + Duration::from_millis(tick * 50);
            self.put(Input::Timeout(now), now);
            if !self.out.is_empty() {
                break;
            }
        }
        std::mem::take(&mut self.out)
    }

    fn put(&mut self, input: Input<'_>, now: Instant) {
        self.rtc.handle_input(input).unwrap();
        loop {
            match self.rtc.poll_output().unwrap() {
                str0m::Output::Timeout(due) => {
                    self.due = due;
                    return;
                }
                str0m::Output::Transmit(t) => self.out.push(Packet { to: t.destination, bytes: t.contents.into() }),
                str0m::Output::Event(Event::Connected) => self.connected = true,
                str0m::Output::Event(Event::Closed) => self.closed = true,
                str0m::Output::Event(Event::MediaData(data)) => {
                    if !data.contiguous {
                        self.asked = self.asked.or(Some(now));
                    }
                    self.got.push((now, data));
                }
                str0m::Output::Event(_) => {}
            }
        }
    }

    /// Asks for a key frame, as browsers do that cannot go on.
    pub(super) fn ask(&mut self) {
        if let Some(mut writer) = self.mid.and_then(|mid| self.rtc.writer(mid)) {
            self.asks += 1;
            let _ = writer.request_keyframe(None, KeyframeRequestKind::Pli);
        }
    }

    /// Says goodbye.
    pub(super) fn leave(&mut self) {
        self.rtc.close().unwrap();
    }
}

/// Both ends and the line between.
pub(super) struct Scene {
    pub(super) now: Instant,
    pub(super) begun: Instant,
    pub(super) session: Session,
    pub(super) viewer: Viewer,
    pub(super) down: Line,
    pub(super) up: Line,
    /// What the session asked for or said beside packets.
    pub(super) said: Vec<Output>,
    /// Whoever asks for the current group of pictures gets this.
    pub(super) group: Vec<domain::Sample>,
    pub(super) joins: usize,
}

impl Scene {
    pub(super) fn new(seed: u64) -> Self {
        let now = Instant::now();
        let (mut viewer, offer, pending) = Viewer::offering(now);
        let (session, answer) = Session::open(&offer, host(), &Keys::new().unwrap(), now).unwrap();
        viewer.rtc.sdp_api().accept_answer(pending, SdpAnswer::from_sdp_string(&answer).unwrap()).unwrap();
        viewer.put(Input::Timeout(now), now);
        let (down, up) = (Line::new(seed), Line::new(seed + 1));
        Self { now, begun: now, session, viewer, down, up, said: Vec::new(), group: Vec::new(), joins: 0 }
    }

    /// Lets so much time pass.
    pub(super) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        loop {
            let session_due = self.settle();
            let due = [Some(session_due), Some(self.viewer.due), self.down.due(), self.up.due()].into_iter().flatten().min();
            let next = due.unwrap_or(until).max(self.now);
            if next > until {
                self.now = until;
                self.settle();
                return;
            }
            // Nothing is due twice at one moment, or time would stand still.
            self.now = next.max(self.now + Duration::from_micros(50));
            for packet in self.down.take(self.now) {
                let contents = packet.bytes.as_slice().try_into().unwrap();
                let receive = Receive { proto: Protocol::Udp, source: host(), destination: home(), contents };
                self.viewer.put(Input::Receive(self.now, receive), self.now);
            }
            for packet in self.up.take(self.now) {
                self.session.receive(home(), &packet.bytes, self.now);
            }
            self.viewer.put(Input::Timeout(self.now), self.now);
            self.session.tick(self.now);
        }
    }

    /// Everything that wants to be said is said; when the session wants to be asked again.
    fn settle(&mut self) -> Instant {
        let now = self.now;
        for packet in self.viewer.out.drain(..) {
            self.up.put(packet, now);
        }
        loop {
            match self.session.next(now) {
                Output::Send(packet) => {
                    assert_eq!(packet.to, home());
                    self.down.put(packet, now);
                }
                Output::Join => {
                    self.joins += 1;
                    self.session.begin(self.group.clone(), now);
                }
                Output::Wait(until) => return until,
                end @ Output::End(_) => {
                    if self.said.is_empty() {
                        self.said.push(end);
                    }
                    return now + Duration::from_secs(3600);
                }
            }
        }
    }

    /// The newest of which frames have arrived whole, as their bytes say.
    pub(super) fn frames(&self) -> Vec<Vec<u8>> {
        self.viewer.got.iter().map(|(_, data)| data.data.to_vec()).collect()
    }
}
