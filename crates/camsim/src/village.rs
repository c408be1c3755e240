//! All cameras of the server, the encoders they share, and the switches thrown at run time.
//!
//! RTSP itself is in `server`, the words of the switches in `control`.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use crate::audio::AudioEncoder;
use crate::camera::{Camera, Feed, FeedParts};
use crate::control::Switch;
use crate::encoder::Encoder;
use crate::faults::Faults;
use crate::spec::{Audio, CameraSpec, Profile, Size};
use crate::timeline::Timeline;
use crate::truth::Truth;

/// Every camera of this server.
pub(crate) struct Village {
    cameras: Vec<Arc<Camera>>,
    encoders: Mutex<HashMap<Profile, Weak<Encoder>>>,
    audio: HashMap<Audio, AudioEncoder>,
    timeline: Timeline,
}

impl Village {
    /// Starts every encoder the cameras need.
    pub(crate) fn build(specs: &[CameraSpec], truth: Option<Truth>, seed: u64) -> Result<Self> {
        let mut village = Self { cameras: Vec::new(), encoders: Mutex::default(), audio: HashMap::new(), timeline: Timeline::start() };
        let truth = truth.map(Arc::new);
        for (i, spec) in specs.iter().enumerate() {
            let camera = village.camera(spec, i, specs.len(), truth.as_ref(), seed)?;
            village.cameras.push(Arc::new(camera));
        }
        Ok(village)
    }

    /// When the pictures' time began, Unix seconds.
    pub(crate) fn begun(&self) -> f64 {
        (crate::timeline::unix_ns() as f64 / 1e9 - self.timeline.now().as_secs_f64()).max(0.0)
    }

    fn camera(&mut self, spec: &CameraSpec, index: usize, of: usize, truth: Option<&Arc<Truth>>, seed: u64) -> Result<Camera> {
        let faults = Arc::new(Faults::new(seed.wrapping_add(index as u64)));
        let mut feeds = Vec::new();
        for (stream, profile) in [("main", Some(&spec.main)), ("sub", spec.sub.as_ref())] {
            let Some(profile) = profile else { continue };
            let encoder = self.encoder(profile).with_context(|| format!("camera {} {stream}", spec.id))?;
            // Evenly over four fifths of a picture's time: the last one is done before the next picture comes.
            let even = Duration::from_secs(1) / profile.fps * 4 / 5 * u32::try_from(index)? / u32::try_from(of)?;
            let phase = spec.phase.map_or(even, Duration::from_millis);
            let parts = FeedParts {
                camera: &spec.id,
                stream,
                phase,
                join: spec.join,
                faults: faults.clone(),
                truth: truth.cloned(),
                timeline: self.timeline.clone(),
                encoder: encoder.clone(),
            };
            let feed = Arc::new(Feed::new(parts));
            encoder.attach(&feed);
            if let Some(audio) = spec.audio {
                self.listen(audio, &feed)?;
            }
            feeds.push(feed);
        }
        Ok(Camera::new(&spec.id, spec.login.clone(), spec.audio, faults, feeds))
    }

    /// The encoder of a profile: the running one, or a new one.
    fn encoder(&self, profile: &Profile) -> Result<Arc<Encoder>> {
        let mut encoders = self.encoders.lock().unwrap_or_else(PoisonError::into_inner);
        encoders.retain(|_, e| e.strong_count() > 0);
        if let Some(running) = encoders.get(profile).and_then(Weak::upgrade) {
            return Ok(running);
        }
        let encoder = Arc::new(Encoder::start(profile, &self.timeline)?);
        encoders.insert(profile.clone(), Arc::downgrade(&encoder));
        Ok(encoder)
    }

    fn listen(&mut self, audio: Audio, feed: &Arc<Feed>) -> Result<()> {
        if !self.audio.contains_key(&audio) {
            self.audio.insert(audio, AudioEncoder::start(audio, &self.timeline)?);
        }
        if let Some(encoder) = self.audio.get(&audio) {
            encoder.attach(feed);
        }
        Ok(())
    }

    /// All cameras, in the order given.
    pub(crate) fn cameras(&self) -> &[Arc<Camera>] {
        &self.cameras
    }

    /// The server's clock.
    pub(crate) fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// The camera of this id.
    pub(crate) fn find(&self, id: &str) -> Option<&Arc<Camera>> {
        self.cameras.iter().find(|c| c.id == id)
    }

    /// Throws a switch; what was done, in words.
    pub(crate) fn throw(&self, switch: &Switch) -> Result<String> {
        let camera = self.find(switch.camera()).ok_or_else(|| anyhow!("no camera `{}` here", switch.camera()))?;
        let faults = &camera.faults;
        Ok(match switch {
            Switch::Drop(id) => {
                faults.down.store(true, Ordering::Relaxed);
                format!("{id} is down, {} connections closed", camera.kick())
            }
            Switch::Up(id) => {
                faults.down.store(false, Ordering::Relaxed);
                format!("{id} is up")
            }
            Switch::Kick(id) => format!("{id}: {} connections closed", camera.kick()),
            Switch::Freeze(id, Some(time)) => {
                faults.freeze(Some(self.timeline.now() + *time));
                format!("{id} is frozen for {} s", time.as_secs_f64())
            }
            Switch::Freeze(id, None) => {
                faults.freeze(None);
                format!("{id} is frozen")
            }
            Switch::Thaw(id) => {
                faults.thaw();
                format!("{id} goes on")
            }
            Switch::Corrupt(id, probability) => {
                faults.corrupt(*probability);
                format!("{id} damages packets with probability {probability}")
            }
            Switch::Lose(id, probability) => {
                faults.lose(*probability);
                format!("{id} loses packets with probability {probability}")
            }
            Switch::Swell(id, bytes) => {
                faults.swell(*bytes);
                format!("the next access unit of {id} has {bytes} bytes of filler")
            }
            Switch::Key(id) => {
                camera.feeds.iter().for_each(|feed| feed.encoder().force_key());
                format!("{id} makes a key frame")
            }
            Switch::Resize(id, stream, size) => {
                let closed = self.resize(camera, stream, *size)?;
                format!("{id}/{stream} is {size} now, {closed} connections closed")
            }
            Switch::Refuse(id, code) => {
                faults.refuse.store(*code, Ordering::Relaxed);
                if *code == 0 { format!("{id} refuses nothing") } else { format!("{id} refuses with {code}") }
            }
        })
    }

    fn resize(&self, camera: &Camera, stream: &str, size: Size) -> Result<usize> {
        let feed = camera.feeds.iter().find(|f| f.stream == stream).ok_or_else(|| anyhow!("{} has no {stream} stream", camera.id))?;
        let before = feed.encoder();
        let after = self.encoder(&Profile { size, ..before.profile().clone() })?;
        if !Arc::ptr_eq(&before, &after) {
            before.detach(feed);
            feed.switch(after.clone());
        }
        let closed = camera.kick();
        if !Arc::ptr_eq(&before, &after) {
            after.attach(feed);
        }
        Ok(closed)
    }
}
