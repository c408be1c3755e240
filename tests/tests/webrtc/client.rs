//! A viewer by another implementation of WebRTC than the box's: webrtc-rs, over a line that loses packets.

use crate::film::{Film, Picture};
use async_trait::async_trait;
use matthon_tests::api::Api;
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::sync::mpsc;
use webrtc::{
    api::{
        APIBuilder,
        interceptor_registry::{configure_nack, configure_rtcp_reports},
        media_engine::{MIME_TYPE_H264, MediaEngine},
        setting_engine::SettingEngine,
    },
    ice::network_type::NetworkType,
    interceptor::{
        Attributes, Error, Interceptor, InterceptorBuilder, RTCPReader, RTCPWriter, RTPReader, RTPWriter, registry::Registry,
        stream_info::StreamInfo,
    },
    peer_connection::{
        RTCPeerConnection, configuration::RTCConfiguration, peer_connection_state::RTCPeerConnectionState,
        sdp::session_description::RTCSessionDescription,
    },
    rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication,
    rtp::packet::Packet,
    rtp_transceiver::{
        RTCRtpTransceiverInit,
        rtp_codec::{RTCRtpCodecCapability, RTCRtpCodecParameters, RTPCodecType},
        rtp_transceiver_direction::RTCRtpTransceiverDirection,
    },
};

/// The numbers of the offer: pictures, and what is sent again (RFC 4588).
const H264: u8 = 96;
const AGAIN: u8 = 97;
/// Every so many packets one is lost.
const LOSS: usize = 10;

type Received = Result<(Packet, Attributes), Error>;

/// What the line did.
#[derive(Default)]
pub(crate) struct Line {
    count: AtomicUsize,
    pub(crate) lost: AtomicUsize,
    pub(crate) mended: AtomicUsize,
    /// What was sent again, as it was at first.
    back: Mutex<VecDeque<Packet>>,
}

/// Somebody who watches.
pub(crate) struct Client {
    peer: RTCPeerConnection,
    packets: mpsc::UnboundedReceiver<Packet>,
    film: Film,
    ssrc: u32,
    pub(crate) line: Arc<Line>,
    /// What the answer calls the session, below `/api/v1/`.
    pub(crate) place: String,
}

impl Client {
    /// Asks by WHEP, and connects.
    pub(crate) async fn watch(api: &Api, path: &str) -> Self {
        let line = Arc::new(Line::default());
        let peer = peer(&line).await;
        let (to, packets) = mpsc::unbounded_channel();
        peer.on_track(Box::new(move |track, _, _| {
            let to = to.clone();
            Box::pin(async move {
                tokio::spawn(async move {
                    while let Ok((packet, _)) = track.read_rtp().await {
                        if to.send(packet).is_err() {
                            break;
                        }
                    }
                });
            })
        }));
        let mut gathered = peer.gathering_complete_promise().await;
        let offer = peer.create_offer(None).await.unwrap();
        peer.set_local_description(offer).await.unwrap();
        let _ = gathered.recv().await;
        let answer = api.offer(path, &peer.local_description().await.unwrap().sdp).await;
        assert_eq!(answer.status(), 201);
        let place = answer.headers()["location"].to_str().unwrap().strip_prefix("/api/v1/").unwrap().to_owned();
        let answer = RTCSessionDescription::answer(answer.text().await.unwrap()).unwrap();
        peer.set_remote_description(answer).await.unwrap();
        Self { peer, packets, film: Film::default(), ssrc: 0, line, place }
    }

    /// The next whole picture.
    pub(crate) async fn next(&mut self) -> Picture {
        loop {
            if let Some(picture) = self.film.next() {
                return picture;
            }
            let packet = tokio::time::timeout(Duration::from_secs(15), self.packets.recv()).await;
            let packet = packet.expect("a packet in 15 s").expect("the track goes on");
            self.ssrc = packet.header.ssrc;
            self.film.put(packet);
        }
    }

    /// Says that it lost the thread.
    pub(crate) async fn ask_for_a_key_frame(&self) {
        let pli = PictureLossIndication { sender_ssrc: 0, media_ssrc: self.ssrc };
        self.peer.write_rtcp(&[Box::new(pli)]).await.unwrap();
    }

    pub(crate) fn connected(&self) -> bool {
        self.peer.connection_state() == RTCPeerConnectionState::Connected
    }
}

