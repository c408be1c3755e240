//! What of a camera somebody is shown live: the one place that every way of showing it asks.
//!
//! Belongs here: who sees what lies in a camera's masks, and who gets a rendition instead of what the camera sends. Does not belong here: how
//! pictures travel (`pump`, `hls`), how renditions are made.

use crate::{
    context::{Camera, Context},
    guard::Caller,
    problem::Problem,
};
use domain::{CameraId, Channel, Role};
use live::LiveStream;

/// What somebody is shown.
pub(crate) enum Sight<'a> {
    /// What the camera sends, as it comes.
    Plain(Channel, &'a LiveStream),
    /// A rendition of it.
    Rendition(Rendered),
}

/// Which rendition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Rendered {
    pub(crate) camera: CameraId,
    pub(crate) channel: Channel,
    /// What lies in the masks is black.
    pub(crate) covered: bool,
}

impl Caller {
    /// Whether this camera hides nothing from this user: what lies in masks is for the police alone.
    pub(crate) fn sees_all_of(&self, camera: &Camera) -> bool {
        !camera.masked || self.user.role == Role::Police
    }

    /// Refuses recordings of a camera that hides something from this user: they are as they came.
    pub(crate) fn must_see_all_of(&self, camera: &Camera) -> Result<(), Problem> {
        if self.sees_all_of(camera) { Ok(()) } else { Err(Problem::Masked) }
    }

    /// The same of a camera that may be configured no longer: nobody knows then which masks it had.
    pub(crate) fn must_see_all_of_id(&self, context: &Context, id: &CameraId) -> Result<(), Problem> {
        match context.cameras.iter().find(|camera| camera.id == *id) {
            Some(camera) => self.must_see_all_of(camera),
            None if self.user.role == Role::Police => Ok(()),
            None => Err(Problem::Masked),
        }
    }

    /// What this user is shown of a camera when he asks for a stream; `h264`: he can play nothing else.
    pub(crate) fn sight<'a>(&self, context: &Context, camera: &'a Camera, asked: Channel, h264: bool) -> Sight<'a> {
        if h264 {
            return self.sight_in_h264(context, camera, asked, &[]);
        }
        let (channel, stream) = sent(camera, asked);
        if self.sees_all_of(camera) { Sight::Plain(channel, stream) } else { rendition(camera, channel, true) }
    }

    /// The same of whoever plays H.264 alone. `others`: streams that were seen to be something else, whatever the board says of them yet.
    pub(crate) fn sight_in_h264<'a>(&self, context: &Context, camera: &'a Camera, asked: Channel, others: &[Channel]) -> Sight<'a> {
        let (channel, stream) = sent(camera, asked);
        if !self.sees_all_of(camera) {
            return rendition(camera, channel, true);
        }
        let plays = |channel| !others.contains(&channel) && plays(context, camera, channel);
        if plays(channel) {
            return Sight::Plain(channel, stream);
        }
        // The small picture is less to send, and to convert, than the large one.
        let (channel, stream) = sent(camera, Channel::Sub);
        if plays(channel) { Sight::Plain(channel, stream) } else { rendition(camera, channel, false) }
    }
}

fn rendition(camera: &Camera, channel: Channel, covered: bool) -> Sight<'_> {
    Sight::Rendition(Rendered { camera: camera.id.clone(), channel, covered })
}

/// The stream asked for, or main when the camera has no sub; says which.
fn sent(camera: &Camera, channel: Channel) -> (Channel, &LiveStream) {
    match (channel, &camera.sub) {
        (Channel::Sub, Some(sub)) => (Channel::Sub, sub),
        _ => (Channel::Main, &camera.main),
    }
}

/// Whether a stream comes in H.264. One that did not come yet may: nothing is converted before there is something.
fn plays(context: &Context, camera: &Camera, channel: Channel) -> bool {
    let codec = context.board.get(&camera.id, channel).and_then(|health| health.codec);
    codec.is_none_or(|codec| codec.starts_with("avc"))
}
