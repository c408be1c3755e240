//! The pictures that were looked at last, kept so that an observation can be shown at once.
//!
//! Belongs here: two small pictures a stream. Does not belong here: JPEG (see [`crate::jpeg`]) or who asks (see [`crate::still`]).

use detect::Picture;
use domain::WallTime;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

/// Pictures kept a stream: the one that is being told, and the one before it.
const KEPT: usize = 2;

/// Pictures of one stream with their capture times.
type Kept = VecDeque<(WallTime, Arc<Picture>)>;

/// Pictures of all streams.
#[derive(Debug, Default)]
pub struct Recent {
    streams: Mutex<BTreeMap<u32, Kept>>,
}

impl Recent {
    /// Keeps a picture, and lets the oldest of its stream go.
    pub fn keep(&self, stream: u32, capture: WallTime, picture: Arc<Picture>) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = streams.entry(stream).or_default();
        kept.push_back((capture, picture));
        while kept.len() > KEPT {
            kept.pop_front();
        }
    }

    /// The picture of that capture time, if it is still here.
    #[must_use]
    pub fn get(&self, stream: u32, capture: WallTime) -> Option<Arc<Picture>> {
        let streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        streams.get(&stream)?.iter().find(|(at, _)| *at == capture).map(|(_, picture)| picture.clone())
    }

    /// Lets a stream's pictures go.
    pub fn forget(&self, stream: u32) {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner).remove(&stream);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_pictures_a_stream_are_kept() {
        let recent = Recent::default();
        let picture = |n| Arc::new(Picture { width: 2, height: 2, data: vec![n; 6] });
        for n in 0..4 {
            recent.keep(1, WallTime(i64::from(n)), picture(n));
        }
        recent.keep(2, WallTime(9), picture(9));
        assert_eq!(recent.get(1, WallTime(1)), None);
        assert_eq!(recent.get(1, WallTime(2)), Some(picture(2)));
        assert_eq!(recent.get(1, WallTime(3)), Some(picture(3)));
        recent.forget(1);
        assert_eq!(recent.get(1, WallTime(3)), None);
        assert_eq!(recent.get(2, WallTime(9)), Some(picture(9)));
    }
}
