//! Footage kept at somebody's tap: copied out of the ring at once, deleted when its time is over.

use crate::{seeing::footage::write_film, whole_file};
use anyhow::{Context, Result};
use async_trait::async_trait;
use cases::Gauge;
use domain::{CameraId, Channel, Clock, StreamId, StreamKind, WallTime};
use ring::Reader;
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use store::{KeptRow, KeptState, Store};
use tokio::sync::Semaphore;

/// What is written in a moment is on disk after this long.
const RECORDED: Duration = Duration::from_secs(3);

/// The keeper.
pub(crate) struct Keeper {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    /// By camera: the readers of the rings that record it, the full picture first; and whether sound is recorded.
    pub(crate) cameras: BTreeMap<CameraId, (Vec<(Channel, Reader)>, bool)>,
    pub(crate) dir: PathBuf,
    gauge: Gauge,
    /// One copy at a time: the ring's disk has something better to do.
    turn: Arc<Semaphore>,
}

impl Keeper {
    /// Opens the folder; what was being copied when the core ended is copied again.
    pub(crate) fn open(
        store: Store,
        clock: Arc<dyn Clock>,
        cameras: BTreeMap<CameraId, (Vec<(Channel, Reader)>, bool)>,
        data: &Path,
        gauge: Gauge,
    ) -> Result<Arc<Self>> {
        let dir = data.join("kept");
        match fs::DirBuilder::new().mode(0o700).create(&dir) {
            Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(e).with_context(|| format!("cannot make {}", dir.display()));
            }
            _ => {}
        }
        let keeper = Self { store, clock, cameras, dir, gauge, turn: Arc::new(Semaphore::new(1)) };
        for stays in keeper.tidy()? {
            tracing::warn!("kept footage whose time is over cannot be deleted: {stays}");
        }
        Ok(Arc::new(keeper))
    }

    /// Takes away films of what the list says is gone: the power may have gone between the two, or a file refused. Answers what stays, and why.
    fn tidy(&self) -> Result<Vec<String>> {
        let mut stays = Vec::new();
        for entry in fs::read_dir(&self.dir).with_context(|| format!("cannot read {}", self.dir.display()))?.flatten() {
            let id = entry.file_name().to_string_lossy().into_owned();
            if self.store.kept(&id)?.is_some_and(|row| row.state == KeptState::Gone)
                && let Err(error) = fs::remove_dir_all(entry.path())
            {
                stays.push(format!("{}: {error}", entry.path().display()));
            }
        }
        Ok(stays)
    }

    /// Goes on with what is open.
    pub(crate) fn resume(self: &Arc<Self>) {
        for row in self.store.all_kept(None, usize::MAX).unwrap_or_default().into_iter().filter(|row| row.state == KeptState::Copying) {
            self.clone().copy(row);
        }
    }

    /// Deletes what is over at `now`, by a clock that is trusted: a wrong one must not. What refuses keeps nothing else; it is tried
    /// again at the next look.
    pub(crate) fn expire(&self, now: WallTime) -> Result<()> {
        let seen = now.minus(web::KEPT);
        for id in self.store.kept_over(now, seen)? {
            // Said first, and only if nobody holds it meanwhile: what is said to be there is there.
            if !self.store.let_kept_go(&id, now, seen)? {
                continue;
            }
            metrics::counter!("matthon_evidence_gone_total", "part" => "kept").increment(1);
            tracing::info!(kept = id, "its time is over: it is deleted");
        }
        let stays = self.tidy()?;
        anyhow::ensure!(stays.is_empty(), "{}", stays.join("; "));
        Ok(())
    }

    fn copy(self: Arc<Self>, row: KeptRow) {
        tokio::spawn(async move {
            // The last seconds are on their way to the disk. Waited for before one's turn: others have theirs meanwhile.
            let wait = row.to.plus(RECORDED).micros_since(self.clock.wall());
            if let Ok(wait) = u64::try_from(wait) {
                tokio::time::sleep(Duration::from_micros(wait)).await;
            }
            let Ok(_turn) = self.turn.clone().acquire_owned().await else { return };
            let (keeper, id) = (self.clone(), row.id.clone());
            let worked = tokio::task::spawn_blocking(move || {
                let Films { bytes, troubles, full } = keeper.films(&row);
                let state = match bytes {
                    0 if full => KeptState::RangeOnly,
                    0 => KeptState::Failed,
                    _ => KeptState::Done,
                };
                tracing::info!(kept = row.id, by = row.by, bytes, state = state.as_str(), "footage kept");
                keeper.store.end_kept(&row.id, state, bytes, &troubles.join("; "))
            });
            match worked.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "how kept footage came out is not written down"),
                Err(error) => {
                    tracing::error!(%error, "keeping footage fell");
                    let failed = self.store.end_kept(&id, KeptState::Failed, 0, "the box's own program failed; its log says why");
                    if let Err(error) = failed {
                        tracing::error!(%error, "how kept footage came out is not written down");
                    }
                }
            }
        });
    }

    /// Copies every camera.
    fn films(&self, row: &KeptRow) -> Films {
        let mut films = Films::default();
        for camera in &row.cameras {
            match self.film_of(row, camera, films.bytes) {
                Ok(more) => films.bytes += more,
                Err(error) => {
                    films.full |= error.downcast_ref::<NoRoom>().is_some();
                    films.troubles.push(format!("{camera}: {error:#}"));
                }
            }
        }
        films
    }

    /// `copied`: of the same wish already, and not yet in the store's numbers.
    fn film_of(&self, row: &KeptRow, camera: &CameraId, copied: u64) -> Result<u64> {
        let dir = self.dir.join(&row.id);
        fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let (readers, audio) = self.cameras.get(camera).context("it is configured no longer")?;
        let path = self.path(&row.id, camera);
        for (channel, reader) in readers {
            let stream = StreamId::new(camera.clone(), *channel, StreamKind::Video);
            let (need, room) = (reader.bytes_between(&stream, row.from, row.to)?, self.gauge.now()?);
            if !room.takes(need.saturating_add(copied)) {
                return Err(NoRoom {
                    need: need / 1_000_000,
                    used: room.used() / 1_000_000,
                    quota: room.quota / 1_000_000,
                    free: room.free / 1_000_000,
                }
                .into());
            }
            let film = |file| Ok(write_film(reader, camera, *channel, row.from, row.to, *audio, file)?.ok_or(NothingRecorded)?);
            match whole_file::write(&path, film) {
                Ok(clip) => {
                    fs::File::open(&self.dir)?.sync_all()?;
                    return Ok(clip.bytes);
                }
                // The other stream may have it.
                Err(error) if error.is::<NothingRecorded>() => {}
                Err(error) => return Err(error),
            }
        }
        Err(NothingRecorded.into())
    }

    fn path(&self, id: &str, camera: &CameraId) -> PathBuf {
        self.dir.join(id).join(format!("{camera}.mp4"))
    }
}

