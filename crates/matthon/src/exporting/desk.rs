//! The daemon's desk for packages: one is made at a time, on a thread of its own; the others are asked to wait.

use super::{By, Estimate, Job, Picture, Progress, Sources, make, stills};
use crate::{telling, whole_file};
use anyhow::{Context, Result};
use async_trait::async_trait;
use cases::{Gauge, Room};
use domain::{Audited, WallTime};
use evidence::{ExportRequest, manifest};
use serde_json::json;
use std::{
    fs,
    os::unix::fs::DirBuilderExt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::Duration,
};
use store::{AuditEntry, ExportRow, ExportState, NewParcel, User};

/// Whoever asks is answered within so long: the index of a day of thirty cameras on a turning disk takes longer, and whether the
/// package fits is asked again before it is made.
const ESTIMATED: Duration = Duration::from_secs(5);

/// The desk.
pub(crate) struct Desk {
    sources: Sources,
    vision: vision::Vision,
    gauge: Gauge,
    dir: PathBuf,
    busy: Mutex<Option<(String, Arc<Progress>)>>,
}

impl Desk {
    /// Opens the folder of packages; what was half made when the core ended is told and taken away.
    pub(crate) fn open(sources: Sources, vision: vision::Vision, gauge: Gauge) -> Result<Arc<Self>> {
        let dir = sources.config.storage.data.join("exports");
        match fs::DirBuilder::new().mode(0o700).create(&dir) {
            Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(e).with_context(|| format!("cannot make {}", dir.display()));
            }
            _ => {}
        }
        let gone = sources.store.forget_running_exports(sources.clock.wall())?;
        if gone > 0 {
            tracing::warn!(packages = gone, "packages were being made when the core ended: ask for them again");
        }
        let desk = Self { sources, vision, gauge, dir, busy: Mutex::default() };
        desk.tidy();
        Ok(Arc::new(desk))
    }

    /// Takes away what is half made, and packages the list does not call ready (`tidying` says when one is over).
    fn tidy(&self) {
        for entry in fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let path = entry.path();
            let half = path.extension().is_some_and(|e| e == "part");
            let id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            // A list that cannot be read deletes nothing, nor does one that has not heard yet that a package is whole.
            let over = |row: &ExportRow| !matches!(row.state, ExportState::Done | ExportState::Running);
            let orphan = path.extension().is_some_and(|e| e == "zip")
                && matches!(self.sources.store.export(&id), Ok(row) if row.as_ref().is_none_or(over));
            if (half || orphan)
                && let Err(error) = fs::remove_file(&path)
            {
                tracing::warn!(path = %path.display(), %error, "a package that is not kept any longer cannot be deleted");
            }
        }
    }

    fn busy(&self) -> std::sync::MutexGuard<'_, Option<(String, Arc<Progress>)>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, request: &ExportRequest, by: &By, pictures: &[Picture], progress: &Arc<Progress>) -> Result<u64> {
        let path = self.file(&by.id);
        let estimate = super::estimate(&self.sources, request)?;
        // Asked again: stills took a while, and others write, too.
        let room = self.gauge.now()?;
        if let Some(full) = no_room(estimate, room) {
            return Err(full.into());
        }
        let job = Job { request, by, pictures, estimate, scratch: &self.dir };
        // The folder is the owner's alone, so its files need no mode of their own.
        whole_file::write(&path, |file| make(&self.sources, &job, file, progress))?;
        fs::File::open(&self.dir)?.sync_all()?;
        Ok(fs::metadata(&path)?.len())
    }

    fn file(&self, id: &str) -> PathBuf {
        self.dir.join(format!("{id}.zip"))
    }
}

/// A package's turn at the desk: given back, and its row ended, however its work ends.
struct Turn {
    desk: Arc<Desk>,
    id: String,
    ended: bool,
}

