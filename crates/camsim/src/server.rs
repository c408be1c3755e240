//! RTSP: mounts, logins and refusals of all cameras on one port.
//!
//! Each client gets a pipeline of its own (`appsrc ! payloader`), so that its stream begins with a random access point whatever the
//! others do; what flows into it is `camera`'s business.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Context, Result, anyhow, bail};
use gst::glib;
use gstreamer as gst;
use gstreamer_app as gst_app;
use gstreamer_rtsp::{RTSPAuthMethod, RTSPStatusCode};
use gstreamer_rtsp_server as rtsp;
use rtsp::prelude::*;

use crate::camera::{Camera, Feed};
use crate::faults;
use crate::spec::{Audio, Codec};
use crate::timeline::Timeline;
use crate::village::Village;

/// What a client without a login is.
const ANYONE: &str = "anyone";

/// Listens on `address` and returns the address really bound. Serving needs the main loop to run.
pub(crate) fn listen(village: &Arc<Village>, address: SocketAddr) -> Result<(rtsp::RTSPServer, SocketAddr)> {
    let server = rtsp::RTSPServer::new();
    server.set_address(&address.ip().to_string());
    server.set_service(&address.port().to_string());
    server.set_backlog(256); // a recorder that starts connects to everything at once
    // A DESCRIBE waits for a key frame: one client's must not hold another's up.
    server.thread_pool().context("no thread pool")?.set_max_threads(-1);

    let mounts = server.mount_points().context("no mount points")?;
    for camera in village.cameras() {
        for feed in &camera.feeds {
            mounts.add_factory(&format!("/{}", feed.name), factory(village, camera, feed));
        }
    }
    if village.cameras().iter().any(|c| c.login.is_some()) {
        server.set_auth(Some(&logins(village)));
    }
    let met = village.clone();
    server.connect_client_connected(move |_, client| greet(&met, client));

    if server.attach(None).is_err() {
        // GStreamer does not say why; asking again does.
        let why = TcpListener::bind(address).err().map_or_else(|| "it was busy a moment ago".into(), |e| e.to_string());
        bail!("cannot listen on {address}: {why}; choose another with --listen (port 0 takes a free one)");
    }
    let port = u16::try_from(server.bound_port()).context("no port was bound")?;
    Ok((server, SocketAddr::new(address.ip(), port)))
}

/// Which camera a request is for, by the first part of its path.
fn asked<'a>(village: &'a Village, context: &rtsp::RTSPContext) -> Option<&'a Arc<Camera>> {
    let path = context.uri()?.decode_path_components();
    village.find(path.iter().find(|part| !part.is_empty())?)
}

/// Obeys `drop` and `refuse`, and remembers who asked for which camera.
fn greet(village: &Arc<Village>, client: &rtsp::RTSPClient) {
    let judge = |village: Arc<Village>| {
        move |client: &rtsp::RTSPClient, context: &rtsp::RTSPContext| {
            let Some(camera) = asked(&village, context) else { return RTSPStatusCode::Ok };
            camera.met(client);
            if camera.faults.down.load(Ordering::Relaxed) {
                let gone = client.downgrade();
                // Not from inside the request: the connection is still in use here.
                glib::MainContext::default().invoke(move || {
                    if let Some(client) = gone.upgrade() {
                        client.close();
                    }
                });
                return RTSPStatusCode::ServiceUnavailable;
            }
            match camera.faults.refuse.load(Ordering::Relaxed) {
                0 => RTSPStatusCode::Ok,
                code => status(code),
            }
        }
    };
    client.connect_pre_describe_request(judge(village.clone()));
    client.connect_pre_setup_request(judge(village.clone()));
    client.connect_pre_play_request(judge(village.clone()));
}

fn status(code: u16) -> RTSPStatusCode {
    match code {
        400 => RTSPStatusCode::BadRequest,
        401 => RTSPStatusCode::Unauthorized,
        403 => RTSPStatusCode::Forbidden,
        404 => RTSPStatusCode::NotFound,
        453 => RTSPStatusCode::NotEnoughBandwidth,
        454 => RTSPStatusCode::SessionNotFound,
        461 => RTSPStatusCode::UnsupportedTransport,
        500 => RTSPStatusCode::InternalServerError,
        503 => RTSPStatusCode::ServiceUnavailable,
        other => RTSPStatusCode::__Unknown(i32::from(other)),
    }
}

/// Digest logins: each user is a role, each camera lets its own user in.
fn logins(village: &Village) -> rtsp::RTSPAuth {
    let auth = rtsp::RTSPAuth::new();
    auth.set_supported_methods(RTSPAuthMethod::Digest);
    auth.set_realm(Some("camsim"));
    let token = |role: &str| rtsp::RTSPToken::builder().field("media.factory.role", role).build();
    auth.set_default_token(Some(&mut token(ANYONE)));
    for login in village.cameras().iter().filter_map(|c| c.login.as_ref()) {
        auth.add_digest(&login.user, &login.password, &token(&role(&login.user)));
    }
    auth
}