/// What a wish came to.
#[derive(Default)]
struct Films {
    bytes: u64,
    troubles: Vec<String>,
    /// For something there was no room.
    full: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("nothing was recorded in that time")]
struct NothingRecorded;

/// The evidence store takes no film of this size; megabytes.
#[derive(Debug, thiserror::Error)]
#[error(
    "the evidence store is full: {need} MB more than its {used} of {quota} MB, {free} MB free on the disk; it stays in the ring for as long as that keeps it"
)]
struct NoRoom {
    need: u64,
    used: u64,
    quota: u64,
    free: u64,
}

/// Shared with the API.
pub(crate) struct Kept(pub(crate) Arc<Keeper>);

#[async_trait]
impl web::Keeping for Kept {
    fn begin(&self, id: &str, row: KeptRow) {
        self.0.clone().copy(KeptRow { id: id.to_owned(), ..row });
    }

    fn film(&self, id: &str, camera: &CameraId) -> PathBuf {
        // An id comes from the database, where only ours are; still no path of it leads elsewhere.
        let id: String = id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        self.0.path(&id, camera)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{SimClock, WallTime};

    const NOON: WallTime = WallTime::from_secs(1_795_430_400);

    struct House {
        dir: tempfile::TempDir,
        store: Store,
        keeper: Arc<Keeper>,
        camera: CameraId,
        ids: Vec<String>,
    }

    fn entry() -> store::AuditEntry {
        let what = domain::Audited::Kept;
        store::AuditEntry { at: NOON, who: "a".into(), role: "official".into(), what, subject: String::new(), detail: String::new() }
    }

    /// Films kept at noon, in the order in which they are deleted, and seen by a trusted clock.
    fn house(films: usize) -> House {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("matthon.db")).unwrap();
        let gauge = Gauge::new(store.clone(), dir.path().to_owned(), None);
        let keeper = Keeper::open(store.clone(), Arc::new(SimClock::at(NOON)), BTreeMap::new(), dir.path(), gauge).unwrap();
        let camera = CameraId::new("cho").unwrap();
        let row = KeptRow {
            id: String::new(),
            asked: NOON,
            by: "a".into(),
            cameras: vec![camera.clone()],
            from: NOON,
            to: NOON,
            note: String::new(),
            until: Some(NOON.plus(web::KEPT)),
            state: KeptState::Done,
            bytes: 1,
            trouble: String::new(),
        };
        let mut ids: Vec<_> = (0..films).map(|_| store.add_kept(&row, &entry()).unwrap()).collect();
        ids.sort();
        for id in &ids {
            fs::create_dir_all(dir.path().join("kept").join(id)).unwrap();
            fs::write(keeper.path(id, &camera), b"film").unwrap();
            store.end_kept(id, KeptState::Done, 4, "").unwrap();
        }
        store.see_under_trusted_clock(NOON).unwrap();
        House { dir, store, keeper, camera, ids }
    }

