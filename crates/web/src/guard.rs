//! Who is asking, and whether this endpoint is for him. Every endpoint that is not public passes here.

use crate::{
    app::App,
    context::{Camera, Context},
    origin::Origin,
    problem::Problem,
    tv, wall,
    way::Way,
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use axum_extra::extract::CookieJar;
use domain::{CameraId, CaseId, Role, Secret};
use std::sync::Arc;
use store::{CaseLinkHolder, StoreError, Tv, User};

/// The cookie of a session.
pub(crate) const COOKIE: &str = "matthon_session";
/// How secrets begin that are good for one case.
const ONE_CASE: &str = "mc_";
/// Longest secret worth hashing.
const SECRET_MAX: usize = 128;

/// What an endpoint's row asks for.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) app: Arc<App>,
    pub(crate) roles: &'static [Role],
    /// Whether the row is for browsers, too, that a link let in to the case of its path.
    pub(crate) one_case: bool,
}

/// How somebody proved who he is.
#[derive(Clone, Debug)]
pub(crate) enum Credential {
    /// The cookie, which browsers send along whoever's page asks.
    Session(Secret),
    /// A token, which only a program that knows it sends.
    Token(Secret),
    /// What a link to one case gave the first browser that opened it. The page sends it; no browser does by itself.
    OneCase(Secret),
    /// A TV's own cookie, which only the endpoints for TVs look at.
    Tv(Secret),
}

/// Whoever asks, let in.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) user: User,
    pub(crate) credential: Credential,
    /// Who made the link to one case by which this browser was let in.
    pub(crate) by_link_of: Option<String>,
    /// The roles of the endpoint, for the sockets that ask again.
    pub(crate) roles: &'static [Role],
}

impl Caller {
    /// Whether the endpoint is for this user's role.
    pub(crate) fn in_role(&self) -> bool {
        self.roles.contains(&self.user.role)
    }

    /// Whether this camera is on the user's list.
    pub(crate) fn may_see(&self, camera: &CameraId) -> bool {
        self.user.cameras.as_ref().is_none_or(|list| list.contains(camera))
    }

    /// The camera of that id. One that is not for this user does not exist for him.
    pub(crate) fn camera<'a>(&self, context: &'a Context, id: &str) -> Result<&'a Camera, Problem> {
        let found = context.cameras.iter().find(|c| c.id.as_str() == id && self.may_see(&c.id));
        // Only as much of a made-up name comes back as a real one could have.
        found.ok_or_else(|| Problem::Unknown { what: "camera", name: id.chars().take(domain::ids::CAMERA_ID_MAX).collect() })
    }
}