/// On the loopback alone, with one picture to receive.
async fn peer(line: &Arc<Line>) -> RTCPeerConnection {
    let mut media = MediaEngine::default();
    let again = format!("apt={H264}");
    for (number, mime_type, line) in [
        (H264, MIME_TYPE_H264, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"),
        (AGAIN, "video/rtx", again.as_str()),
    ] {
        let (mime_type, sdp_fmtp_line) = (mime_type.to_owned(), line.to_owned());
        let capability = RTCRtpCodecCapability { mime_type, clock_rate: 90_000, channels: 0, sdp_fmtp_line, rtcp_feedback: Vec::new() };
        let codec = RTCRtpCodecParameters { capability, payload_type: number, stats_id: String::new() };
        media.register_codec(codec, RTPCodecType::Video).unwrap();
    }
    let mut registry = Registry::new();
    // The line comes first: what it loses nobody behind it has seen.
    registry.add(Box::new(Loses(line.clone())));
    let registry = configure_rtcp_reports(configure_nack(registry, &mut media));
    let mut settings = SettingEngine::default();
    settings.set_include_loopback_candidate(true);
    settings.set_ip_filter(Box::new(|address| address.is_loopback()));
    settings.set_network_types(vec![NetworkType::Udp4]);
    let api = APIBuilder::new().with_media_engine(media).with_interceptor_registry(registry).with_setting_engine(settings).build();
    let peer = api.new_peer_connection(RTCConfiguration::default()).await.unwrap();
    let receive = RTCRtpTransceiverInit { direction: RTCRtpTransceiverDirection::Recvonly, send_encodings: Vec::new() };
    peer.add_transceiver_from_kind(RTPCodecType::Video, Some(receive)).await.unwrap();
    peer
}

/// Puts the line between the socket and the rest.
struct Loses(Arc<Line>);

impl InterceptorBuilder for Loses {
    fn build(&self, _: &str) -> Result<Arc<dyn Interceptor + Send + Sync>, Error> {
        Ok(Arc::new(Self(self.0.clone())))
    }
}

#[async_trait]
impl Interceptor for Loses {
    async fn bind_rtcp_reader(&self, reader: Arc<dyn RTCPReader + Send + Sync>) -> Arc<dyn RTCPReader + Send + Sync> {
        reader
    }

    async fn bind_rtcp_writer(&self, writer: Arc<dyn RTCPWriter + Send + Sync>) -> Arc<dyn RTCPWriter + Send + Sync> {
        writer
    }

    async fn bind_local_stream(&self, _: &StreamInfo, writer: Arc<dyn RTPWriter + Send + Sync>) -> Arc<dyn RTPWriter + Send + Sync> {
        writer
    }

    async fn unbind_local_stream(&self, _: &StreamInfo) {}

    async fn bind_remote_stream(&self, info: &StreamInfo, from: Arc<dyn RTPReader + Send + Sync>) -> Arc<dyn RTPReader + Send + Sync> {
        let line = self.0.clone();
        match &info.associated_stream {
            Some(of) => Arc::new(Again { from, line, ssrc: of.ssrc }),
            None => Arc::new(Lossy { from, line }),
        }
    }

    async fn unbind_remote_stream(&self, _: &StreamInfo) {}

    async fn close(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// The pictures' packets but those that are lost, and those that came again.
struct Lossy {
    from: Arc<dyn RTPReader + Send + Sync>,
    line: Arc<Line>,
}

#[async_trait]
impl RTPReader for Lossy {
    async fn read(&self, buffer: &mut [u8], attributes: &Attributes) -> Received {
        loop {
            if let Some(packet) = self.line.back.lock().unwrap().pop_front() {
                self.line.mended.fetch_add(1, SeqCst);
                return Ok((packet, attributes.clone()));
            }
            let received = self.from.read(buffer, attributes).await?;
            if self.line.count.fetch_add(1, SeqCst) % LOSS != LOSS - 1 {
                return Ok(received);
            }
            self.line.lost.fetch_add(1, SeqCst);
        }
    }
}

/// What is sent again comes in a stream of its own, each with its old number in front. webrtc-rs reads that stream and leaves it at that.
struct Again {
    from: Arc<dyn RTPReader + Send + Sync>,
    line: Arc<Line>,
    ssrc: u32,
}

#[async_trait]
impl RTPReader for Again {
    async fn read(&self, buffer: &mut [u8], attributes: &Attributes) -> Received {
        let received = self.from.read(buffer, attributes).await?;
        let mut packet = received.0.clone();
        if let [high, low, _, ..] = packet.payload[..] {
            packet.header.sequence_number = u16::from_be_bytes([high, low]);
            packet.header.payload_type = H264;
            packet.header.ssrc = self.ssrc;
            packet.payload = packet.payload.slice(2..);
            self.line.back.lock().unwrap().push_back(packet);
        }
        Ok(received)
    }
}
