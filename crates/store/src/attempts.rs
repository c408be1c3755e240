//! Wrong passwords and the lock-out they lead to, by name, kept across restarts.

use crate::StoreError;
use domain::WallTime;
use rusqlite::{OptionalExtension, Transaction, params};
use std::time::Duration;

/// Wrong passwords in a row before the first lock.
const FREE: i64 = 5;
/// The first lock; each further wrong password doubles it.
const FIRST_LOCK: Duration = Duration::from_secs(60);
/// The longest lock.
const LONGEST_LOCK: Duration = Duration::from_secs(15 * 60);
/// After this long without an attempt the row starts anew.
const FORGIVEN: Duration = Duration::from_secs(24 * 3600);
/// Names of nobody that are remembered; the oldest give way, so that made-up names cannot fill the disk.
const STRANGERS: i64 = 1000;

/// Counts an attempt as wrong, and locks the name when it is one too many.
/// Refuses when the name is locked; a refused attempt does not prolong the lock.
pub(crate) fn begin(tx: &Transaction<'_>, folded: &str, now: WallTime) -> Result<(), StoreError> {
    let row = tx
        .query_row("SELECT wrong, last, locked_until FROM attempt WHERE folded = ?1", [folded], |r| {
            Ok((r.get::<_, i64>(0)?, WallTime(r.get(1)?), r.get::<_, Option<i64>>(2)?.map(WallTime)))
        })
        .optional()?;
    let before = match row {
        Some((wrong, last, locked)) => {
            if let Some(until) = locked
                && now < until
                // A lock further ahead than any lock lasts comes from a clock that was wrong.
                && until <= now.plus(LONGEST_LOCK)
            {
                return Err(StoreError::Locked { until });
            }
            if last.plus(FORGIVEN) < now { 0 } else { wrong }
        }
        None => 0,
    };
    let wrong = before.saturating_add(1);
    let locked = (wrong >= FREE).then(|| now.plus(lock(wrong - FREE)).0);
    tx.execute(
        "INSERT INTO attempt (folded, wrong, last, locked_until) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (folded) DO UPDATE SET wrong = excluded.wrong, last = excluded.last, locked_until = excluded.locked_until",
        params![folded, wrong, now.0, locked],
    )?;
    if row.is_none() {
        tx.execute(
            "DELETE FROM attempt WHERE folded IN (
                 SELECT folded FROM attempt WHERE folded NOT IN (SELECT folded FROM user) ORDER BY last DESC, folded LIMIT -1 OFFSET ?1)",
            [STRANGERS],
        )?;
    }
    Ok(())
}

/// The password was right, or is a new one.
pub(crate) fn forget(tx: &Transaction<'_>, folded: &str) -> Result<(), StoreError> {
    Ok(tx.execute("DELETE FROM attempt WHERE folded = ?1", [folded]).map(|_| ())?)
}

fn lock(step: i64) -> Duration {
    let doubled = FIRST_LOCK * (1_u32 << step.clamp(0, 8));
    doubled.min(LONGEST_LOCK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_names_cannot_fill_the_disk_nor_push_out_a_user() {
        let dir = tempfile::tempdir().unwrap();
        let store = crate::Store::open(&dir.path().join("matthon.db")).unwrap();
        let now = WallTime::from_secs(1_795_430_520);
        store.add_user("Lan", domain::Role::Admin, "0123456789", now).unwrap();
        let left: i64 = store
            .write(|tx| {
                begin(tx, "lan", now)?;
                for i in 1..=STRANGERS + 100 {
                    begin(tx, &format!("name {i}"), now.plus_micros(i))?;
                }
                Ok(tx.query_row("SELECT count(*) FROM attempt", [], |r| r.get(0))?)
            })
            .unwrap();
        assert_eq!(left, STRANGERS + 1);
        let kept = |name: &str| {
            store.read(|c| Ok(c.query_row("SELECT count(*) FROM attempt WHERE folded = ?1", [name], |r| r.get::<_, i64>(0))?)).unwrap()
        };
        assert_eq!((kept("lan"), kept("name 1"), kept("name 1100")), (1, 0, 1));
    }

    #[test]
    fn locks_grow_from_one_minute_to_fifteen() {
        let minutes: Vec<_> = (0..7).map(|step| lock(step).as_secs() / 60).collect();
        assert_eq!(minutes, [1, 2, 4, 8, 15, 15, 15]);
        assert_eq!(lock(i64::MAX), LONGEST_LOCK);
    }
}
