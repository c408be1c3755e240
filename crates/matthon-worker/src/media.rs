//! The media library: started, and all of it that will be needed loaded, while files can still be opened.
//!
//! Belongs here: which plug-ins there must be. Does not belong here: what is done with them.

use gstreamer as gst;
use gstreamer::prelude::*;

/// Elements without which there is no worker, and the Debian package that holds each.
const NEEDED: &[(&str, &str)] = &[("avdec_h264", "gstreamer1.0-libav"), ("avdec_h265", "gstreamer1.0-libav")];

/// Elements that only some files need: without them those files are refused by name.
const WANTED: &[&str] = &[
    "h264parse",
    "h265parse",
    "qtdemux",
    "matroskademux",
    "tsdemux",
    "avidemux",
    "mpegvideoparse",
    "avdec_mpeg4",
    "avdec_mpeg2video",
    "avdec_vp8",
    "avdec_vp9",
    "avdec_mjpeg",
    "capsfilter",
];

/// Without these no viewing copy, wall or rendition is made; whoever asks for one is told.
const ENCODERS: &[(&str, &str)] = &[("x264enc", "gstreamer1.0-plugins-ugly")];

/// Starts the library and makes one element of each kind, which loads its plug-in and what that links.
///
/// # Errors
/// When the library does not start, or an element that must be there is not: says which package to install.
pub fn load() -> anyhow::Result<()> {
    // A second process for scanning plug-ins would be one more that has to be ended; the registry is the core's cache.
    gst::init().map_err(|e| anyhow::anyhow!("GStreamer does not start: {e}"))?;
    for (name, package) in NEEDED {
        touch(name).map_err(|e| anyhow::anyhow!("the decoder {name} is missing ({e}): install the package {package}"))?;
    }
    for name in WANTED {
        if touch(name).is_err() {
            crate::say(format_args!("{name} is not installed: some video files cannot be replayed"));
        }
    }
    for (name, package) in ENCODERS {
        if touch(name).is_err() {
            crate::say(format_args!(
                "{name} is not installed: packages get no viewing copy, nothing is shown on TVs, and nothing is converted for browsers; install the package {package}"
            ));
        }
    }
    Ok(())
}

fn touch(name: &str) -> Result<(), gst::glib::BoolError> {
    let element = gst::ElementFactory::make(name).build()?;
    // Some plug-ins do the rest of their loading only on the way to READY.
    let ready = element.set_state(gst::State::Ready);
    let _ = element.set_state(gst::State::Null);
    ready.map(|_| ()).map_err(|_| gst::glib::bool_error!("it does not become ready"))
}
