//! One camera on a live socket: where its pictures come from, decided each time a viewer sits down.
//!
//! Belongs here: what a socket knows of each of its cameras. Does not belong here: what is sent over it (`pump`), who is shown what
//! ([`crate::sight`]).

use crate::{
    app::App,
    context::Camera,
    guard::Caller,
    sight::{Rendered, Sight},
};
use domain::{CameraId, Channel, Link};
use live::LiveStream;

/// Where a camera's pictures come from.
pub(crate) enum Source {
    Sent(LiveStream),
    /// Made while somebody watches: asked for each time a viewer sits down, and each time it may be refused.
    Made(Rendered),
}

/// One camera on a socket.
pub(crate) struct Watch {
    pub(crate) camera: CameraId,
    pub(crate) channel: Channel,
    pub(crate) source: Source,
    /// For a viewer who plays H.264 alone: the stream he asked for. What he is shown of it is decided each time he sits down.
    h264: Option<Channel>,
    /// Streams that came in another format since he sat down.
    pub(crate) others: Vec<Channel>,
    /// Its place in a multiplexed socket.
    pub(crate) ch: Option<u8>,
    /// The place of its sound, where that was asked for.
    pub(crate) sound: Option<u8>,
    pub(crate) told: Option<Link>,
    /// Whether its link is told.
    pub(crate) states: bool,
}

impl Watch {
    pub(crate) fn new(camera: CameraId, channel: Channel, stream: LiveStream, ch: Option<u8>) -> Self {
        let source = Source::Sent(stream);
        Self { camera, channel, source, h264: None, others: Vec::new(), ch, sound: None, told: None, states: true }
    }

    /// What somebody is shown of a camera.
    pub(crate) fn of(camera: CameraId, sight: Sight<'_>, ch: Option<u8>) -> Self {
        let (channel, source) = source(sight);
        Self { camera, channel, source, h264: None, others: Vec::new(), ch, sound: None, told: None, states: true }
    }

    /// The same for whoever plays H.264 alone and asked for this stream.
    pub(crate) fn in_h264(self, asked: Channel) -> Self {
        Self { h264: Some(asked), ..self }
    }

    /// The same with its sound, in that place. `None`: there is none to be heard. What is made of a camera's stream has a time of its own,
    /// on which no sound lies: it comes without.
    pub(crate) fn with_sound(self, ch: u8) -> Option<Self> {
        match &self.source {
            Source::Sent(stream) => stream.sound_allowed().then_some(Self { sound: Some(ch), ..self }),
            Source::Made(_) => Some(self),
        }
    }

    /// Whether it is a rendition, and whether a covered one.
    pub(crate) fn made(&self) -> Option<bool> {
        match &self.source {
            Source::Sent(_) => None,
            Source::Made(of) => Some(of.covered),
        }
    }

    /// Whether it shows what masks would cover, if there are any.
    pub(crate) fn uncovered(&self) -> bool {
        self.made() != Some(true)
    }

    /// Looks again at what there is of the camera: it may have come, or changed, since the socket opened.
    pub(crate) fn decide(&mut self, app: &App, caller: &Caller) {
        let (Some(asked), Some(camera)) = (self.h264, camera(app, &self.camera)) else { return };
        (self.channel, self.source) = source(caller.sight_in_h264(&app.context, camera, asked, &self.others));
    }

    /// Whether these are the parameters of something that this viewer cannot play.
    pub(crate) fn foreign(&self, said: &live::Message) -> bool {
        let live::Message::Format(info) = said else { return false };
        self.h264.is_some() && matches!(self.source, Source::Sent(_)) && !info.codecs.starts_with("avc")
    }

    /// Of what is no camera on the board no state is told.
    pub(crate) fn without_state(self) -> Self {
        Self { states: false, ..self }
    }
}

fn source(sight: Sight<'_>) -> (Channel, Source) {
    match sight {
        Sight::Plain(channel, stream) => (channel, Source::Sent(stream.clone())),
        Sight::Rendition(of) => (of.channel, Source::Made(of)),
    }
}

pub(crate) fn camera<'a>(app: &'a App, id: &CameraId) -> Option<&'a Camera> {
    app.context.cameras.iter().find(|camera| camera.id == *id)
}
