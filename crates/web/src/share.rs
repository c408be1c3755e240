//! Each person's part of the renditions: one must not take all there may be.
//!
//! Belongs here: who has how many. Does not belong here: how many are made in all (`matthon`), which somebody is shown ([`crate::sight`]).

use crate::{app::App, guard::Caller, rendition::NoRendition, sight::Rendered};
use domain::{Clock, MonoTime};
use live::LiveStream;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// So long after the last look it still counts: as long as it is still made, or a player of playlists asks for the next one.
const LINGER: Duration = Duration::from_secs(6);

/// Who is shown what. As many entries as people have parts.
#[derive(Clone, Default)]
pub(crate) struct Shares(Arc<Mutex<HashMap<(i64, Rendered), Held>>>);

#[derive(Default)]
struct Held {
    /// By how many sockets.
    looks: usize,
    /// When one of them ended last.
    left: MonoTime,
}

/// A rendition's pictures for one who looks, and his part.
pub(crate) struct Shown {
    pub(crate) stream: LiveStream,
    pub(crate) share: Share,
}

impl Rendered {
    /// Its pictures, for somebody who begins to watch.
    ///
    /// # Errors
    /// When no more are made at a time, for him or at all.
    pub(crate) fn begin(&self, app: &App, caller: &Caller) -> Result<Shown, NoRendition> {
        let renditions = &app.context.renditions;
        let most = (renditions.room() / 2).max(1);
        let mut share = app.shares.take(caller.user.id, self, most, &app.context.clock).ok_or(NoRendition::Yours(most))?;
        let stream = renditions.begin(&self.camera, self.channel, self.covered)?;
        share.looked = true;
        Ok(Shown { stream, share })
    }

    /// Its pictures, for somebody who watches already.
    pub(crate) fn there(&self, app: &App) -> Option<LiveStream> {
        app.context.renditions.there(&self.camera, self.channel, self.covered)
    }
}

impl Shares {
    // Nothing under the lock can panic half way.
    fn lock(&self) -> MutexGuard<'_, HashMap<(i64, Rendered), Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A look at one of them; `None`: this person has so many others.
    fn take(&self, user: i64, of: &Rendered, most: usize, clock: &Arc<dyn Clock>) -> Option<Share> {
        let (now, key) = (clock.mono(), (user, of.clone()));
        let mut all = self.lock();
        all.retain(|_, held| held.looks > 0 || now.since(held.left) <= LINGER);
        if !all.contains_key(&key) && all.keys().filter(|(whose, _)| *whose == user).count() >= most {
            return None;
        }
        let fresh = !all.contains_key(&key);
        all.entry(key.clone()).or_default().looks += 1;
        Some(Share { all: self.clone(), key, clock: clock.clone(), looked: !fresh })
    }
}

/// One look. When it is dropped the part counts for a while yet.
pub(crate) struct Share {
    all: Shares,
    key: (i64, Rendered),
    clock: Arc<dyn Clock>,
    /// Something was shown: what could not be had is nobody's part.
    looked: bool,
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut all = self.all.lock();
        let Some(held) = all.get_mut(&self.key) else { return };
        held.looks = held.looks.saturating_sub(1);
        held.left = self.clock.mono();
        if held.looks == 0 && !self.looked {
            all.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Channel, SimClock, WallTime};

    fn of(camera: &str) -> Rendered {
        Rendered { camera: camera.parse().unwrap(), channel: Channel::Sub, covered: false }
    }

    #[test]
    fn each_has_so_many_different_ones_at_a_time_and_a_while_after() {
        let sim = Arc::new(SimClock::at(WallTime(0)));
        let clock: Arc<dyn Clock> = sim.clone();
        let shares = Shares::default();
        let take = |user, camera| {
            let mut share = shares.take(user, &of(camera), 2, &clock)?;
            share.looked = true;
            Some(share)
        };
        let (gate, market) = (take(1, "cong").unwrap(), take(1, "cho").unwrap());
        assert!(take(1, "truong").is_none());
        let again = take(1, "cong").expect("twice the same is one");
        let other = take(2, "truong").expect("another person has his own");
        drop((gate, market));
        sim.advance(LINGER);
        assert!(take(1, "truong").is_none(), "it may still be made");
        sim.advance(Duration::from_secs(1));
        let school = take(1, "truong").expect("one place is free");
        assert!(take(1, "cho").is_none());
        drop((again, other, school));
        sim.advance(LINGER + Duration::from_secs(1));
        assert!(take(3, "cho").is_some());
        assert_eq!(shares.lock().len(), 1, "nothing is kept of those who left");
    }

    #[test]
    fn what_could_not_be_had_is_nobodys_part() {
        let clock: Arc<dyn Clock> = Arc::new(SimClock::at(WallTime(0)));
        let shares = Shares::default();
        for camera in ["cong", "cho", "truong"] {
            drop(shares.take(1, &of(camera), 2, &clock).unwrap());
        }
        assert!(shares.lock().is_empty());
    }
}
