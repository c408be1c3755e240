//! The daemon's local socket: commands that write go through it while the daemon runs, so that users have one writer.
//!
//! `DATA/matthon.sock`, mode 0600; one JSON line asks, one JSON line answers. Who can open the socket owns the data anyway.

use crate::exporting::desk;
use anyhow::{Context, Result};
use domain::{Audited, Clock, Role};
use evidence::ExportRequest;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, ErrorKind, Write},
    os::unix::{fs::PermissionsExt, net::UnixStream},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use store::{AuditEntry, ExportState, NewParcel};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

/// What can be asked.
#[derive(Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Request {
    UserAdd {
        name: String,
        role: Role,
        password: String,
    },
    UserToken {
        name: String,
    },
    /// Somebody known, or somebody new of that role.
    UserInvite {
        name: String,
        role: Option<Role>,
        lost: bool,
    },
    RingStatus,
    /// Begins to rebuild a ring, or asks how far that is.
    RingRebuild {
        ring: String,
    },
    ExportBegun {
        request: Box<ExportRequest>,
        name: String,
        role: String,
        parcels: Vec<(String, String)>,
    },
    ExportEnded {
        id: String,
        state: String,
        bytes: u64,
        trouble: String,
    },
}

/// What comes back.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Answer {
    Done,
    Token(String),
    Invitation { secret: String, expires: String },
    Rings(serde_json::Value),
    Rebuilding { done: u64, total: u64 },
    Rebuilt(ring::inspect::Rebuilt),
    Export(String),
    Failed(String),
}

/// Longest request read: a name, a role and a password fit many times over.
const MAX_REQUEST: u64 = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn socket_path(data: &Path) -> PathBuf {
    data.join("matthon.sock")
}

/// Asks the daemon; `None` when none runs.
pub(crate) fn ask(data: &Path, request: &Request) -> Result<Option<Answer>> {
    let path = socket_path(data);
    let mut stream = match UnixStream::connect(&path) {
        Ok(s) => s,
        // Refused: a socket file that a killed daemon left behind.
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => return Ok(None),
        Err(e) => return Err(e).with_context(|| format!("cannot reach the running daemon at {}", path.display())),
    };
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = serde_json::to_string(request)?;
    line.push('\n');
    stream.write_all(line.as_bytes())?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).context("the running daemon gave no answer")?;
    Ok(Some(serde_json::from_str(&answer).context("the running daemon's answer cannot be read; is it another version?")?))
}

/// What the daemon answers with.
pub(crate) struct Control {
    store: store::Store,
    clock: Arc<dyn Clock>,
    rings: Vec<ring::Recorder>,
    rebuilding: Arc<Mutex<BTreeMap<String, Rebuild>>>,
}

/// A rebuild that somebody asked for.
enum Rebuild {
    Running(u64, u64),
    Ended(Result<ring::inspect::Rebuilt, String>, Instant),
}

impl Control {
    pub(crate) fn new(store: store::Store, clock: Arc<dyn Clock>, rings: Vec<ring::Recorder>) -> Self {
        Self { store, clock, rings, rebuilding: Arc::default() }
    }

    /// Begins a rebuild, or says how far the one that runs is. Its result is told once.
    fn rebuild(&self, name: &str) -> Answer {
        let all = || self.rebuilding.lock().unwrap_or_else(PoisonError::into_inner);
        let mut running = all();
        match running.get(name) {
            Some(Rebuild::Running(done, total)) => return Answer::Rebuilding { done: *done, total: *total },
            Some(Rebuild::Ended(ended, at)) if at.elapsed() < PATIENCE => {
                let answer = match ended {
                    Ok(rebuilt) => Answer::Rebuilt(*rebuilt),
                    Err(why) => Answer::Failed(why.clone()),
                };
                running.remove(name);
                return answer;
            }
            // Nobody waited for the result of that one.
            Some(Rebuild::Ended(..)) | None => {}
        }
        let Some(ring) = self.rings.iter().find(|r| r.status().name == name).cloned() else {
            return Answer::Failed(format!("the running daemon has no ring {name}: was the configuration changed since its start?"));
        };
        running.insert(name.to_owned(), Rebuild::Running(0, 0));
        drop(running);
        let (shared, key) = (self.rebuilding.clone(), name.to_owned());
        let note = move |state| {
            shared.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), state);
        };
        tracing::info!(ring = name, "rebuilding index and footers beside the recording");
        let begun = std::thread::Builder::new().name("rebuild".into()).spawn(move || {
            let ended = ring.rebuild(|done, total| note(Rebuild::Running(done, total)));
            note(Rebuild::Ended(ended.map_err(|e| e.to_string()), Instant::now()));
        });
        if let Err(e) = begun {
            all().remove(name);
            return Answer::Failed(e.to_string());
        }
        Answer::Rebuilding { done: 0, total: 0 }
    }

    /// Opens the socket. The ring's lock already proved that no other daemon lives on this data.
    pub(crate) fn listen(data: &Path) -> Result<tokio::net::UnixListener> {
        let path = socket_path(data);
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(e).with_context(|| format!("cannot replace {}", path.display())),
            _ => {}
        }
        let listener = tokio::net::UnixListener::bind(&path).with_context(|| format!("cannot open {}", path.display()))?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        Ok(listener)
    }

    /// Serves until told to stop. One request at a time: these are a person's commands, not traffic.
    pub(crate) async fn serve(self: Arc<Self>, listener: tokio::net::UnixListener, stop: CancellationToken) {
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let Ok((stream, _)) = accepted else {
                // Out of descriptors, most likely: asking again at once would only burn the processor.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            if let Err(error) =
                tokio::time::timeout(PATIENCE, self.clone().one(stream)).await.unwrap_or_else(|_| Err(anyhow::anyhow!("too slow")))
            {
                tracing::warn!(%error, "a local command was not answered");
            }
        }
    }

    async fn one(self: Arc<Self>, stream: tokio::net::UnixStream) -> Result<()> {
        let (read, mut write) = stream.into_split();
        let mut line = String::new();
        tokio::io::BufReader::new(read.take(MAX_REQUEST)).read_line(&mut line).await?;
        let answer = match serde_json::from_str(&line) {
            Ok(request) => tokio::task::spawn_blocking(move || self.answer(request)).await?,
            Err(_) => Answer::Failed("the daemon does not know this command; is it another version?".into()),
        };
        let mut text = serde_json::to_string(&answer)?;
        text.push('\n');
        write.write_all(text.as_bytes()).await?;
        Ok(())
    }

    fn answer(&self, request: Request) -> Answer {
        match request {
            Request::RingStatus => {
                let all: Vec<_> = self.rings.iter().map(ring::Recorder::status).collect();
                serde_json::to_value(all).map_or_else(|e| Answer::Failed(e.to_string()), Answer::Rings)
            }
            Request::RingRebuild { ring } => self.rebuild(&ring),
            other => on_store(&self.store, self.clock.as_ref(), other),
        }
    }
}