    impl House {
        fn there(&self) -> Vec<bool> {
            self.ids.iter().map(|id| self.keeper.path(id, &self.camera).exists()).collect()
        }
    }

    const OVER: WallTime = NOON.plus_micros(web::KEPT.as_micros() as i64 + 1_000_000);

    #[test]
    fn what_is_over_is_deleted_what_is_held_is_not() {
        let house = house(2);
        assert!(house.store.hold_kept(&house.ids[0], None, &entry()).unwrap());
        house.keeper.expire(NOON).unwrap();
        assert_eq!(house.there(), [true, true]);
        house.keeper.expire(OVER).unwrap();
        assert_eq!(house.there(), [true, false]);
        assert_eq!(house.store.kept(&house.ids[1]).unwrap().unwrap().state, KeptState::Gone);
        assert_eq!(house.store.all_kept(None, 9).unwrap().len(), 1);
    }

    #[test]
    fn one_that_cannot_be_deleted_keeps_no_other_and_is_named_until_it_goes() {
        let house = house(3);
        // A file where a folder should be is refused, to root as well.
        let odd = house.dir.path().join("kept").join(&house.ids[0]);
        fs::remove_dir_all(&odd).unwrap();
        fs::write(&odd, b"?").unwrap();
        for _ in 0..2 {
            let said = format!("{:#}", house.keeper.expire(OVER).unwrap_err());
            assert!(said.contains(&house.ids[0]) && !said.contains(&house.ids[1]), "{said}");
            assert_eq!(house.there(), [false; 3]);
            assert!(house.ids.iter().all(|id| house.store.kept(id).unwrap().unwrap().state == KeptState::Gone));
        }
        fs::remove_file(&odd).unwrap();
        fs::create_dir(&odd).unwrap();
        house.keeper.expire(OVER).unwrap();
        assert!(!odd.exists());
    }
}