/// Lets a request through to its handler with a [`Caller`], or answers 401 or 403.
pub(crate) async fn admit(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    // Who came no way that was noted came from no page of ours.
    let origin = request.extensions().get::<Way>().map_or(Origin::Other, |way| way.origin);
    match check(&gate, request.method(), request.uri(), request.headers(), origin).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

async fn check(gate: &Gate, method: &Method, uri: &Uri, headers: &HeaderMap, origin: Origin) -> Result<Caller, Problem> {
    let credential = presented(headers).ok_or(Problem::SignIn)?;
    let (user, only) = known(&gate.app.context, &credential).await?.ok_or(Problem::SignIn)?;
    if only.as_ref().is_some_and(|only| !(gate.one_case && names(uri, only.case))) {
        return Err(Problem::OneCase);
    }
    // A cookie proves the browser, not the page: what changes something, and what a page of another site could
    // read (sockets know no same-origin rule), must come from ours.
    let upgrade = headers.contains_key(header::UPGRADE);
    let risky = upgrade || !matches!(*method, Method::GET | Method::HEAD);
    if risky && matches!(credential, Credential::Session(_)) && origin != Origin::Same {
        return Err(Problem::Origin);
    }
    let caller = Caller { user, credential, by_link_of: only.map(|only| only.by), roles: gate.roles };
    if !caller.in_role() {
        return Err(Problem::Role(caller.user.role));
    }
    Ok(caller)
}

/// Lets a TV through to its handler, or answers 401. Whoever else is signed in there is nobody here.
pub(crate) async fn admit_tv(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let origin = request.extensions().get::<Way>().map_or(Origin::Other, |way| way.origin);
    let secret = CookieJar::from_headers(request.headers()).get(tv::COOKIE).map(|c| Secret::new(c.value().to_owned()));
    let Some(secret) = secret.filter(|s| s.expose().len() <= SECRET_MAX) else { return Problem::SignIn.into_response() };
    let risky = request.headers().contains_key(header::UPGRADE) || !matches!(*request.method(), Method::GET | Method::HEAD);
    let (store, now, asked) = (app.context.store.clone(), app.context.clock.wall(), secret.clone());
    let found = blocking(move || store.tv(asked.expose(), now)).await.and_then(|found| found.map_err(Problem::internal));
    let tv = match found {
        Ok(Some(_)) if risky && origin != Origin::Same => return Problem::Origin.into_response(),
        Ok(Some(tv)) => tv,
        Ok(None) => return Problem::SignIn.into_response(),
        Err(problem) => return problem.into_response(),
    };
    let caller = Caller { user: as_user(&tv), credential: Credential::Tv(secret), by_link_of: None, roles: &[Role::Viewer] };
    request.extensions_mut().insert(caller.clone());
    request.extensions_mut().insert(tv::Asks(tv, caller));
    next.run(request).await
}

/// A TV where a caller is asked for: one who may see the wall and no camera. Its number is no user's.
fn as_user(tv: &Tv) -> User {
    let cameras = CameraId::new(wall::CAMERA).into_iter().collect();
    User { id: -tv.id, name: tv.name.clone(), role: Role::Viewer, cameras: Some(cameras) }
}

/// The credential a request carries; a bearer token goes before a cookie.
fn presented(headers: &HeaderMap) -> Option<Credential> {
    // Another scheme is a proxy's in front of us: it says nothing here, and must not hide the cookie.
    let authorization = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.split_once(' '));
    if let Some((_, token)) = authorization.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")) {
        let secret = (token.len() <= SECRET_MAX).then(|| Secret::new(token.trim().to_owned()))?;
        return Some(if secret.expose().starts_with(ONE_CASE) { Credential::OneCase(secret) } else { Credential::Token(secret) });
    }
    let jar = CookieJar::from_headers(headers);
    let value = jar.get(COOKIE)?.value().to_owned();
    (value.len() <= SECRET_MAX).then(|| Credential::Session(Secret::new(value)))
}

/// Whether the path is that case's: `/api/v1/cases/7` and below. Written in any other way it is nobody's.
fn names(uri: &Uri, case: CaseId) -> bool {
    let below = uri.path().strip_prefix("/api/v1/cases/").and_then(|rest| rest.split('/').next());
    below.is_some_and(|id| id == case.to_string())
}

/// Whose credential this is now; `None` when it has ended or never was.
pub(crate) async fn recognise(context: &Arc<Context>, credential: &Credential) -> Result<Option<User>, Problem> {
    Ok(known(context, credential).await?.map(|(user, _)| user))
}

/// What a link lets in to, and who made it.
struct Only {
    case: CaseId,
    by: String,
}

/// The same, and the only case it is good for, if it is not for everything the user may.
async fn known(context: &Arc<Context>, credential: &Credential) -> Result<Option<(User, Option<Only>)>, Problem> {
    let (context, credential) = (Arc::clone(context), credential.clone());
    blocking(move || {
        let now = context.clock.wall();
        match &credential {
            Credential::Session(secret) => Ok(context.store.user_by_session(secret.expose(), now)?.map(|user| (user, None))),
            Credential::Token(secret) => Ok(context.store.user_by_token(secret.expose(), now)?.map(|user| (user, None))),
            Credential::OneCase(secret) => {
                let found = context.store.user_by_case_link(secret.expose(), now)?;
                Ok(found.map(|CaseLinkHolder { person, case, by }| (person, Some(Only { case, by }))))
            }
            Credential::Tv(secret) => Ok(context.store.tv(secret.expose(), now)?.as_ref().map(|tv| (as_user(tv), None))),
        }
    })
    .await?
    .map_err(|e: StoreError| Problem::internal(e))
}

/// Runs what may wait for a disk where waiting is allowed.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)
}