impl Turn {
    fn end(&mut self, state: ExportState, bytes: u64, trouble: &str) {
        self.ended = true;
        tracing::info!(export = self.id, state = state.as_str(), bytes, trouble, "package ended");
        let now = self.desk.sources.clock.wall();
        if let Err(error) = self.desk.sources.store.end_export(&self.id, state, bytes, trouble, now) {
            tracing::error!(export = self.id, %error, "what became of a package is not kept");
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.ended && !self.id.is_empty() {
            self.end(ExportState::Failed, 0, "the box's own program failed; its log says why");
        }
        self.desk.tidy();
        *self.desk.busy() = None;
    }
}

impl Desk {
    async fn begin(self: Arc<Self>, request: ExportRequest, by: By) -> Result<String, web::NoExport> {
        let progress = Arc::new(Progress::default());
        {
            let mut busy = self.busy();
            if busy.is_some() {
                return Err(web::NoExport::Busy);
            }
            *busy = Some((String::new(), progress.clone()));
        }
        let mut turn = Turn { desk: self.clone(), id: String::new(), ended: false };
        let (desk, wished) = (self.clone(), request.clone());
        let full = tokio::task::spawn_blocking(move || no_room(super::estimate(&desk.sources, &wished).ok()?, desk.gauge.now().ok()?));
        // What cannot be estimated fails as it is made: it was asked for, and the list says why there is none.
        if let Ok(Ok(Some(full))) = tokio::time::timeout(ESTIMATED, full).await {
            return Err(full);
        }
        let now = self.sources.clock.wall();
        let (desk, wished, asker) = (self.clone(), request.clone(), by.clone());
        let kept = tokio::task::spawn_blocking(move || {
            let text = serde_json::to_string(&wished)?;
            let told = |id: &str| parcels(&desk.sources.config, &wished, &By { id: id.to_owned(), ..asker.clone() }, now);
            anyhow::Ok(desk.sources.store.add_export(&text, &entry(&wished, &asker.name, &asker.role, now), told)?)
        });
        let kept = kept.await.map_err(anyhow::Error::from).and_then(|id| id);
        let id = kept.map_err(|e| web::NoExport::Failed(format!("{e:#}")))?;
        turn.id.clone_from(&id);
        *self.busy() = Some((id.clone(), progress.clone()));
        tracing::info!(export = id, by = by.name, "a package for an authority is being made");
        let by = By { id: id.clone(), ..by };
        tokio::spawn(async move {
            let pictures = stills::pictures(&self.vision, &self.sources, &request, &progress).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "a package gets no stills");
                Vec::new()
            });
            let worked = tokio::task::spawn_blocking(move || {
                let done = self.work(&request, &by, &pictures, &progress);
                match done {
                    Ok(bytes) => turn.end(ExportState::Done, bytes, ""),
                    Err(_) if progress.stop.load(Ordering::Relaxed) => turn.end(ExportState::Cancelled, 0, ""),
                    Err(error) => turn.end(ExportState::Failed, 0, &format!("{error:#}")),
                }
            });
            if let Err(error) = worked.await {
                tracing::error!(%error, "making a package fell");
            }
        });
        Ok(id)
    }
}

/// Whether a package is more than the evidence store takes: its quota the finished package, its disk what lies there while it is made.
pub(super) fn no_room(estimate: Estimate, room: Room) -> Option<web::NoExport> {
    let made = room.free >= estimate.room().saturating_add(cases::LEFT_FREE);
    (!made || !room.takes(estimate.size())).then(|| web::NoExport::NoRoom { need: estimate.size(), room })
}

/// What those who are to be told hear.
pub(crate) fn parcels(config: &config::Config, request: &ExportRequest, by: &By, now: WallTime) -> Vec<NewParcel> {
    let zone = manifest::Place::named(&config.site.timezone);
    let name = |id: &domain::CameraId| config.cameras.iter().find(|c| c.id == *id).map_or_else(|| id.to_string(), |c| c.name.clone());
    let cameras: Vec<_> = request.cameras.iter().map(name).collect();
    let sentence = format!(
        "{} trích xuất hình {}, từ {} đến {}, mục đích: {}.",
        by.name,
        cameras.join(", "),
        zone.words(request.from),
        zone.words(request.to),
        request.purpose
    );
    let body = json!({
        "event": "export.made",
        "site": config.site.name,
        "sentence": sentence,
        "export": {"id": by.id, "by": by.name, "role": by.role, "request": request},
    });
    let parcel = |webhook: &config::Webhook| NewParcel {
        channel: telling::channel_name(webhook),
        event: "export.made".into(),
        happened: now,
        due: now,
        body: body.to_string(),
    };
    config.webhooks.iter().map(parcel).collect()
}

/// What the audit log says of it.
pub(crate) fn entry(request: &ExportRequest, name: &str, role: &str, now: WallTime) -> AuditEntry {
    let cameras: Vec<_> = request.cameras.iter().map(ToString::to_string).collect();
    let detail = format!("{} {} {} – {} – {}", cameras.join(","), request.from, request.to, request.officer, request.purpose);
    AuditEntry { at: now, who: name.to_owned(), role: role.to_owned(), what: Audited::Export, subject: String::new(), detail }
}

/// Shared with the thread that works.
pub(crate) struct Exports(pub(crate) Arc<Desk>);

#[async_trait]
impl web::Exports for Exports {
    async fn begin(&self, request: ExportRequest, by: &User) -> Result<String, web::NoExport> {
        let by = By { id: String::new(), name: by.name.clone(), role: by.role.to_string() };
        // On a task of its own: whoever asked may leave, and what was begun goes on.
        let begun = tokio::spawn(self.0.clone().begin(request, by)).await;
        begun.unwrap_or_else(|fell| Err(web::NoExport::Failed(fell.to_string())))
    }

    fn progress(&self, id: &str) -> Option<(u64, u64)> {
        let busy = self.0.busy();
        let (_, progress) = busy.as_ref().filter(|(running, _)| running == id)?;
        Some((progress.done.load(Ordering::Relaxed), progress.total.load(Ordering::Relaxed)))
    }

    fn cancel(&self, id: &str) -> bool {
        let busy = self.0.busy();
        let Some((_, progress)) = busy.as_ref().filter(|(running, _)| running == id) else { return false };
        progress.stop.store(true, Ordering::Relaxed);
        true
    }

    fn file(&self, id: &str) -> PathBuf {
        // An id comes from the database, where only ours are; still no path of it leads elsewhere.
        let name: String = id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        self.0.file(&name)
    }
}
