//! The router, made from the table; and what requests share beyond the context.

use crate::{
    audit,
    context::Context,
    endpoints::{Access, table},
    guard, headers, page,
    plans::Plans,
    problem::Problem,
    tv::pairing::Pairings,
    way,
};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{StatusCode, Uri},
    middleware,
    response::{IntoResponse, Response},
};
use ring::ClipPlan;
use std::{sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tower_http::{
    compression::{
        CompressionLayer,
        predicate::{DefaultPredicate, NotForContentType, Predicate},
    },
    timeout::TimeoutLayer,
};

/// Live sockets open at once.
pub(crate) const LIVE_SOCKETS: u32 = 200;
/// Streams kept as files for HLS players at once; each holds its last seconds in memory, 12 MB usually at most.
const HLS_STREAMS: usize = 16;
/// Minutes of clips held open at once: a plan holds the sample table of its time in memory (about 30 kB a minute).
pub(crate) const CLIP_MINUTES: u32 = 2880;
/// Look-ups in the ring at once: the blocking threads behind them also answer who somebody is, and need room left.
const READS: usize = 4;
/// Passwords hashed or waiting for it at once; each takes 19 MiB and 35 ms or more.
const LOGINS: usize = 8;
/// Streams of events open at once; each holds one of the server's connections.
const EVENT_STREAMS: usize = 100;
/// Pictures being taken at once: each is one decoder at work.
const SNAPSHOTS: usize = 2;
/// Largest request body: a name and a password, or a note.
const BODY: usize = 16 << 10;
/// How long an answer may take to begin.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// Shared by all requests.
pub(crate) struct App {
    pub(crate) context: Arc<Context>,
    pub(crate) live_sockets: Arc<Semaphore>,
    pub(crate) hls_streams: Arc<Semaphore>,
    pub(crate) clip_minutes: Arc<Semaphore>,
    pub(crate) event_streams: Arc<Semaphore>,
    pub(crate) snapshots: Arc<Semaphore>,
    /// One at a time: they read one connection, and must not take the turns of who plays.
    pub(crate) searches: Arc<Semaphore>,
    reads: Arc<Semaphore>,
    pub(crate) logins: Semaphore,
    /// Screens that wait to be let in.
    pub(crate) pairings: Pairings,
    /// Films of recordings that are being made.
    pub(crate) films: crate::film::Makings,
    /// Clips that were planned a moment ago.
    pub(crate) plans: Plans<ClipPlan>,
    /// Who watches by WebRTC, by the name of his session.
    pub(crate) visits: crate::webrtc::Visits,
    /// Each person's part of the renditions.
    pub(crate) shares: crate::share::Shares,
    /// Who looked at what a moment ago.
    pub(crate) looks: std::sync::Mutex<audit::Looks>,
    /// The server is going away: sockets close.
    pub(crate) stop: CancellationToken,
}

/// The whole interface as a router. Its live sockets end only with their viewers; [`crate::serve()`] also ends them
/// at shutdown.
pub fn router(context: Arc<Context>) -> Router {
    build(&App::new(context, CancellationToken::new()))
}

impl App {
    /// A turn to look something up in the ring; give it back when the look-up is done, not when its client leaves.
    pub(crate) async fn reads_turn(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.reads).acquire_owned().await.map_err(Problem::internal)
    }

    pub(crate) fn new(context: Arc<Context>, stop: CancellationToken) -> Arc<Self> {
        Arc::new(Self {
            context,
            live_sockets: Arc::new(Semaphore::new(LIVE_SOCKETS as usize)),
            hls_streams: Arc::new(Semaphore::new(HLS_STREAMS)),
            clip_minutes: Arc::new(Semaphore::new(CLIP_MINUTES as usize)),
            event_streams: Arc::new(Semaphore::new(EVENT_STREAMS)),
            snapshots: Arc::new(Semaphore::new(SNAPSHOTS)),
            searches: Arc::new(Semaphore::new(1)),
            reads: Arc::new(Semaphore::new(READS)),
            logins: Semaphore::new(LOGINS),
            pairings: Pairings::default(),
            films: crate::film::Makings::default(),
            plans: Plans::default(),
            visits: crate::webrtc::Visits::default(),
            shares: crate::share::Shares::default(),
            looks: std::sync::Mutex::default(),
            stop,
        })
    }
}

pub(crate) fn build(app: &Arc<App>) -> Router {
    let mut router = Router::new();
    for endpoint in table() {
        let mut handler = (endpoint.handler)();
        if let Some(what) = endpoint.audit {
            let book = audit::Book { app: Arc::clone(app), what };
            handler = handler.route_layer(middleware::from_fn_with_state(book, audit::write));
        }
        handler = match endpoint.access {
            Access::Public => handler,
            Access::Roles(roles) => {
                let gate = guard::Gate { app: Arc::clone(app), roles, one_case: endpoint.one_case() };
                handler.route_layer(middleware::from_fn_with_state(gate, guard::admit))
            }
            Access::Tv => handler.route_layer(middleware::from_fn_with_state(Arc::clone(app), guard::admit_tv)),
        };
        if !endpoint.public_door() {
            handler = handler.route_layer(middleware::from_fn(way::inside));
        }
        router = router.route(endpoint.path, handler);
    }
    // Video is not compressible, and a compressed body has no length.
    let compressible = DefaultPredicate::new().and(NotForContentType::const_new("video/"));
    router
        .fallback(elsewhere)
        .method_not_allowed_fallback(|| async { Problem::Method })
        .layer(CompressionLayer::new().compress_when(compressible))
        .layer(DefaultBodyLimit::max(BODY))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, ANSWER_WITHIN))
        .layer(middleware::from_fn_with_state(Arc::clone(app), way::find))
        .layer(middleware::map_response(headers::secure))
        .with_state(Arc::clone(app))
}

/// The page, for everything that is not the API's.
async fn elsewhere(method: axum::http::Method, uri: Uri, headers: axum::http::HeaderMap) -> Response {
    if uri.path().starts_with("/api/") {
        return Problem::NoSuchPath.into_response();
    }
    page::serve(&method, uri.path(), &headers)
}
