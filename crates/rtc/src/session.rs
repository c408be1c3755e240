//! One viewer, without sockets and clocks: an offer in, an answer out; then samples, datagrams and time in, datagrams out.
//!
//! Belongs here: the life of a connection and what is done about a viewer who lost pictures. Does not belong here: which pictures are shown
//! and when (`film`), how fast packets leave (`pace`), the socket they leave by (`room`).

use crate::{
    crypto::{self, Keys},
    film::{Film, Shot, Unfit},
    pace::Pace,
};
use domain::Sample;
use std::{
    collections::VecDeque,
    net::SocketAddr,
    time::{Duration, Instant},
};
use str0m::{
    Candidate, Event, IceConnectionState, IceCreds, Input, Rtc, RtcConfig, RtcError,
    change::SdpOffer,
    format::Codec,
    media::{MediaKind, MediaTime, Mid, Pt},
    net::{Protocol, Receive},
};

/// A viewer who has not come by then, with keys agreed, does not come.
const COME_WITHIN: Duration = Duration::from_secs(10);
/// Browsers knock every few seconds for as long as they watch.
const QUIET: Duration = Duration::from_secs(15);
/// A viewer who lost the thread is given the current group of pictures anew, but not more often than this: then he waits for the next one.
const ANEW: Duration = Duration::from_secs(2);
/// The next picture is cut into packets when fewer than this wait to leave.
const FEW: usize = 64;
/// Packets kept for whoever asks for one again; at 1200 bytes two and a half megabytes.
const KEPT: usize = 2048;
const KEPT_FOR: Duration = Duration::from_secs(3);
/// Of what is sent at most this part is sent again; beyond it the line carries no more, and the viewer waits for a key frame. str0m's own
/// bound is 0.15, which a line that loses a tenth passes now and then: pictures were missing then that could have been mended.
const AGAIN: f32 = 0.5;
/// Most packets that wait to leave, retransmissions included. Beyond it they are lost, as on any line.
const WAITING: usize = 8192;
/// H.264 as browsers ask for it, `packetization-mode=1`: our numbers, for the picture and for what is sent again, and the profile.
const PROFILES: [(u8, u8, u32); 5] =
    [(96, 97, 0x42_e01f), (98, 99, 0x42_001f), (100, 101, 0x4d_001f), (102, 103, 0x64_001f), (104, 105, 0x64_0c1f)];

/// An offer that is not taken, and why.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It cannot be read.
    #[error("the offer is no SDP that can be answered: {0}")]
    Offer(String),
    /// It asks for something else than one picture.
    #[error("the offer must have one line m=video that receives, perhaps m=audio, and nothing else")]
    Lines,
    /// Nothing in it that the box sends.
    #[error("the offer takes no H.264 with packetization-mode=1")]
    NoH264,
    /// The room is full.
    #[error("too many viewers by WebRTC at once")]
    Full,
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum End {
    /// Nobody came to the address of the answer.
    #[error("nobody came")]
    NeverCame,
    /// Nothing was heard for a while.
    #[error("nothing more was heard")]
    Lost,
    /// The viewer said goodbye.
    #[error("left")]
    Left,
    /// The box said goodbye.
    #[error("was ended")]
    Ended,
    /// The stream cannot be shown.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// The stream is gone for good.
    #[error("the stream is gone")]
    Gone,
    /// The protocol broke.
    #[error("the connection broke")]
    Broken,
}

/// A datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Where it goes.
    pub to: SocketAddr,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// What a session wants done, one thing after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this.
    Send(Packet),
    /// Call [`Session::begin`] with the current group of pictures, and [`Session::sample`] with those that follow it.
    Join,
    /// Nothing before this moment, or before something comes in.
    Wait(Instant),
    /// It is over.
    End(End),
}

/// One viewer. Call [`Self::next`] until it says [`Output::Wait`] after everything that is put in.
#[derive(Debug)]
pub struct Session {
    rtc: Rtc,
    /// The only address the box is told to be at.
    host: SocketAddr,
    name: String,
    /// Where pictures go, and the number of their format there.
    line: Option<(Mid, Pt)>,
    state: State,
    heard: Instant,
    /// When str0m wants to know the time.
    due: Instant,
    film: Film,
    /// Pictures not yet cut into packets.
    shots: VecDeque<Shot>,
    /// Media, one after the other.
    paced: VecDeque<Packet>,
    /// Everything else.
    urgent: VecDeque<Packet>,
    pace: Pace,
    joining: bool,
    joined: Option<Instant>,
    end: Option<End>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Until when the viewer may take to come.
    Coming(Instant),
    Watching,
    /// Goodbyes are on their way.
    Leaving(End),
}

