//! Messages that must arrive: parcels wait here, one row a channel, until a channel settles them.
//!
//! Belongs here: the rows and their bounds. Does not belong here: sending and when to try again (`alerts`).

use crate::{PUSH, Store, StoreError, phones, secrets};
use domain::{CaseId, WallTime};
use rusqlite::{Transaction, params};
use std::time::Duration;

/// Parcels that may wait for one channel; the oldest give way, because nobody reads ten thousand late messages.
const WAITING_MAX: i64 = 10_000;
/// How long settled parcels are kept for those who ask what became of a message.
const KEPT: Duration = Duration::from_secs(30 * 86_400);
/// A parcel due further ahead than this was written by a clock that was wrong, and is due now.
const FURTHEST: Duration = Duration::from_secs(15 * 60);

/// A message to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewParcel {
    /// To which channel. [`PUSH`] stands for the phones of everybody who is to be told of the case: one row each.
    pub channel: String,
    /// `case.raised`, …
    pub event: String,
    /// When what it tells happened.
    pub happened: WallTime,
    /// Not to be sent before.
    pub due: WallTime,
    /// A JSON object.
    pub body: String,
}

/// A message that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// Its row.
    pub id: i64,
    /// A random UUID, the same at every try.
    pub delivery: String,
    /// `case.raised`, …
    pub event: String,
    /// When what it tells happened.
    pub happened: WallTime,
    /// When it could first be sent.
    pub first_due: WallTime,
    /// Tries in vain.
    pub tries: u32,
    /// A JSON object.
    pub body: String,
}

/// What became of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It arrived.
    Done,
    /// The receiver wants no more of it.
    Gone,
    /// It was tried for too long.
    Expired {
        /// What the last try met.
        trouble: String,
    },
    /// It is to be tried again.
    Later {
        /// When.
        due: WallTime,
        /// What this try met.
        trouble: String,
    },
}

impl Store {
    /// Parcels of a channel that are due, longest waiting first, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn outbox_due(&self, channel: &str, now: WallTime, limit: usize) -> Result<Vec<Parcel>, StoreError> {
        self.read(|c| {
            let mut query = c.prepare_cached(
                "SELECT id, delivery, event, happened, first_due, tries, body FROM outbox
                 WHERE state = 'waiting' AND channel = ?1 AND (due <= ?2 OR due > ?3) ORDER BY due, id LIMIT ?4",
            )?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let rows = query.query_map(params![channel, now.0, now.plus(FURTHEST).0, limit], |r| {
                Ok(Parcel {
                    id: r.get(0)?,
                    delivery: r.get(1)?,
                    event: r.get(2)?,
                    happened: WallTime(r.get(3)?),
                    first_due: WallTime(r.get(4)?),
                    tries: r.get::<_, i64>(5)?.clamp(0, i64::from(u32::MAX)) as u32,
                    body: r.get(6)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Keeps parcels that belong to no case: something happened to the box itself.
    ///
    /// # Errors
    /// When the database fails.
    pub fn tell(&self, parcels: &[NewParcel], now: WallTime) -> Result<(), StoreError> {
        self.write(|tx| add(tx, None, parcels, now))
    }

    /// When the next parcel of a channel is due (also in the past); `None`: none waits.
    ///
    /// # Errors
    /// When the database fails.
    pub fn outbox_next_due(&self, channel: &str) -> Result<Option<WallTime>, StoreError> {
        self.read(|c| {
            let mut query = c.prepare_cached("SELECT min(due) FROM outbox WHERE state = 'waiting' AND channel = ?1")?;
            Ok(query.query_row([channel], |r| r.get::<_, Option<i64>>(0))?.map(WallTime))
        })
    }

    /// Keeps what became of a try. A parcel that was settled or withdrawn meanwhile stays as it is.
    ///
    /// # Errors
    /// When the database fails.
    pub fn outbox_settle(&self, id: i64, outcome: &Settled, now: WallTime) -> Result<(), StoreError> {
        let (state, due, settled, trouble) = match outcome {
            Settled::Done => ("done", None, Some(now.0), ""),
            Settled::Gone => ("gone", None, Some(now.0), ""),
            Settled::Expired { trouble } => ("expired", None, Some(now.0), trouble.as_str()),
            Settled::Later { due, trouble } => ("waiting", Some(due.0), None, trouble.as_str()),
        };
        self.write(|tx| {
            tx.execute(
                "UPDATE outbox SET state = ?2, due = coalesce(?3, due), settled = ?4, trouble = ?5, tries = tries + 1
                 WHERE id = ?1 AND state = 'waiting'",
                params![id, state, due, settled, trouble],
            )?;
            tx.execute("DELETE FROM outbox WHERE settled < ?1", [now.minus(KEPT).0])?;
            Ok(())
        })
    }
}

pub(crate) fn add(tx: &Transaction<'_>, case: Option<CaseId>, parcels: &[NewParcel], now: WallTime) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(parcels.len());
    for parcel in parcels {
        match (parcel.channel.as_str(), case) {
            (PUSH, Some(case)) => rows.extend(phones::on_duty(tx, case)?.into_iter().map(|channel| (channel, parcel))),
            _ => rows.push((parcel.channel.clone(), parcel)),
        }
    }
    for (channel, parcel) in rows {
        tx.execute(
            "INSERT INTO outbox (delivery, channel, event, case_file, happened, first_due, due, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7)",
            params![secrets::uuid()?, channel, parcel.event, case.map(|c| c.0), parcel.happened.0, parcel.due.0, parcel.body],
        )?;
        tx.execute(
            "UPDATE outbox SET state = 'expired', settled = ?3, trouble = 'too many wait' WHERE state = 'waiting' AND channel = ?1 AND id IN
             (SELECT id FROM outbox WHERE state = 'waiting' AND channel = ?1 ORDER BY id DESC LIMIT -1 OFFSET ?2)",
            params![channel, WAITING_MAX, now.0],
        )?;
    }
    Ok(())
}

/// Takes back what tells of an answer that is undone, unless a try was made.
pub(crate) fn withdraw(tx: &Transaction<'_>, case: CaseId, happened: WallTime, now: WallTime) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE outbox SET state = 'withdrawn', settled = ?3 WHERE case_file = ?1 AND happened = ?2
         AND event != 'case.raised' AND state = 'waiting' AND tries = 0",
        params![case.0, happened.0, now.0],
    )?;
    Ok(())
}
