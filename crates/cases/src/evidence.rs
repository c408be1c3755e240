//! Fetching evidence: two lanes (pictures, clips) that take open jobs from the store, so that a restart forgets none and
//! a slow clip keeps no picture waiting.
//!
//! Belongs here: what is asked for when, how often, and what becomes of it. Does not belong here: how pictures and clips
//! are made (`Footage`), where files lie (`files`).

use crate::{CaseError, Cases, Fullness, Missing, files::Piece};
use domain::{ClipState, StillState, WallTime};
use std::{collections::HashMap, future::Future, time::Duration};
use store::{CaseRow, CaseWork, EvidenceChange, Job};
use tokio::{
    sync::Notify,
    task::{Id, JoinSet},
    time,
};
use tokio_util::sync::CancellationToken;

/// After this many tries in vain evidence is missing: with the waits between them about three minutes.
pub(crate) const TRIES_MAX: u32 = 12;
/// What is there at once is asked for only this often: the picture the detector saw is forgotten within seconds, and of a
/// clip the whole is on its way.
const AT_ONCE_TRIES: u32 = 3;
/// The first wait; each further one is twice as long.
const WAIT_FIRST: Duration = Duration::from_millis(500);
/// The longest wait between tries.
const WAIT_MAX: Duration = Duration::from_secs(30);
/// A picture that takes longer is asked for again.
const STILL_LIMIT: Duration = Duration::from_secs(15);
/// A clip that takes longer is asked for again.
const CLIP_LIMIT: Duration = Duration::from_secs(120);
/// Tries for the end of a clip that ends early; afterwards the recording did.
const TAIL_TRIES: u32 = 3;
/// A clip this little short is whole: pictures are not cut in two.
const SHORT: Duration = Duration::from_secs(1);
/// Jobs looked at in one go.
const LOOK: usize = 32;
/// How long a lane rests when the database fails, and the longest it sleeps while work is open (clocks are set).
const REST: Duration = Duration::from_secs(5);

/// One kind of work with its own places.
#[derive(Clone, Copy)]
struct Lane {
    jobs: [Job; 2],
    places: usize,
}

const STILLS: Lane = Lane { jobs: [Job::Small, Job::Main], places: 4 };
const CLIPS: Lane = Lane { jobs: [Job::Early, Job::Clip], places: 2 };

impl Cases {
    /// Fetches evidence until told to stop: what is open from before, and what comes. Run it once.
    pub async fn run(self, stop: CancellationToken) {
        let (stills, clips) = (self.clone(), self.clone());
        tokio::join!(stills.lane(STILLS, &self.0.stills, &stop), clips.lane(CLIPS, &self.0.clips, &stop));
    }
}