impl Session {
    /// Answers an offer. `host` is the address, as the viewer sees it, at which the box hears its datagrams.
    ///
    /// # Errors
    /// When the offer cannot be answered; what is wrong with it is said.
    pub fn open(offer: &str, host: SocketAddr, keys: &Keys, now: Instant) -> Result<(Self, String), Refused> {
        lines(offer)?;
        let credentials = IceCreds { ufrag: word(16), pass: word(32) };
        let name = credentials.ufrag.clone();
        let mut config = RtcConfig::new()
            .set_crypto_provider(crypto::provider())
            .set_dtls_cert(keys.certificate())
            .set_local_ice_credentials(credentials)
            .set_ice_lite(true)
            .set_send_buffer_video(KEPT)
            .clear_codecs();
        for (pt, again, profile) in PROFILES {
            config.codec_config().add_h264(pt.into(), Some(again.into()), true, profile);
        }
        let mut rtc = config.build(now);
        let here = Candidate::host(host, Protocol::Udp).map_err(|e| said(&e))?;
        rtc.add_local_candidate(here);
        let offer = SdpOffer::from_sdp_string(offer).map_err(|e| said(&e))?;
        let answer = rtc.sdp_api().accept_offer(offer).map_err(|e| said(&e))?;
        let mut session = Self {
            rtc,
            host,
            name,
            line: None,
            state: State::Coming(now + COME_WITHIN),
            heard: now,
            due: now,
            film: Film::default(),
            shots: VecDeque::new(),
            paced: VecDeque::new(),
            urgent: VecDeque::new(),
            pace: Pace::new(now),
            joining: false,
            joined: None,
            end: None,
        };
        session.tick(now);
        let answer = answer.to_sdp_string();
        session.line = session.format(&answer);
        let (mid, _) = session.line.ok_or(Refused::NoH264)?;
        if let Some(stream) = session.rtc.direct_api().stream_tx_by_mid(mid, None) {
            stream.set_rtx_cache(KEPT, KEPT_FOR, Some(AGAIN));
        }
        Ok((session, answer))
    }

    /// The name (`ufrag`) that the viewer's first datagrams carry, and nobody else's.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A datagram came in. What is not this viewer's is passed over.
    pub fn receive(&mut self, from: SocketAddr, bytes: &[u8], now: Instant) {
        let Ok(contents) = bytes.try_into() else { return };
        let input = Input::Receive(now, Receive { proto: Protocol::Udp, source: from, destination: self.host, contents });
        if !self.rtc.accepts(&input) {
            return;
        }
        self.heard = now;
        let taken = self.rtc.handle_input(input);
        self.after(taken);
    }

    /// Time passed.
    pub fn tick(&mut self, now: Instant) {
        let taken = self.rtc.handle_input(Input::Timeout(now));
        self.after(taken);
        match self.state {
            State::Coming(until) if now >= until => self.finish(End::NeverCame),
            State::Watching if now.saturating_duration_since(self.heard) >= QUIET => self.finish(End::Lost),
            _ => {}
        }
    }

    /// Whether it takes a sample now. One that is not taken waits where it is, and so finds out that it is slow.
    #[must_use]
    pub fn hungry(&self) -> bool {
        self.state == State::Watching && !self.joining && self.shots.is_empty() && self.paced.len() < FEW
    }

    /// The current group of pictures, as asked for by [`Output::Join`]; may be empty.
    pub fn begin(&mut self, group: Vec<Sample>, now: Instant) {
        self.joining = false;
        // What waited is in the group again, or before it.
        self.shots.clear();
        self.paced.clear();
        match self.film.begin(group, now) {
            Ok(shots) => self.shots.extend(shots),
            Err(unfit) => self.leave(End::Unfit(unfit)),
        }
    }

    /// The next sample.
    pub fn sample(&mut self, sample: Sample, now: Instant) {
        match self.film.next(sample, now) {
            Ok(shot) => self.shots.extend(shot),
            Err(unfit) => self.leave(End::Unfit(unfit)),
        }
    }

    /// Samples are missing: the viewer was too slow for them.
    pub fn skipped(&mut self) {
        self.film.wait();
    }

    /// Says goodbye, and ends.
    pub fn leave(&mut self, why: End) {
        if self.end.is_some() || matches!(self.state, State::Leaving(_)) {
            return;
        }
        if self.state != State::Watching {
            return self.finish(why);
        }
        self.state = State::Leaving(why);
        self.shots.clear();
        self.paced.clear();
        let closed = self.rtc.close();
        self.after(closed);
        self.finish(why);
    }

    /// What to do next.
    pub fn next(&mut self, now: Instant) -> Output {
        loop {
            if let Some(packet) = self.urgent.pop_front() {
                return Output::Send(packet);
            }
            if let Some(end) = self.end {
                return Output::End(end);
            }
            if self.joining {
                return Output::Join;
            }
            if !self.paced.is_empty() {
                if self.pace.go(now)
                    && let Some(packet) = self.paced.pop_front()
                {
                    return Output::Send(packet);
                }
                return Output::Wait(self.pace.free().min(self.due));
            }
            let Some(shot) = self.shots.pop_front() else { break };
            self.write(&shot, now);
        }
        let bound = match self.state {
            State::Coming(until) => until,
            State::Watching | State::Leaving(_) => self.heard + QUIET,
        };
        Output::Wait(self.due.min(bound))
    }

