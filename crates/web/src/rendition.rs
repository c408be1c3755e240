//! Renditions as the API sees them: what a camera sends, decoded by the box and encoded in H.264 while somebody watches.
//!
//! Belongs here: what may be asked of them. Does not belong here: how they are made (`matthon`), who gets one instead of what the camera sends
//! ([`crate::sight`]).

use domain::{CameraId, Channel};
use live::LiveStream;

/// Why there is no rendition now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRendition {
    /// So many are made already, and no more at a time.
    #[error("the box converts {0} pictures already, and no more at a time")]
    Full(usize),
    /// This person is shown his part of them already.
    #[error("you are shown {0} converted pictures already: the box makes few at a time, and others need some")]
    Yours(usize),
    /// There is none of this stream.
    #[error("this stream is not converted")]
    Never,
}

impl NoRendition {
    /// The stable name a program goes by.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Full(_) => "renditions-full",
            Self::Yours(_) => "renditions-yours",
            Self::Never => "no-rendition",
        }
    }
}

/// The renditions of a box, whoever watches.
pub trait Renditions: Send + Sync + 'static {
    /// How many are made at a time, all people together.
    fn room(&self) -> usize;

    /// The live pictures of one, for somebody who begins to watch now; `covered`: without what lies in the camera's masks. It is made until some
    /// seconds after the last has left.
    ///
    /// # Errors
    /// When it is not made and there is no room for one more.
    fn begin(&self, camera: &CameraId, channel: Channel, covered: bool) -> Result<LiveStream, NoRendition>;

    /// The same for somebody who began already: nothing is begun.
    fn there(&self, camera: &CameraId, channel: Channel, covered: bool) -> Option<LiveStream>;
}
