//! The walls for TVs: composed by a worker of their own while somebody watches, one for each mode.
//!
//! Belongs here: when a worker is started, ended, started again, and what it is told to show. Does not belong here: what a screen is made
//! of (`show`), pixels (the worker), whose TV it is (`web`).

mod show;

use crate::{capture::Capture, env::Env, exporting::viewing};
use cases::{Cases, Filter};
use config::{Config, Language};
use domain::{CameraId, CaseState, Clock, Sample, WallMode};
use hub::{Capacity, Fanout, Join};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use live::LiveStream;
use show::{Open, Standing, Time, Village};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{Notify, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use vision::{protocol::wall::Screen, wall::Source};

/// How often a screen is looked at: clocks show minutes, pages turn after seconds.
const LOOK: Duration = Duration::from_secs(1);
/// So long after the last viewer a wall is still composed: a TV that loses its line for a moment comes back to a picture.
const LINGER: Duration = Duration::from_secs(5);
/// Before a worker that failed is started again: doubling up to the second.
const AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// A worker that ran this long had begun well.
const WELL: Duration = Duration::from_secs(60);
/// Pictures between two looks, and some more.
const MADE: Capacity = Capacity { items: 50, bytes: 16 << 20 };
/// A case that nobody answered for so long no longer keeps its camera large.
const OPEN_FOR: Duration = Duration::from_secs(1800);

/// Both walls.
pub(crate) struct Walls {
    walls: [Arc<Wall>; 2],
}

struct Wall {
    mode: WallMode,
    village: Village,
    /// Ids of the cameras, in the village's order.
    ids: Vec<CameraId>,
    zone: TimeZone,
    clock: Arc<dyn Clock>,
    cases: Cases,
    out: Fanout<Sample>,
    live: LiveStream,
    /// Somebody is about to watch.
    wake: Notify,
    /// A key was pressed.
    turned: Notify,
    state: Mutex<State>,
}

struct State {
    standing: Standing,
    trouble: String,
}

/// Makes both; each is composed only while it is watched, until `stop`.
pub(crate) fn start(
    config: &Config,
    env: &Env,
    capture: &Capture,
    cases: &Cases,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Arc<Walls> {
    let cameras: Vec<_> = config.cameras.iter().filter_map(|c| Some((c, capture.looked_at(c)?))).collect();
    let village = Village {
        site: config.site.name.clone(),
        english: config.site.language == Language::En,
        cameras: cameras.iter().map(|(c, _)| c.name.clone()).collect(),
        masks: cameras.iter().map(|(c, _)| c.masks.clone()).collect(),
        off: config.wall.off,
    };
    // The configuration was read with the same database.
    let zone = TimeZoneDatabase::bundled().get(&config.site.timezone).unwrap_or(TimeZone::UTC);
    let sources: Vec<Source> =
        cameras.iter().map(|(c, (channel, samples))| Source { name: format!("{}/{channel}", c.id), samples: (*samples).clone() }).collect();
    let walls = WallMode::ALL.map(|mode| {
        let out = Fanout::new(format!("{}/{mode}", web::WALL));
        let standing = Standing::new(village.cameras.len(), env.clock.mono());
        let wall = Arc::new(Wall {
            mode,
            village: village.clone(),
            ids: cameras.iter().map(|(c, _)| c.id.clone()).collect(),
            zone: zone.clone(),
            clock: env.clock.clone(),
            cases: cases.clone(),
            live: LiveStream::new(out.clone(), out.name()),
            out,
            wake: Notify::new(),
            turned: Notify::new(),
            state: Mutex::new(State { standing, trouble: String::new() }),
        });
        let (keeper, launcher, sources, stop) = (wall.clone(), env.worker.clone(), sources.clone(), stop.clone());
        tasks.spawn(async move {
            let _ = stop.run_until_cancelled(keeper.keep(launcher, sources)).await;
        });
        wall
    });
    Arc::new(Walls { walls })
}

impl Wall {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Composes whenever somebody watches. Never ends by itself.
    async fn keep(&self, launcher: Arc<dyn vision::Launcher>, sources: Vec<Source>) {
        loop {
            self.wake.notified().await;
            // Read when it is needed: whoever installs the font need not restart the box.
            let font = tokio::task::spawn_blocking(viewing::letters).await.ok().flatten();
            let Some((font, camera)) = font.zip(web::WALL.parse().ok()) else {
                self.trouble("no font is there for the names: install the package fonts-dejavu-core");
                continue;
            };
            let wall = vision::wall::Wall {
                sources: sources.clone(),
                font: font.into(),
                clock: self.clock.clone(),
                camera,
                out: self.out.clone(),
            };
            tracing::info!(mode = %self.mode, "the wall is watched");
            self.compose(&wall, &launcher).await;
            // The next TV must not begin with the last second of this viewing.
            self.out.forget();
            self.lock().trouble.clear();
            tracing::info!(mode = %self.mode, "nobody watches the wall");
        }
    }

    /// Composes until nobody has watched for a while, whatever becomes of workers meanwhile.
    async fn compose(&self, wall: &vision::wall::Wall, launcher: &Arc<dyn vision::Launcher>) {
        let (screens, screen) = watch::channel(self.screen(None));
        let workers = async {
            let mut wait = AGAIN.0;
            loop {
                let begun = self.clock.mono();
                let error = wall.compose(launcher.clone(), screen.clone()).await;
                if self.clock.mono().since(begun) > WELL {
                    wait = AGAIN.0;
                }
                metrics::counter!("matthon_wall_failures_total", "mode" => self.mode.as_str()).increment(1);
                self.out.forget();
                self.trouble(&error.to_string());
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(AGAIN.1);
            }
        };
        tokio::select! {
            () = workers => {}
            () = self.direct(&screens) => {}
        }
    }

    /// Says what is shown, until nobody has watched for a while.
    async fn direct(&self, screens: &watch::Sender<Screen>) {
        let mut news = self.cases.subscribe();
        let mut seen = self.clock.mono();
        let mut open = None;
        let mut made = self.out.subscribe(Join::NextRandomAccess, MADE, "wall-look");
        let (mut every, mut looks) = (tokio::time::interval(LOOK), 0u32);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                _ = every.tick() => {}
                () = self.turned.notified() => {}
                // Somebody else begins to watch.
                () = self.wake.notified() => seen = self.clock.mono(),
            }
            let now = self.clock.mono();
            if self.live.viewers() > 0 {
                seen = now;
            } else if now.since(seen) > LINGER {
                return;
            }
            // A case may also be over because of its age.
            if self.mode == WallMode::Duty && (news.has_changed().unwrap_or(false) || looks.is_multiple_of(10)) {
                news.mark_unchanged();
                open = self.open().await;
            }
            looks = looks.wrapping_add(1);
            self.lock().standing.at(self.village.cameras.len(), now);
            let screen = self.screen(open.as_ref());
            screens.send_if_modified(|shown| {
                let changed = *shown != screen;
                *shown = screen;
                changed
            });
            // Once pictures come again, what was wrong is over.
            if std::iter::from_fn(|| made.try_next()).count() > 0 {
                self.lock().trouble.clear();
            }
        }
    }

    /// The newest open case of a camera that there is.
    async fn open(&self) -> Option<Open> {
        let (cases, from) = (self.cases.clone(), self.clock.wall().minus(OPEN_FOR));
        let filter = Filter { state: Some(CaseState::Raised), from: Some(from), limit: 1, ..Filter::default() };
        let found = tokio::task::spawn_blocking(move || cases.list(&filter)).await.ok()?;
        let case = match found {
            Ok(cases) => cases.into_iter().next()?,
            Err(error) => {
                tracing::warn!(%error, "the wall does not know of open cases");
                return None;
            }
        };
        let said = cases::sentence::of(&case, &self.zone);
        let words = if self.village.english { said.en } else { said.vi };
        Some(Open { camera: self.ids.iter().position(|id| *id == case.camera)?, words })
    }

    fn screen(&self, open: Option<&Open>) -> Screen {
        let standing = self.lock().standing;
        self.village.screen(self.mode, &standing, self.time(), open)
    }

    fn time(&self) -> Time {
        let stamp = jiff::Timestamp::from_microsecond(self.clock.wall().0).unwrap_or_default();
        let local = stamp.to_zoned(self.zone.clone());
        Time { hour: u8::try_from(local.hour()).unwrap_or(0), minute: u8::try_from(local.minute()).unwrap_or(0) }
    }

    fn trouble(&self, what: &str) {
        tracing::warn!(mode = %self.mode, what, "the wall is not composed");
        what.clone_into(&mut self.lock().trouble);
    }

    fn view(&self) -> web::View {
        let state = self.lock();
        let (page, pages) = state.standing.page(self.village.cameras.len());
        web::View {
            page: page + 1,
            pages,
            tiles: state.standing.tiles(),
            night: self.mode == WallMode::Public && self.village.night(self.time()),
            trouble: state.trouble.clone(),
        }
    }
}

impl Walls {
    fn of(&self, mode: WallMode) -> &Wall {
        match mode {
            WallMode::Public => &self.walls[0],
            WallMode::Duty => &self.walls[1],
        }
    }
}

impl web::Wall for Walls {
    fn watch(&self, mode: WallMode) -> LiveStream {
        let wall = self.of(mode);
        wall.wake.notify_one();
        wall.live.clone()
    }

    fn view(&self, mode: WallMode) -> web::View {
        self.of(mode).view()
    }

    fn turn(&self, mode: WallMode, turn: web::Turn) -> web::View {
        let wall = self.of(mode);
        wall.lock().standing.turn(turn, wall.village.cameras.len(), wall.clock.mono());
        wall.turned.notify_one();
        wall.view()
    }
}
