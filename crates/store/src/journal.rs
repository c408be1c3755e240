//! When the box ran and how each stream's connection was: what the reasons of gaps are found in.

use crate::{Store, StoreError};
use domain::{BoxRun, CameraId, Channel, Link, LinkChange, WallTime};
use rusqlite::{OptionalExtension, params};
use std::time::Duration;

/// How long both are kept: longer than any ring remembers.
const KEPT: Duration = Duration::from_secs(400 * 86_400);

impl Store {
    /// The core begins to run; answers the row to keep alive.
    ///
    /// # Errors
    /// When the database fails.
    pub fn begin_box_run(&self, boot: &str, now: WallTime) -> Result<i64, StoreError> {
        self.write(|tx| {
            tx.execute("INSERT INTO box_run (boot, started, seen) VALUES (?1, ?2, ?2)", params![boot, now.0])?;
            let id = tx.last_insert_rowid();
            tx.execute("DELETE FROM box_run WHERE seen < ?1", [now.minus(KEPT).0])?;
            tx.execute("DELETE FROM link_change WHERE at < ?1", [now.minus(KEPT).0])?;
            Ok(id)
        })
    }

    /// The core still runs, and these connections are in another state than before.
    ///
    /// # Errors
    /// When the database fails.
    pub fn note_run(&self, run: i64, now: WallTime, changes: &[(CameraId, Channel, LinkChange)]) -> Result<(), StoreError> {
        self.write(|tx| {
            tx.execute("UPDATE box_run SET seen = max(seen, ?2) WHERE id = ?1", params![run, now.0])?;
            for (camera, channel, change) in changes {
                tx.execute(
                    "INSERT INTO link_change (camera, channel, at, link) VALUES (?1, ?2, ?3, ?4)",
                    params![camera.as_str(), channel.as_str(), change.at.0, change.link.key()],
                )?;
            }
            Ok(())
        })
    }

    /// Runs that overlap a time, the last one before it and the first one behind it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn box_runs(&self, from: WallTime, to: WallTime) -> Result<Vec<BoxRun>, StoreError> {
        self.read(|c| {
            let mut query = c.prepare_cached(
                "SELECT boot, started, seen FROM box_run
                 WHERE started <= coalesce((SELECT min(started) FROM box_run WHERE started >= ?2), ?2)
                 AND started >= coalesce((SELECT max(started) FROM box_run WHERE started <= ?1), ?1) ORDER BY started",
            )?;
            let rows = query
                .query_map([from.0, to.0], |r| Ok(BoxRun { boot: r.get(0)?, started: WallTime(r.get(1)?), seen: WallTime(r.get(2)?) }))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// How a stream's connection was in a time, oldest first; the first may lie before it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn link_changes(&self, camera: &CameraId, channel: Channel, from: WallTime, to: WallTime) -> Result<Vec<LinkChange>, StoreError> {
        let (camera, channel) = (camera.as_str(), channel.as_str());
        self.read(|c| {
            let mut before = c.prepare_cached(
                "SELECT at, link FROM link_change WHERE camera = ?1 AND channel = ?2 AND at <= ?3 ORDER BY at DESC, id DESC LIMIT 1",
            )?;
            // A state of a newer version is one that brought no pictures.
            let change = |r: &rusqlite::Row<'_>| {
                Ok(LinkChange { at: WallTime(r.get(0)?), link: Link::of_key(&r.get::<_, String>(1)?).unwrap_or(Link::Connecting) })
            };
            let mut all: Vec<LinkChange> = before.query_row(params![camera, channel, from.0], change).optional()?.into_iter().collect();
            let mut within = c.prepare_cached(
                "SELECT at, link FROM link_change WHERE camera = ?1 AND channel = ?2 AND at > ?3 AND at < ?4 ORDER BY at, id LIMIT 20000",
            )?;
            for change in within.query_map(params![camera, channel, from.0, to.0], change)? {
                all.push(change?);
            }
            Ok(all)
        })
    }
}
