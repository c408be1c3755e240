//! What follows from a picture: tracks, rules, a line in the ring, violations on their way to the cases, and lines for searching.
//!
//! Runs on vision's thread; nothing here waits for a disk or a network, except when a thousand violations wait already.

use super::gallery::Desk;
use analytics::{Analytics, Event, Gallery};
use domain::{CameraId, Observation, Violation, ViolationEnd};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, mpsc::SyncSender},
};

/// Something a rule said.
pub(crate) enum Happened {
    /// A rule is sure.
    Raised(CameraId, Box<Violation>),
    /// It is over.
    Ended(CameraId, ViolationEnd),
}

/// Everything known about every camera's picture.
pub(crate) struct Eyes {
    cameras: BTreeMap<CameraId, Mutex<Camera>>,
    happened: SyncSender<Happened>,
    desk: Desk,
    moving: Arc<web::Moving>,
}

/// One camera's.
pub(crate) struct Camera {
    pub(crate) analytics: Analytics,
    pub(crate) gallery: Gallery,
    /// `None`: no stream of this camera is recorded.
    pub(crate) diary: Option<(ring::Recorder, vision::Diary)>,
}

impl Eyes {
    pub(crate) fn new(cameras: BTreeMap<CameraId, Camera>, happened: SyncSender<Happened>, desk: Desk, moving: Arc<web::Moving>) -> Self {
        Self { cameras: cameras.into_iter().map(|(id, c)| (id, Mutex::new(c))).collect(), happened, desk, moving }
    }
}

impl vision::Eyes for Eyes {
    fn seen(&self, camera: &CameraId, observation: Observation) -> bool {
        let Some(eye) = self.cameras.get(camera) else { return false };
        self.moving.seen(camera, observation.motion);
        let mut eye = eye.lock().unwrap_or_else(PoisonError::into_inner);
        let events = eye.analytics.observe(&observation);
        let tracks = eye.analytics.tracks();
        if let Some((recorder, diary)) = &mut eye.diary {
            recorder.push(&diary.sample(&observation, &tracks));
        }
        let lines = eye.gallery.observe(&observation, &tracks);
        // What nobody can look at is not searched for either.
        if eye.diary.is_some() {
            self.desk.hand_in(camera, lines);
        }
        for event in events {
            let happened = match event {
                Event::Raised(violation) => Happened::Raised(camera.clone(), Box::new(violation)),
                Event::Ended(end) => Happened::Ended(camera.clone(), end),
            };
            // The other end is gone only when the core stops.
            let _ = self.happened.send(happened);
        }
        eye.analytics.wants_pictures()
    }
}

impl Drop for Eyes {
    /// What still stands there at the end is told as it is.
    fn drop(&mut self) {
        for (camera, eye) in &mut self.cameras {
            let eye = eye.get_mut().unwrap_or_else(PoisonError::into_inner);
            let lines = eye.gallery.finish();
            if eye.diary.is_some() {
                self.desk.hand_in(camera, lines);
            }
        }
    }
}