    fn write(&mut self, shot: &Shot, now: Instant) {
        let bytes = match self.film.bytes(shot) {
            Ok(bytes) => bytes,
            Err(unfit) => return self.leave(End::Unfit(unfit)),
        };
        let Some((mid, pt)) = self.line else { return };
        let Some(writer) = self.rtc.writer(mid) else { return };
        let written = writer.write(pt, now, MediaTime::from_90khz(shot.rtp), bytes);
        self.after(written);
        // Cutting is done when it is told the time.
        let cut = self.rtc.handle_input(Input::Timeout(now));
        self.after(cut);
    }

    /// Takes what str0m has to say after each thing that was put in.
    fn after(&mut self, taken: Result<(), RtcError>) {
        if let Err(error) = taken {
            tracing::debug!(%error, "a WebRTC session broke");
            return self.finish(End::Broken);
        }
        while self.rtc.is_alive() {
            match self.rtc.poll_output() {
                Ok(str0m::Output::Timeout(due)) => {
                    self.due = due;
                    return;
                }
                Ok(str0m::Output::Transmit(packet)) => self.send(Packet { to: packet.destination, bytes: packet.contents.into() }),
                Ok(str0m::Output::Event(event)) => self.event(&event),
                Err(error) => {
                    tracing::debug!(%error, "a WebRTC session broke");
                    return self.finish(End::Broken);
                }
            }
        }
    }

    fn send(&mut self, packet: Packet) {
        // RFC 7983: RTP and RTCP begin with 128 to 191; of those RTCP's second byte is 192 to 223 (RFC 5761).
        let media = matches!(packet.bytes[..], [128..=191, kind, ..] if !(192..=223).contains(&kind));
        let (queue, most) = if media { (&mut self.paced, WAITING) } else { (&mut self.urgent, WAITING / 8) };
        if queue.len() < most {
            queue.push_back(packet);
        }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Connected => {
                if let State::Coming(_) = self.state {
                    self.state = State::Watching;
                    self.join();
                }
            }
            Event::KeyframeRequest(_) if self.state == State::Watching => self.lost_the_thread(),
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) => self.finish(End::Lost),
            Event::Closed => self.finish(End::Left),
            _ => {}
        }
    }

    /// Cameras are not asked for a key frame: the current group of pictures is there anyway.
    fn lost_the_thread(&mut self) {
        let now = self.heard;
        match self.joined {
            Some(joined) if now.saturating_duration_since(joined) < ANEW => {
                self.film.wait();
                self.shots.clear();
            }
            _ => self.join(),
        }
    }

    fn join(&mut self) {
        self.joining = true;
        self.joined = Some(self.heard);
    }

    /// The line of our answer that sends H.264 as the viewer wants it; of several profiles the highest, whose decoders take the others as well.
    fn format(&mut self, answer: &str) -> Option<(Mid, Pt)> {
        let mids: Vec<Mid> = answer.lines().filter_map(|line| line.strip_prefix("a=mid:")).map(Mid::from).collect();
        mids.into_iter().find_map(|mid| {
            self.rtc.media(mid).filter(|media| media.kind() == MediaKind::Video && media.direction().is_sending())?;
            let writer = self.rtc.writer(mid)?;
            let h264 = writer.payload_params().filter(|p| p.spec().codec == Codec::H264 && p.spec().format.packetization_mode == Some(1));
            let best = h264.max_by_key(|p| p.spec().format.profile_level_id)?.pt();
            Some((mid, best))
        })
    }

    fn finish(&mut self, why: End) {
        self.end = self.end.or(Some(why));
    }
}

/// What the lines of an offer ask for, looked at before anything is built for it.
fn lines(offer: &str) -> Result<(), Refused> {
    let kinds: Vec<&str> = offer.lines().filter_map(|line| line.strip_prefix("m=")?.split(' ').next()).collect();
    let videos = kinds.iter().filter(|kind| **kind == "video").count();
    let others = kinds.iter().filter(|kind| !matches!(**kind, "video" | "audio")).count();
    if kinds.is_empty() {
        return Err(Refused::Offer("it has no line m=".into()));
    }
    if videos == 1 && others == 0 && kinds.len() <= 2 { Ok(()) } else { Err(Refused::Lines) }
}

/// What str0m says of an offer: the last line, for its parser begins with where in memory it stood.
fn said(error: &dyn std::fmt::Display) -> Refused {
    let text = error.to_string();
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    Refused::Offer(line.chars().take(200).collect())
}

/// Letters and digits by chance.
fn word(length: usize) -> String {
    use rand::{Rng, distr::Alphanumeric};
    rand::rng().sample_iter(Alphanumeric).take(length).map(char::from).collect()
}
