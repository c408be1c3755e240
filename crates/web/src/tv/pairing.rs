//! Screens that wait to be paired. In memory: what is not paired within minutes shows another code.
//!
//! Belongs here: codes, their end, how many there may be, wrong guesses. Does not belong here: HTTP, who may type one.
//!
//! A code names a screen and lets nobody in: what lets the screen in is the secret that it was told beside the code and keeps to itself.

use domain::MonoTime;
use std::{
    collections::VecDeque,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// A code is good for so long.
pub(crate) const CODE_LIFE: Duration = Duration::from_secs(600);
/// Screens that wait at once, and of one address.
const WAITING_MAX: usize = 16;
const EACH_MAX: usize = 4;
/// Wrong codes within [`WRONG_FOR`], after which none is taken for a while.
const WRONG_MAX: usize = 10;
const WRONG_FOR: Duration = Duration::from_secs(600);

/// A screen that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Waiting {
    code: String,
    /// What is kept of its secret.
    digest: [u8; 32],
    until: MonoTime,
    from: Option<IpAddr>,
}

/// All that wait, and wrong guesses.
#[derive(Debug, Default)]
pub(crate) struct Pairings(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    waiting: Vec<Waiting>,
    wrong: VecDeque<MonoTime>,
}

/// Why a code is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// No screen shows it, or not any more.
    Unknown,
    /// Too many wrong ones; for so many seconds.
    Locked(u64),
}

impl Pairings {
    /// A screen asks for a code; `dice`: six digits by chance. `None`: too many wait.
    pub(crate) fn ask(&self, digest: [u8; 32], from: Option<IpAddr>, now: MonoTime, mut dice: impl FnMut() -> u32) -> Option<String> {
        let mut inner = self.lock();
        inner.waiting.retain(|w| now < w.until);
        // One that reloads its page over and over keeps its newest.
        let own = |w: &Waiting| from.is_some() && w.from == from;
        if inner.waiting.iter().filter(|w| own(w)).count() >= EACH_MAX
            && let Some(oldest) = inner.waiting.iter().position(own)
        {
            inner.waiting.remove(oldest);
        }
        if inner.waiting.len() >= WAITING_MAX {
            return None;
        }
        let code = loop {
            let code = format!("{:06}", dice() % 1_000_000);
            if inner.waiting.iter().all(|w| w.code != code) {
                break code;
            }
        };
        inner.waiting.push(Waiting { code: code.clone(), digest, until: now.plus(CODE_LIFE), from });
        Some(code)
    }

    /// Whether the screen with this secret still waits.
    pub(crate) fn waits(&self, digest: &[u8; 32], now: MonoTime) -> bool {
        self.lock().waiting.iter().any(|w| w.digest == *digest && now < w.until)
    }

    /// Somebody types a code: the digest of the screen's secret. It goes on waiting until [`Pairings::done`].
    pub(crate) fn typed(&self, code: &str, now: MonoTime) -> Result<[u8; 32], Refused> {
        let mut inner = self.lock();
        inner.wrong.retain(|at| now.since(*at) < WRONG_FOR);
        if let (true, Some(first)) = (inner.wrong.len() >= WRONG_MAX, inner.wrong.front()) {
            let left = WRONG_FOR.saturating_sub(now.since(*first));
            return Err(Refused::Locked(left.as_secs().max(1)));
        }
        match inner.waiting.iter().find(|w| w.code == code && now < w.until) {
            Some(waiting) => Ok(waiting.digest),
            None => {
                inner.wrong.push_back(now);
                Err(Refused::Unknown)
            }
        }
    }

    /// That screen is paired: its code is used up.
    pub(crate) fn done(&self, digest: &[u8; 32]) {
        self.lock().waiting.retain(|w| w.digest != *digest);
    }

    // Nothing under the lock can panic half way.
    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: MonoTime = MonoTime(5_000_000);

    fn later(seconds: u64) -> MonoTime {
        NOW.plus(Duration::from_secs(seconds))
    }

    fn address(n: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 168, 1, n]))
    }

    #[test]
    fn a_code_leads_to_its_screen_until_it_is_used_or_over() {
        let all = Pairings::default();
        let code = all.ask([1; 32], address(1), NOW, || 7).unwrap();
        assert_eq!(code, "000007");
        assert_eq!((all.typed(&code, later(599)), all.waits(&[1; 32], later(599))), (Ok([1; 32]), true));
        assert_eq!((all.typed(&code, later(600)), all.waits(&[1; 32], later(600))), (Err(Refused::Unknown), false));
        let code = all.ask([2; 32], address(1), later(700), || 8).unwrap();
        all.done(&[2; 32]);
        assert_eq!(all.typed(&code, later(701)), Err(Refused::Unknown));
    }

    #[test]
    fn two_screens_never_show_one_code() {
        let all = Pairings::default();
        let mut dice = [42, 42, 42, 43].into_iter();
        let mut throw = || dice.next().unwrap();
        let (one, two) = (all.ask([1; 32], None, NOW, &mut throw), all.ask([2; 32], None, NOW, &mut throw));
        assert_eq!((one.as_deref(), two.as_deref()), (Some("000042"), Some("000043")));
    }

    #[test]
    fn screens_are_bounded_and_one_address_does_not_take_every_place() {
        let all = Pairings::default();
        let mut n = 0;
        let mut dice = || {
            n += 1;
            n
        };
        // One that asks again and again loses its own oldest.
        for i in 0..50 {
            assert!(all.ask([i; 32], address(1), NOW, &mut dice).is_some());
        }
        assert_eq!((all.waits(&[45; 32], NOW), all.waits(&[46; 32], NOW)), (false, true));
        for i in 0..12 {
            assert!(all.ask([100 + i; 32], address(10 + i), NOW, &mut dice).is_some());
        }
        assert!(all.ask([200; 32], address(99), NOW, &mut dice).is_none());
        assert!(all.ask([200; 32], address(99), later(600), &mut dice).is_some(), "those that are over make room");
    }

    #[test]
    fn guessing_is_stopped_also_for_the_right_code() {
        let all = Pairings::default();
        let code = all.ask([1; 32], None, later(300), || 999_999).unwrap();
        for n in 0..10 {
            assert_eq!(all.typed(&format!("{n:06}"), later(300)), Err(Refused::Unknown));
        }
        assert_eq!(all.typed(&code, later(301)), Err(Refused::Locked(599)));
        assert_eq!(all.typed(&code, later(899)), Err(Refused::Locked(1)));
        let code = all.ask([2; 32], None, later(900), || 5).unwrap();
        assert_eq!(all.typed(&code, later(900)), Ok([2; 32]));
    }
}