impl Cases {
    async fn lane(&self, lane: Lane, news: &Notify, stop: &CancellationToken) {
        let (mut tasks, mut under_way) = (JoinSet::new(), HashMap::new());
        loop {
            let now = self.0.clock.wall();
            let sleep = match self.begin(lane, now, &mut tasks, &mut under_way).await {
                Ok(next) => next.map(|at| Duration::from_micros(at.micros_since(now).unsigned_abs()).min(REST)),
                Err(error) => {
                    tracing::error!(%error, "the list of evidence to be fetched cannot be read; trying again");
                    Some(REST)
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = news.notified() => {}
                Some(ended) = tasks.join_next_with_id() => match ended {
                    Ok((id, ())) => drop(under_way.remove(&id)),
                    // A bug, but none that may stop the evidence of other cases, nor spin.
                    Err(fell) => if let Some(work) = under_way.remove(&fell.id()) {
                        tracing::error!(case = %work.case, job = %work.job, error = %fell, "fetching evidence fell");
                        self.put_off(work).await;
                    },
                },
                () = time::sleep(sleep.unwrap_or(REST)), if sleep.is_some() => {}
            }
        }
    }

    /// Begins what is due while there is room; answers when the next job is due, if there is room for it.
    /// A case has one job a lane at a time: two would write the same file.
    async fn begin(
        &self,
        lane: Lane,
        now: WallTime,
        tasks: &mut JoinSet<()>,
        under_way: &mut HashMap<Id, CaseWork>,
    ) -> Result<Option<WallTime>, CaseError> {
        if under_way.len() >= lane.places {
            return Ok(None);
        }
        let look = move |c: &Self| Ok((c.0.store.case_work_due(lane.jobs, now, LOOK)?, c.0.store.case_work_next(lane.jobs, now)?));
        let (due, next) = self.blocking(look).await?;
        for work in due {
            if under_way.len() >= lane.places {
                return Ok(None);
            }
            if under_way.values().any(|w| w.case == work.case) {
                continue;
            }
            let this = self.clone();
            let task = tasks.spawn(async move {
                if let Err(error) = this.fetch(work).await {
                    tracing::error!(case = %work.case, job = %work.job, %error, "evidence cannot be kept; trying again");
                    time::sleep(REST).await;
                }
            });
            under_way.insert(task.id(), work);
        }
        Ok(next)
    }

    async fn put_off(&self, work: CaseWork) {
        let later = self.0.clock.wall().plus(wait(work.tries));
        if let Err(error) = self.blocking(move |c| Ok(c.0.store.case_work_later(work, later)?)).await {
            tracing::error!(%error, "the list of evidence to be fetched cannot be written");
            time::sleep(REST).await;
        }
    }

    /// One try at one job, and what follows from it.
    async fn fetch(&self, work: CaseWork) -> Result<(), CaseError> {
        let row = self.blocking(move |c| Ok(c.0.store.case(work.case)?)).await?;
        let most = match work.job {
            Job::Small | Job::Early => AT_ONCE_TRIES,
            Job::Main | Job::Clip => TRIES_MAX,
        };
        let tried = match work.job {
            // Only a job that never comes to its end, by a bug, is here with all its tries used.
            _ if work.tries >= most => Err(Missing::Never("tried too often".to_owned())),
            Job::Small | Job::Main => self.still(&row, work.job).await,
            Job::Early | Job::Clip => self.clip(&row, work).await,
        };
        let (change, done, outcome) = match tried {
            Ok((change, done)) => (change, done, "done"),
            Err(Missing::NotYet(reason)) if work.tries + 1 < most => {
                tracing::debug!(case = %work.case, job = %work.job, tries = work.tries + 1, reason, "evidence is not there yet");
                (None, &[][..], "")
            }
            Err(reason) => {
                tracing::warn!(case = %work.case, camera = %row.camera, job = %work.job, %reason, "evidence is missing");
                (given_up(work.job), finished(work.job), "missing")
            }
        };
        if !done.is_empty() {
            metrics::counter!("matthon_evidence_total", "job" => work.job.as_str(), "outcome" => outcome).increment(1);
        }
        let later = self.0.clock.wall().plus(wait(work.tries));
        self.blocking(move |c| {
            // What cannot be measured keeps its old number; the next change measures again.
            let bytes = change.and_then(|_| c.0.files.bytes(work.case).ok());
            let told = c.0.store.change_evidence(work.case, change, done, bytes)?;
            if done.is_empty() {
                c.0.store.case_work_later(work, later)?;
            }
            if told { c.announce() } else { Ok(()) }
        })
        .await
    }

    async fn still(&self, row: &CaseRow, job: Job) -> Result<Got, Missing> {
        let footage = &self.0.footage;
        let (piece, state, asked) = match job {
            Job::Small => (Piece::Small, StillState::Small, footage.recent(&row.camera, row.raised)),
            _ => (Piece::Main, StillState::Main, footage.still(&row.camera, row.raised)),
        };
        let still = limited(STILL_LIMIT, asked).await?;
        let id = row.id;
        self.on_disk(move |c| c.0.files.write(id, piece, &still.jpeg)).await?;
        Ok((Some(EvidenceChange::Still(state)), finished(job)))
    }

    async fn clip(&self, row: &CaseRow, work: CaseWork) -> Result<Got, Missing> {
        let (id, (from, to)) = (row.id, row.wanted);
        // A clip that is begun becomes whole: at most a few more than there is room for.
        if row.clip == ClipState::Pending && self.full().await? {
            return Ok(match work.job {
                Job::Early => (None, finished(Job::Early)),
                _ => {
                    tracing::warn!(case = %id, "the evidence store is full: of this case the picture and the time are kept, no clip");
                    (Some(EvidenceChange::Clip(ClipState::RangeOnly, Some((from, to)))), finished(Job::Clip))
                }
            });
        }
        let part = self.on_disk(move |c| c.0.files.part(id, Piece::Clip)).await?;
        let info = limited(CLIP_LIMIT, self.0.footage.clip(&row.camera, from, to, &part)).await?;
        self.on_disk(move |c| c.0.files.put_in(id, Piece::Clip, info.bytes)).await?;
        let clip = |state| Some(EvidenceChange::Clip(state, Some((info.from, info.to))));
        Ok(match work.job {
            // All of it already: the box was off when it was raised, or the lane was behind.
            _ if info.to.plus(SHORT) >= to => (clip(ClipState::Done), finished(Job::Clip)),
            Job::Early => (clip(ClipState::Partial), finished(Job::Early)),
            // The recording ended earlier, and that is all there will be.
            _ if work.tries + 1 >= TAIL_TRIES => (clip(ClipState::Partial), finished(Job::Clip)),
            _ => (clip(ClipState::Partial), &[]),
        })
    }

    /// Whether there is no room for a clip. A database that does not say is a reason to try again.
    async fn full(&self) -> Result<bool, Missing> {
        let room = self.blocking(|c| Ok(c.0.gauge.now()?)).await.map_err(|e| Missing::NotYet(e.to_string()))?;
        Ok(room.fullness() == Fullness::Full)
    }

    /// Runs something that waits for the database.
    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce(&Self) -> Result<T, CaseError> + Send + 'static) -> Result<T, CaseError> {
        let this = self.clone();
        match tokio::task::spawn_blocking(move || work(&this)).await {
            Ok(done) => done,
            Err(ended) => match ended.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is going down, and we with it.
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// Runs something that waits for the disk; a full one is a reason to try again.
    async fn on_disk<T: Send + 'static>(&self, work: impl FnOnce(&Self) -> std::io::Result<T> + Send + 'static) -> Result<T, Missing> {
        let written = self.blocking(move |c| Ok(work(c))).await.map_err(|e| Missing::NotYet(e.to_string()))?;
        written.map_err(|e| Missing::NotYet(format!("{}: {e}", self.0.config.evidence.display())))
    }
}

/// What a try brought, and the jobs that are done by it; none: there may be more to come.
type Got = (Option<EvidenceChange>, &'static [Job]);

/// Jobs that need not be done any more when this one is.
fn finished(job: Job) -> &'static [Job] {
    match job {
        Job::Small => &[Job::Small],
        Job::Main => &[Job::Main, Job::Small],
        Job::Early => &[Job::Early],
        Job::Clip => &[Job::Clip, Job::Early],
    }
}

/// What it means that a job was given up: after the small picture the main one may still come, after the beginning of a
/// clip the whole. The store keeps what is better.
fn given_up(job: Job) -> Option<EvidenceChange> {
    match job {
        Job::Small | Job::Early => None,
        Job::Main => Some(EvidenceChange::Still(StillState::Missing)),
        Job::Clip => Some(EvidenceChange::Clip(ClipState::Missing, None)),
    }
}

fn wait(tries: u32) -> Duration {
    WAIT_FIRST.saturating_mul(1 << tries.min(10)).min(WAIT_MAX)
}

async fn limited<T>(limit: Duration, asked: impl Future<Output = Result<T, Missing>>) -> Result<T, Missing> {
    time::timeout(limit, asked).await.unwrap_or_else(|_| Err(Missing::NotYet(format!("no answer within {} s", limit.as_secs()))))
}
