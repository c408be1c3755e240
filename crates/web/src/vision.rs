//! How detection is, as one user may know it: the state, what he should look after, and each of his cameras.
//!
//! Belongs here: reading and cutting to size what `vision` tells. Does not belong here: the texts (the page has them).

use crate::guard::Caller;
use domain::CameraId;
use serde_json::Value;

/// What `vision` tells, asked once for a request.
pub(crate) struct Seeing(Value);

impl Seeing {
    pub(crate) fn new(told: Value) -> Self {
        Self(told)
    }

    /// `ok`, `no-model`, …
    pub(crate) fn state(&self) -> &str {
        self.0["state"].as_str().unwrap_or("unknown")
    }

    pub(crate) fn detail(&self) -> &str {
        self.0["detail"].as_str().unwrap_or_default()
    }

    /// Cameras whose pictures are tried apart.
    pub(crate) fn quarantined(&self) -> impl Iterator<Item = CameraId> {
        self.0["quarantined"].as_array().into_iter().flatten().filter_map(|id| CameraId::new(id.as_str()?).ok())
    }

    /// Whether a camera is looked at: `on`, `quarantine`, `no-rules`, or `off` for all of them.
    pub(crate) fn of(&self, camera: &CameraId) -> &'static str {
        if self.quarantined().any(|id| id == *camera) {
            "quarantine"
        } else if self.state() != "ok" {
            "off"
        } else if self.0["cameras"].get(camera.as_str()).is_some() {
            "on"
        } else {
            "no-rules"
        }
    }

    /// The whole of it, without the cameras that are not this user's.
    pub(crate) fn cut_for(mut self, caller: &Caller) -> Value {
        let mine = |id: &str| CameraId::new(id).is_ok_and(|id| caller.may_see(&id));
        if let Some(list) = self.0["quarantined"].as_array_mut() {
            list.retain(|id| id.as_str().is_some_and(mine));
        }
        if let Some(map) = self.0["cameras"].as_object_mut() {
            map.retain(|id, _| mine(id));
        }
        if caller.user.cameras.is_some() && !self.0["detail"].is_null() {
            // A sentence for technicians, which may name any camera.
            self.0["detail"] = Value::from("");
        }
        self.0
    }
}
