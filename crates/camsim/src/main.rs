//! `camsim`: simulated village cameras over RTSP.
//!
//! This file wires the parts and owns the exit status. The path of a picture: `source` (`scene`, or a file) →
//! `encoder` (one for all streams of equal profile) → `unit` → `camera` (number, `stamp`, `truth`, sessions) →
//! `server` (RTSP). `control` and `village` throw the switches, `faults` does the damage.

mod audio;
mod camera;
mod cli;
mod control;
mod encoder;
mod faults;
mod nal;
mod picture;
mod scene;
mod server;
mod source;
mod spec;
mod sps;
mod stamp;
mod studio;
mod timeline;
mod truth;
mod unit;
mod village;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use clap::Parser;
use gst::glib;
use gstreamer as gst;
use serde_json::json;

use crate::cli::{Cli, Command, Serve};
use crate::spec::{Audio, CameraSpec, Codec, SpecError};
use crate::village::Village;

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(serve) => return serve_cameras(&serve),
        Command::Render(render) => studio::render(&render),
        Command::Truth(truth) => studio::truth(&truth),
        Command::Dataset(dataset) => studio::dataset(&dataset),
    };
    ended(done)
}

fn ended(done: Result<()>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("camsim: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn serve_cameras(serve: &Serve) -> ExitCode {
    match cameras(serve) {
        Ok(cameras) => ended(run(serve, &cameras)),
        Err(error) => {
            eprintln!("camsim: {error}");
            ExitCode::from(2)
        }
    }
}

fn cameras(serve: &Serve) -> Result<Vec<CameraSpec>, SpecError> {
    let count = serve.cameras.unwrap_or(if serve.camera.is_empty() { 4 } else { 0 });
    let mut cameras = spec::village(count, &serve.each, serve.variants)?;
    for text in &serve.camera {
        cameras.push(spec::camera(text)?);
    }
    spec::together(&cameras)?;
    Ok(cameras)
}

fn run(serve: &Serve, cameras: &[CameraSpec]) -> Result<()> {
    gst::init().context("GStreamer does not start")?;
    elements(cameras)?;
    let truth = serve.sent.as_deref().map(truth::Truth::open).transpose()?;
    let village = Arc::new(Village::build(cameras, truth, serve.seed)?);
    let (_server, address) = server::listen(&village, serve.listen)?;

    let main_loop = glib::MainLoop::new(None, false);
    end_on_signal(&main_loop)?;
    let rtsp = format!("rtsp://{address}");
    let list: Vec<_> = village
        .cameras()
        .iter()
        .map(|camera| {
            let url = |stream: &str| camera.feeds.iter().find(|f| f.stream == stream).map(|f| format!("{rtsp}/{}", f.name));
            let source = cameras.iter().find(|c| c.id == camera.id).map(|c| &c.main.source);
            let story = source.and_then(story);
            json!({"id": camera.id, "main": url("main"), "sub": url("sub"), "story": story})
        })
        .collect();
    control::say(&json!({"ready": true, "rtsp": rtsp, "begun": village.begun(), "cameras": list}));

    let (ender, exit_on_eof) = (main_loop.clone(), serve.exit_on_eof);
    std::thread::Builder::new().name("stdin".into()).spawn(move || {
        control::listen(|command| match command {
            Err(error) => control::answer(&Err(error)),
            Ok(control::Command::Quit) => {
                control::answer(&Ok("goodbye".into()));
                ender.quit();
            }
            Ok(control::Command::Switch(switch)) => {
                control::answer(&village.throw(&switch).map_err(|error| format!("{error:#}")));
            }
        });
        if exit_on_eof {
            ender.quit();
        }
    })?;
    main_loop.run();
    Ok(())
}

/// What will happen before a camera that looks at a drawn street, in seconds of its round; None for other sources.
fn story(source: &spec::Source) -> Option<serde_json::Value> {
    let spec::Source::Street(scenario, seed) = source else { return None };
    let (scenario, street) = studio::street(scenario, *seed).ok()?;
    let violations: Vec<_> =
        street.intents().iter().map(|i| json!({"kind": i.kind, "actor": i.actor, "from": i.from, "to": i.to})).collect();
    Some(json!({"title": scenario.title, "title_vi": scenario.title_vi, "seconds": scenario.seconds, "violations": violations}))
}

/// SIGINT and SIGTERM end the main loop.
fn end_on_signal(main_loop: &glib::MainLoop) -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    let main_loop = main_loop.clone();
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        main_loop.quit();
    })?;
    Ok(())
}

/// Names what is missing before anything starts: GStreamer itself would answer a client with a bare 503.
fn elements(cameras: &[CameraSpec]) -> Result<()> {
    let mut needed = vec![("appsrc", "gstreamer1.0-plugins-base"), ("rtpbin", "gstreamer1.0-plugins-good")];
    for profile in cameras.iter().flat_map(|c| std::iter::once(&c.main).chain(c.sub.as_ref())) {
        needed.extend(match profile.codec {
            Codec::H264 => [("x264enc", "gstreamer1.0-plugins-ugly"), ("rtph264pay", "gstreamer1.0-plugins-good")],
            Codec::H265 => [("x265enc", "gstreamer1.0-plugins-bad"), ("rtph265pay", "gstreamer1.0-plugins-good")],
        });
        if matches!(profile.source, spec::Source::File(_)) {
            needed.extend([("videoconvertscale", "gstreamer1.0-plugins-base"), ("avdec_h264", "gstreamer1.0-libav")]);
        }
    }
    for audio in cameras.iter().filter_map(|c| c.audio) {
        needed.push(match audio {
            Audio::Aac => ("avenc_aac", "gstreamer1.0-libav"),
            Audio::Pcma => ("alawenc", "gstreamer1.0-plugins-good"),
            Audio::Pcmu => ("mulawenc", "gstreamer1.0-plugins-good"),
        });
    }
    for (element, package) in needed {
        if gst::ElementFactory::find(element).is_none() {
            bail!("GStreamer has no `{element}`: install {package} (apt install {package})");
        }
    }
    Ok(())
}
