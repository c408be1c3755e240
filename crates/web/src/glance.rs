//! The picture of a case for a notification: a phone's system fetches it without being signed in, so it lies under an
//! address nobody can guess, for one look and a few minutes.
//!
//! Belongs here: the tickets and the one look. Does not belong here: who is told of what (`alerts`), the picture (`cases`).

use crate::{app::App, audit, cases::ask, guard::blocking, problem::Problem};
use axum::{
    body::Body,
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use domain::{CaseId, MonoTime, hex};
use rand::{TryRngCore, rngs::OsRng};
use std::{
    collections::HashMap,
    fmt, io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How long a ticket is good.
const LIFE: Duration = Duration::from_secs(15 * 60);
/// Tickets out at once; the oldest gives way.
const TICKETS: usize = 1024;
/// How long a look waits for a picture that is still being made: the news of a case is faster than its picture.
const PATIENCE: Duration = Duration::from_secs(8);
/// Largest picture that is sent.
const BYTES_MAX: u64 = 4 << 20;

/// One look at one case's picture, in the name of whoever was told of it.
#[derive(Clone, Debug)]
struct Glance {
    case: CaseId,
    who: String,
    role: String,
    made: MonoTime,
}

/// All tickets that are out. They are lost with the process: what was told before stands without its picture.
#[derive(Default)]
pub struct Glances(Mutex<HashMap<String, Glance>>);

impl Glances {
    /// The path of one look at a case's picture, and who will have looked; `None` when the kernel gives no random bytes.
    #[must_use]
    pub fn issue(&self, case: CaseId, who: &str, role: &str, now: MonoTime) -> Option<String> {
        let mut bytes = [0; 32];
        OsRng.try_fill_bytes(&mut bytes).ok()?;
        let token = hex(&bytes);
        self.put(token.clone(), Glance { case, who: who.to_owned(), role: role.to_owned(), made: now });
        Some(format!("/m/{token}"))
    }

    fn put(&self, token: String, glance: Glance) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= TICKETS {
            let now = glance.made;
            all.retain(|_, g| now.since(g.made) < LIFE);
            if let Some(oldest) = all.iter().min_by_key(|(_, g)| g.made).map(|(t, _)| t.clone()).filter(|_| all.len() >= TICKETS) {
                all.remove(&oldest);
            }
        }
        all.insert(token, glance);
    }

    /// Takes a ticket: whoever comes second has none.
    fn take(&self, token: &str, now: MonoTime) -> Option<Glance> {
        let glance = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(token)?;
        (now.since(glance.made) < LIFE).then_some(glance)
    }
}

impl fmt::Debug for Glances {
    /// How many; tickets are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Glances").field(&self.0.lock().unwrap_or_else(PoisonError::into_inner).len()).finish()
    }
}

/// `GET /m/{token}`
pub(crate) async fn picture(State(app): State<Arc<App>>, Path(token): Path<String>) -> Result<Response, Problem> {
    let now = app.context.clock.mono();
    // What was asked for is not repeated: it may be somebody's ticket, mistyped.
    let unknown = || Problem::Unknown { what: "picture", name: "…".to_owned() };
    let glance = app.context.glances.take(&token, now).ok_or_else(unknown)?;
    let found = tokio::time::timeout(PATIENCE, still(&app, glance.case)).await;
    let path = match found {
        Ok(Ok(Some(path))) => path,
        // Nothing was shown: the ticket is good for another look.
        nothing => {
            app.context.glances.put(token, glance);
            return Err(match nothing {
                Ok(Err(problem)) => problem,
                _ => Problem::NoEvidence("picture"),
            });
        }
    };
    let bytes = blocking(move || read(&path)).await?.map_err(Problem::internal)?;
    audit::glanced(&app, glance.who, glance.role, glance.case).await?;
    let fields = [(header::CONTENT_TYPE, "image/jpeg"), (header::CACHE_CONTROL, "no-store")];
    Ok((fields, Body::from(bytes)).into_response())
}

/// The case's picture as soon as there is one; `None`: there will be none.
async fn still(app: &Arc<App>, id: CaseId) -> Result<Option<PathBuf>, Problem> {
    let mut latest = app.context.cases.subscribe();
    loop {
        latest.borrow_and_update();
        let (path, pending, camera) = ask(app, move |cases| {
            let case = cases.get(id)?;
            Ok((cases.small_still_path(id)?, case.still == domain::StillState::Pending, case.camera))
        })
        .await?;
        // Nobody chose to look: of a masked camera a telephone's lock screen shows the sentence alone, whoever's it is.
        if app.context.cameras.iter().find(|c| c.id == camera).is_none_or(|c| c.masked) {
            return Ok(None);
        }
        if path.is_some() || !pending || latest.changed().await.is_err() {
            return Ok(path);
        }
    }
}

fn read(path: &std::path::Path) -> io::Result<Vec<u8>> {
    if std::fs::metadata(path)?.len() > BYTES_MAX {
        return Err(io::Error::other("a picture of a case is larger than 4 MiB"));
    }
    std::fs::read(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> MonoTime {
        MonoTime::default().plus(Duration::from_secs(seconds))
    }

    #[test]
    fn a_ticket_is_for_one_look_and_some_minutes() {
        let all = Glances::default();
        let paths: Vec<_> = (0..3).map(|n| all.issue(CaseId(n), "Lan", "official", at(0)).unwrap()).collect();
        let token = |n: usize| paths[n].strip_prefix("/m/").unwrap();
        assert_eq!((token(0).len(), token(0) == token(1)), (64, false));
        assert_eq!(all.take(token(0), at(899)).unwrap().case, CaseId(0));
        assert!(all.take(token(0), at(899)).is_none(), "one look");
        assert!(all.take(token(1), at(900)).is_none(), "too late");
        assert!(all.take("", at(0)).is_none());
        assert!(!format!("{all:?}").contains(token(2)));
    }

    #[test]
    fn of_too_many_tickets_the_oldest_gives_way() {
        let all = Glances::default();
        let first = all.issue(CaseId(1), "Lan", "official", at(0)).unwrap();
        let second = all.issue(CaseId(2), "Lan", "official", at(1)).unwrap();
        for _ in 0..TICKETS - 1 {
            all.issue(CaseId(3), "Lan", "official", at(2)).unwrap();
        }
        let take = |path: &str| all.take(path.strip_prefix("/m/").unwrap(), at(3)).is_some();
        assert_eq!((take(&first), take(&second)), (false, true));
    }
}
