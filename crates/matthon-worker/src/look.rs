//! From a small picture to a told observation: the wiring of `detect`.
//!
//! Belongs here: what goes with a picture into the detectors' pool and what is done when it comes out.
//! Does not belong here: the choice of pictures (see [`crate::live`]), inference (`detect`).

use crate::{
    counts::Tally,
    note::Notes,
    recent::Recent,
    uplink::{Told, Uplink},
};
use detect::{DetectError, Detector, Done, Hooks, Runtime};
use domain::{Observation, WallTime};
use std::{
    fs::File,
    io,
    os::{fd::OwnedFd, unix::fs::FileExt},
    sync::Arc,
};
use vision::protocol::{DETECTORS_MAX, ModelSpec, Up, notes};

/// Largest model, bytes.
const MODEL_MAX: u64 = 1 << 30;

/// What comes back with a picture that was looked at.
#[derive(Debug)]
pub struct Tag {
    /// Capture time of the picture.
    pub capture: WallTime,
    /// Size before scaling, pixels.
    pub size: (u32, u32),
    /// What part of it moved.
    pub motion: f64,
    /// Where the observation goes.
    pub uplink: Arc<Uplink>,
}

/// The detectors' pool.
pub type Pool = detect::Pool<Tag>;

/// What the worker does around each inference.
#[derive(Debug)]
pub struct Around {
    /// Who works on what.
    pub notes: Notes,
    /// Pictures for stills.
    pub recent: Arc<Recent>,
    /// Counters.
    pub tally: Arc<Tally>,
}

impl Hooks<Tag> for Around {
    fn before(&self, _detector: usize, stream: u32) {
        self.notes.write(notes::detecting(stream), self.notes.next());
    }

    fn after(&self, _detector: usize, stream: u32) {
        self.notes.write(notes::detecting(stream), 0);
    }

    fn done(&self, done: Done<Tag>) {
        let Done { stream, tag, picture, result, .. } = done;
        let detections = match result {
            Ok(detections) => detections,
            // Not looked at: no observation. The pool counts it, the next picture may be fine.
            Err(e) => return crate::say(format_args!("stream {stream}: {e}")),
        };
        // Kept before it is told: who is told may ask for it at once.
        self.recent.keep(stream, tag.capture, picture);
        let (width, height) = tag.size;
        let seen = Up::Seen(Observation { capture: tag.capture, width, height, motion: tag.motion, detections });
        if tag.uplink.tell(&seen) == Told::Dropped {
            self.tally.untold();
        }
    }
}

/// Makes the detectors: one session each.
///
/// # Errors
/// One sentence with the fix.
pub fn detectors(runtime: &Result<Runtime, DetectError>, spec: &ModelSpec, model: OwnedFd, count: u32) -> Result<Vec<Detector>, String> {
    let runtime = runtime.as_ref().map_err(ToString::to_string)?;
    let bytes = read(model).map_err(|e| format!("model {}: its bytes cannot be read: {e}", spec.name))?;
    let count = (count as usize).clamp(1, DETECTORS_MAX);
    (0..count).map(|_| Detector::new(runtime, spec, &bytes).map_err(|e| e.to_string())).collect()
}

fn read(model: OwnedFd) -> io::Result<Vec<u8>> {
    let file = File::from(model);
    let len = file.metadata()?.len();
    if len > MODEL_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is larger than 1 GiB"));
    }
    let mut bytes = vec![0; usize::try_from(len).map_err(io::Error::other)?];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}