fn role(user: &str) -> String {
    // A role names a GStreamer structure, which allows few characters: hexadecimal allows every user.
    user.bytes().fold("user-".into(), |name, byte| format!("{name}{byte:02x}"))
}

fn factory(village: &Village, camera: &Arc<Camera>, feed: &Arc<Feed>) -> rtsp::RTSPMediaFactory {
    let factory = rtsp::RTSPMediaFactory::new();
    factory.set_launch(&launch(feed.codec(), camera.audio));
    factory.set_shared(false);
    let entry = camera.login.as_ref().map_or_else(|| ANYONE.to_owned(), |l| role(&l.user));
    let users = village.cameras().iter().filter_map(|c| c.login.as_ref()).map(|l| role(&l.user));
    for role in users.chain([ANYONE.to_owned()]) {
        // Who may not construct is answered 401, who may not even see is answered 404: a camera says 401.
        let may = role == entry || entry == ANYONE;
        let rights = gst::Structure::builder(&role).field("media.factory.access", true).field("media.factory.construct", may).build();
        factory.add_role_from_structure(&rights);
    }
    let (camera, feed, timeline) = (camera.clone(), feed.clone(), village.timeline().clone());
    factory.connect_media_configure(move |_, media| {
        if let Err(error) = configure(media, &camera, &feed, &timeline) {
            eprintln!("camsim: {}: {error:#}", feed.name);
        }
    });
    factory
}

fn launch(codec: Codec, audio: Option<Audio>) -> String {
    let (caps, pay) = match codec {
        Codec::H264 => ("video/x-h264", "rtph264pay"),
        Codec::H265 => ("video/x-h265", "rtph265pay"),
    };
    // Parameter sets travel in front of each key frame as the encoder wrote them: config-interval stays 0.
    let video = format!(
        "appsrc name=video is-live=true format=time caps={caps},stream-format=byte-stream,alignment=au ! \
         {pay} name=pay0 pt=96 config-interval=0"
    );
    let sound = match audio {
        None => "",
        Some(Audio::Aac) => "rtpmp4gpay name=pay1 pt=97",
        Some(Audio::Pcma) => "rtppcmapay name=pay1 pt=8",
        Some(Audio::Pcmu) => "rtppcmupay name=pay1 pt=0",
    };
    if sound.is_empty() { format!("( {video} )") } else { format!("( {video} appsrc name=audio is-live=true format=time ! {sound} )") }
}

/// Makes a new client's pipeline a session of `feed`.
fn configure(media: &rtsp::RTSPMedia, camera: &Arc<Camera>, feed: &Arc<Feed>, timeline: &Timeline) -> Result<()> {
    let bin = media.element().downcast::<gst::Bin>().map_err(|_| anyhow!("the media is no bin"))?;
    let source = |name: &str| bin.by_name(name).and_then(|e| e.downcast::<gst_app::AppSrc>().ok());
    let pipeline = bin.parent().and_then(|p| p.downcast::<gst::Pipeline>().ok()).context("the media has no pipeline")?;
    timeline.rule(&pipeline);
    // Access units leave when they come: their presentation time may be later (B-frames), a camera does not wait for it.
    media.set_rate_control(false);
    for pay in ["pay0", "pay1"] {
        if let Some(pad) = bin.by_name(pay).and_then(|e| e.static_pad("src")) {
            faults::watch(&pad, camera.faults.clone());
        }
    }
    let id = feed.open(source("video").context("no video source")?, source("audio"));
    let (player, closer, silent, clock) = (feed.clone(), feed.clone(), camera.clone(), timeline.clone());
    media.connect_new_state(move |_, state| player.play(id, state == i32::from(PLAYING)));
    media.connect_unprepared(move |_| closer.close(id));
    media.connect_prepared(move |_| silence_rtcp(&pipeline, &silent, &clock));
    Ok(())
}

/// `GST_STATE_PLAYING` as the signal has it.
const PLAYING: u8 = 4;

/// While a camera is frozen, its RTCP is silent as well.
fn silence_rtcp(pipeline: &gst::Pipeline, camera: &Arc<Camera>, timeline: &Timeline) {
    let bins = pipeline.iterate_elements().into_iter().flatten();
    for rtpbin in bins.filter(|e| e.factory().is_some_and(|f| f.name() == "rtpbin")) {
        for pad in rtpbin.src_pads().into_iter().filter(|p| p.name().starts_with("send_rtcp_src")) {
            let (camera, timeline) = (camera.clone(), timeline.clone());
            pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
                if camera.faults.frozen(timeline.now()) { gst::PadProbeReturn::Drop } else { gst::PadProbeReturn::Ok }
            });
        }
    }
}
