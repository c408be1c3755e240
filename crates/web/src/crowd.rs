//! How many connections one address holds: whoever opens hundreds must not take the places of everybody else.
//!
//! Does not belong here: the bound on all connections together (`serve`), how much one person may ask for.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Connections of one address at once. A browser holds six and its sockets; behind a carrier's address there may be several phones.
pub(crate) const EACH: usize = 64;

/// Who is here.
#[derive(Clone, Default)]
pub(crate) struct Crowd(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A connection's place; dropping it gives it back.
pub(crate) struct Place {
    crowd: Crowd,
    /// None: not counted.
    who: Option<IpAddr>,
}

impl Crowd {
    /// Lets a connection in, unless its address has enough. `exempt`: a proxy, behind which everybody comes.
    pub(crate) fn enter(&self, address: IpAddr, exempt: bool) -> Option<Place> {
        if exempt {
            return Some(Place { crowd: self.clone(), who: None });
        }
        let who = household(address);
        let mut here = self.lock();
        let count = here.entry(who).or_insert(0);
        if *count >= EACH {
            return None;
        }
        *count += 1;
        drop(here);
        Some(Place { crowd: self.clone(), who: Some(who) })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        // Counters only: nothing can be half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(who) = self.who else { return };
        let mut here = self.crowd.lock();
        if let Some(count) = here.get_mut(&who) {
            *count -= 1;
            if *count == 0 {
                here.remove(&who);
            }
        }
    }
}

/// What one household has: an IPv4 address, or the /64 of an IPv6 address, in which a machine takes as many as it likes.
pub(crate) fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_gets_so_many_places_and_gives_them_back() {
        let crowd = Crowd::default();
        let mut places: Vec<_> = (0..EACH).map(|_| crowd.enter(at("192.168.1.7"), false).unwrap()).collect();
        assert!(crowd.enter(at("192.168.1.7"), false).is_none());
        assert!(crowd.enter(at("::ffff:192.168.1.7"), false).is_none(), "the same, written otherwise");
        assert!(crowd.enter(at("192.168.1.8"), false).is_some());
        places.pop();
        assert!(crowd.enter(at("192.168.1.7"), false).is_some());
        drop(places);
        assert!(crowd.lock().is_empty(), "nobody is remembered");
    }

    #[test]
    fn a_household_has_one_share_and_a_proxy_none() {
        let crowd = Crowd::default();
        let _places: Vec<_> = (0..EACH).map(|n| crowd.enter(at(&format!("2001:db8:0:1::{n:x}")), false).unwrap()).collect();
        assert!(crowd.enter(at("2001:db8:0:1:ffff::1"), false).is_none());
        assert!(crowd.enter(at("2001:db8:0:2::1"), false).is_some());
        let _proxy: Vec<_> = (0..4 * EACH).map(|_| crowd.enter(at("127.0.0.1"), true).unwrap()).collect();
    }
}