/// Carries out a request that concerns only the store: in the daemon, or in the command itself when none runs.
pub(crate) fn on_store(store: &store::Store, clock: &dyn Clock, request: Request) -> Answer {
    let now = clock.wall();
    let local = |what, subject: &str, detail: String| AuditEntry {
        at: now,
        who: String::new(),
        role: "local".into(),
        what,
        subject: subject.to_owned(),
        detail,
    };
    let done = match request {
        Request::UserAdd { name, role, password } => store
            .add_user(&name, role, &password, now)
            .and_then(|_| store.audit(&local(Audited::UserAdded, &name, role.to_string())))
            .map(|_| Answer::Done),
        Request::UserToken { name } => store.issue_token(&name, now).and_then(|token| {
            store.audit(&local(Audited::TokenGiven, &name, String::new()))?;
            Ok(Answer::Token(token))
        }),
        Request::UserInvite { name, role, lost } => invite(store, &name, role, lost, now).and_then(|(new, invitation)| {
            if let Some(role) = new {
                store.audit(&local(Audited::UserAdded, &name, role.to_string()))?;
            }
            if lost {
                store.audit(&local(Audited::DeviceReleased, &name, "all".into()))?;
            }
            store.audit(&local(Audited::Invited, &name, String::new()))?;
            Ok(Answer::Invitation { secret: invitation.secret.expose().to_owned(), expires: invitation.expires.to_string() })
        }),
        Request::ExportBegun { request, name, role, parcels } => match serde_json::to_string(&request) {
            Err(e) => Ok(Answer::Failed(e.to_string())),
            Ok(text) => {
                let told = |id: &str| {
                    let parcel = |(channel, body): (String, String)| {
                        let mut body: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
                        body["export"]["id"] = id.into();
                        NewParcel { channel, event: "export.made".into(), happened: now, due: now, body: body.to_string() }
                    };
                    parcels.into_iter().map(parcel).collect()
                };
                store.add_export(&text, &desk::entry(&request, &name, &role, now), told).and_then(|id| {
                    let taken = AuditEntry { who: name, role, ..local(Audited::Kept, "", format!("held by package {id}")) };
                    store.take_kept(&request.cameras, request.from, request.to, &taken)?;
                    Ok(Answer::Export(id))
                })
            }
        },
        Request::ExportEnded { id, state, bytes, trouble } => {
            let state =
                [ExportState::Done, ExportState::Cancelled].into_iter().find(|s| s.as_str() == state).unwrap_or(ExportState::Failed);
            store.end_export(&id, state, bytes, &trouble, now).map(|()| Answer::Done)
        }
        Request::RingStatus | Request::RingRebuild { .. } => Ok(Answer::Failed("no daemon is running".into())),
    };
    done.unwrap_or_else(|e| Answer::Failed(e.to_string()))
}

/// Invites whoever bears the name; adds him first where a role is given and nobody does. Answers the role of somebody new.
fn invite(
    store: &store::Store,
    name: &str,
    role: Option<Role>,
    lost: bool,
    now: domain::WallTime,
) -> Result<(Option<Role>, store::Invitation), store::StoreError> {
    let folded = name.trim().to_lowercase();
    let known = store.users()?.into_iter().find(|u| u.name.to_lowercase() == folded);
    let (new, person) = match (known, role) {
        (Some(known), _) => (None, known.id),
        (None, Some(role)) => (Some(role), store.add_person(name, role, None, now)?.id),
        (None, None) => return Err(store::StoreError::NoSuchUser { name: name.to_owned() }),
    };
    Ok((new, store.invite(person, lost, now)?))
}
