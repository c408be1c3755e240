//! The status, from what the keeper, the lanes and the workers tell.

use super::{
    super::{
        feed::Lane,
        status::{CameraStatus, VisionState},
    },
    Engine,
};
use crate::keeper::Outlook;
use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

/// Weight of the last second in the pictures a second that are shown.
const FPS_WEIGHT: f32 = 0.3;

impl Engine {
    pub(super) fn pace(&mut self, passed: Duration) {
        for (lane, (count, fps)) in self.lanes.iter().zip(&mut self.paces) {
            let seen = lane.seen.load(Relaxed);
            let last = (seen - std::mem::replace(count, seen)) as f32 / passed.as_secs_f32();
            *fps += FPS_WEIGHT * (last - *fps);
        }
    }

    pub(super) fn tell(&self) {
        let state = match self.keeper.outlook() {
            Outlook::Ready if self.config.model.is_none() => VisionState::NoModel,
            Outlook::Ready if self.trouble.is_some() => VisionState::NoRuntime,
            Outlook::Ready => VisionState::Ok,
            _ if self.missing => VisionState::NoWorker,
            Outlook::Starting => VisionState::Starting,
            Outlook::Restarting => VisionState::Restarting,
            Outlook::Failing => VisionState::Failed,
        };
        let detail = match state {
            VisionState::Ok | VisionState::NoModel | VisionState::Starting => "",
            VisionState::NoRuntime => self.trouble.as_deref().unwrap_or_default(),
            VisionState::Restarting | VisionState::Failed | VisionState::NoWorker => &self.detail,
        };
        let camera = |(stream, (lane, pace)): (u32, (&Arc<Lane>, &(u64, f32)))| {
            let status = CameraStatus {
                fed: self.keeper.open_in(stream).is_some(),
                fps: (pace.1 * 10.0).round() / 10.0,
                undecodable: lane.undecodable.load(Relaxed),
                skipped: lane.skipped.load(Relaxed),
            };
            (lane.watched.camera.clone(), status)
        };
        let cameras = (0u32..).zip(self.lanes.iter().zip(&self.paces)).filter(|(_, (l, _))| l.watched.analyse).map(camera).collect();
        let quarantined = self.keeper.quarantined().filter_map(|s| self.lanes.get(s as usize)).map(|l| l.watched.camera.clone()).collect();
        self.board.update(|s| {
            (s.state, s.cameras, s.quarantined) = (state, cameras, quarantined);
            s.restarts = self.restarts;
            s.counts = self.meter.total.clone();
            detail.clone_into(&mut s.detail);
        });
    }
}
