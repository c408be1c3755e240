//! Evidence whose time is over: what may go, and its going.
//!
//! Belongs here: the decision, and the order of row and files. Does not belong here: whether the clock may be believed
//! (`domain::ClockTrust`), how often it is looked (the binary).

use crate::{CaseError, Cases};
use domain::{CaseId, CaseState, WallTime};
use std::time::Duration;
use store::ExpiryRow;

/// Cases looked at in one go.
const PAGE: usize = 100;

/// Whether a case's evidence is over at `now`, by a clock that is trusted. Never that of a case a person confirmed, that somebody
/// holds, that a package for an authority names, or that is still being fetched; never by a time that lies ahead. Its stamps may be of a
/// clock that was behind: the time counts from when a trusted one first saw it, if that was later, and until one has it is not over.
#[must_use]
pub fn over(case: &ExpiryRow, keep: Duration, now: WallTime) -> bool {
    let unconfirmed = match case.state {
        CaseState::Raised | CaseState::FalseAlarm => true,
        CaseState::Confirmed => false,
    };
    let whole = case.first_trusted.is_some_and(|seen| case.since.max(seen).plus(keep) <= now);
    unconfirmed && !case.held && !case.taken && !case.open_work && case.raised <= now && whole
}

impl Cases {
    /// Deletes the evidence of unconfirmed cases whose time is over at `now`; the cases stay, with their reasons and numbers.
    /// Answers how many. The caller trusts the clock.
    ///
    /// # Errors
    /// When the database fails. Files that cannot be deleted are tried again by [`Cases::tidy`].
    pub fn expire(&self, now: WallTime) -> Result<u64, CaseError> {
        let keep = self.0.config.keep_unconfirmed;
        let before = now.minus(keep).plus_micros(1);
        let (mut after, mut gone) = ((WallTime(i64::MIN), CaseId(0)), 0);
        loop {
            let page = self.0.store.cases_that_may_expire(before, after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = (last.raised, last.id);
            for case in page.iter().filter(|case| over(case, keep, now)) {
                // Asked again inside the change: somebody may hold or confirm it this moment.
                if self.0.store.let_case_evidence_go(case.id, now, |case| over(case, keep, now))? {
                    tracing::info!(case = %case.id, "its time is over: pictures and clip are deleted, the case stays");
                    metrics::counter!("matthon_evidence_gone_total", "part" => "case").increment(1);
                    gone += 1;
                }
            }
        }
        if gone > 0 {
            self.announce()?;
        }
        Ok(gone)
    }

    /// Deletes files of what is gone, and measures what was never measured; a little at a time. Needs no clock.
    ///
    /// # Errors
    /// When the database fails.
    pub fn tidy(&self) -> Result<(), CaseError> {
        for (id, gone) in self.0.store.case_leftovers(PAGE)? {
            let done = if gone { self.0.files.remove(id).map(|()| 0) } else { self.0.files.bytes(id) };
            match done {
                Ok(bytes) => self.0.store.set_case_bytes(id, bytes)?,
                Err(error) => {
                    let path = self.0.config.evidence.join(id.to_string());
                    tracing::warn!(path = %path.display(), %error, "evidence cannot be measured or deleted; trying again later");
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: Duration = Duration::from_secs(86_400);
    const NOW: WallTime = WallTime::from_secs(1_795_430_520);

    fn facts() -> impl Strategy<Value = ExpiryRow> {
        let ago = -100 * 86_400_000_000_i64..400 * 86_400_000_000_i64;
        // Some stamps are of a clock that began at 1970.
        let stamp = prop_oneof![4 => ago.clone().prop_map(|a| NOW.plus_micros(-a)), 1 => (0_i64..1 << 40).prop_map(WallTime)];
        let seen = proptest::option::weighted(0.8, ago.prop_map(|a| NOW.plus_micros(-a)));
        (proptest::sample::select(CaseState::ALL), any::<[bool; 3]>(), stamp.clone(), stamp, seen).prop_map(
            |(state, [held, taken, open_work], raised, touched, first_trusted)| ExpiryRow {
                id: CaseId(1),
                state,
                held,
                taken,
                open_work,
                raised,
                since: raised.max(touched),
                first_trusted,
            },
        )
    }

    proptest! {
        #[test]
        fn what_a_person_stands_by_is_never_over(case in facts(), keep_s in 60_u64..3660 * 86_400, later_s in 0_u64..1 << 40) {
            let (keep, later) = (Duration::from_secs(keep_s), NOW.plus(Duration::from_secs(later_s)));
            if over(&case, keep, later) {
                prop_assert!(case.state != CaseState::Confirmed && !case.held && !case.taken && !case.open_work);
                // Nothing younger than the promise, counted from the last thing somebody did with it.
                prop_assert!(later.micros_since(case.since) >= keep.as_micros() as i64);
                // Nor than its time since a trusted clock first saw it, whatever its stamps say.
                prop_assert!(case.first_trusted.is_some_and(|seen| later.micros_since(seen) >= keep.as_micros() as i64));
                // Holding, confirming, taking it each keep it, whatever else holds.
                for kept in [
                    ExpiryRow { held: true, ..case }, ExpiryRow { taken: true, ..case }, ExpiryRow { open_work: true, ..case },
                    ExpiryRow { state: CaseState::Confirmed, ..case }, ExpiryRow { since: later, ..case },
                    ExpiryRow { first_trusted: Some(later), ..case }, ExpiryRow { first_trusted: None, ..case },
                ] {
                    prop_assert!(!over(&kept, keep, later));
                }
            }
        }

        #[test]
        fn what_is_over_stays_over_and_all_that_is_nobodys_ends(case in facts(), keep_s in 60_u64..100 * 86_400) {
            let keep = Duration::from_secs(keep_s);
            prop_assert!(!over(&case, keep, NOW) || over(&case, keep, NOW.plus(DAY)));
            let nobodys = case.state != CaseState::Confirmed && !case.held && !case.taken && !case.open_work && case.first_trusted.is_some();
            // 200 days on, whatever was stamped up to 100 days ahead is over after at most 100 more.
            prop_assert_eq!(over(&case, keep, NOW.plus(200 * DAY)), nobodys);
        }

        #[test]
        fn a_stamp_that_was_right_lives_no_longer_than_the_look_came_late(
            case in facts(), keep_s in 60_u64..100 * 86_400, late_s in 0_u64..700,
        ) {
            let (keep, late) = (Duration::from_secs(keep_s), Duration::from_secs(late_s));
            let case = ExpiryRow { state: CaseState::Raised, held: false, taken: false, open_work: false, ..case };
            let case = ExpiryRow { first_trusted: Some(case.since.plus(late)), ..case };
            prop_assert!(over(&case, keep, case.since.plus(keep).plus(late)));
        }
    }
}
