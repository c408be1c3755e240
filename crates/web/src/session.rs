//! Signing in and out.

use crate::{
    app::App,
    audit, body,
    cameras::SiteView,
    context::Context,
    device,
    guard::{COOKIE, Caller, Credential, blocking},
    origin::Origin,
    problem::{Full, Problem},
    way::Way,
    webrtc,
};
use axum::{
    Extension, Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::AppendHeaders,
};
use domain::{Audited, Role, Secret};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};
use store::{StoreError, User};

/// How long a browser keeps the cookie; the session itself slides in the store.
const KEEP: Duration = store::SESSION_LIFE;

#[derive(Deserialize)]
struct Login {
    name: String,
    password: Secret,
}

/// Who is signed in, and where.
#[derive(Serialize)]
pub(crate) struct Who {
    name: String,
    role: Role,
    site: SiteView,
    /// Whether live pictures come by WebRTC on the way this request came.
    webrtc: bool,
}

impl Who {
    pub(crate) fn new(context: &Context, way: &Way, name: String, role: Role) -> Json<Self> {
        Json(Self { name, role, site: SiteView::of(&context.site), webrtc: webrtc::offered(context, way) })
    }
}

/// `POST session`
pub(crate) async fn sign_in(
    State(app): State<Arc<App>>,
    Extension(way): Extension<Way>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(SetCookie, Json<Who>), Problem> {
    // A page of another site must not sign a browser in, not even with the right password.
    if way.origin == Origin::Other {
        return Err(Problem::Origin);
    }
    let login: Login = body::read(body, r#"{"name":…,"password":…}"#)?;
    let _place = app.logins.try_acquire().map_err(|_| Problem::Full(Full::Logins))?;
    let (context, name, device) = (Arc::clone(&app.context), login.name.clone(), device::label(&headers));
    let signed = blocking(move || {
        let now = context.clock.wall();
        match context.store.verify(&login.name, login.password.expose(), now) {
            Ok(Some(user)) => match context.store.open_session(&user, &device, now) {
                Ok(secret) => Ok((user, secret)),
                Err(e) => Err(Problem::internal(e)),
            },
            Ok(None) => Err(Problem::WrongPassword),
            Err(StoreError::Locked { until }) => {
                let left = u64::try_from(until.micros_since(now)).unwrap_or(0);
                Err(Problem::LockedOut { seconds: left.div_ceil(1_000_000).max(1) })
            }
            Err(e) => Err(Problem::internal(e)),
        }
    });
    let outcome = signed.await?;
    match &outcome {
        Ok((user, _)) => audit::signing(&app, Audited::SignedIn, user.name.clone(), user.role.to_string(), &way.noted()).await?,
        Err(problem @ (Problem::WrongPassword | Problem::LockedOut { .. })) => {
            // A made-up name is not kept: people type passwords into the wrong field.
            let known = known(&app, &name).await?;
            let (who, role) = known.map(|u| (u.name, u.role.to_string())).unwrap_or_default();
            let detail = format!("{problem} {}", way.noted());
            audit::refused(&app, who, role, detail.trim_end()).await?;
        }
        Err(_) => {}
    }
    metrics::counter!("matthon_logins_total", "outcome" => if outcome.is_ok() { "ok" } else { "refused" }).increment(1);
    let (user, secret) = outcome?;
    let cookie = cookie(&secret, way.secure(), KEEP)?;
    Ok((cookie, Who::new(&app.context, &way, user.name, user.role)))
}

/// `GET session`. The page asks at each opening, and the cookie begins anew: it ends with the session, not with its first month.
pub(crate) async fn who(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(way): Extension<Way>,
) -> Result<(Option<SetCookie>, Json<Who>), Problem> {
    let mut renewed = None;
    if let Credential::Session(secret) = &caller.credential {
        let (store, now, asked) = (app.context.store.clone(), app.context.clock.wall(), secret.clone());
        let lasts = blocking(move || store.session(asked.expose(), now)).await?.map_err(Problem::internal)?;
        renewed = lasts.map(|(_, life)| cookie(secret.expose(), way.secure(), life)).transpose()?;
    }
    Ok((renewed, Who::new(&app.context, &way, caller.user.name, caller.user.role)))
}

/// `DELETE session`. A token is not ended by it: tokens are given and taken on the command line.
pub(crate) async fn sign_out(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(way): Extension<Way>,
) -> Result<(SetCookie, StatusCode), Problem> {
    if let Credential::Session(secret) = caller.credential {
        let store = app.context.store.clone();
        blocking(move || store.close_session(secret.expose())).await?.map_err(Problem::internal)?;
        audit::signing(&app, Audited::SignedOut, caller.user.name, caller.user.role.to_string(), "").await?;
    }
    let gone = cookie("", way.secure(), Duration::ZERO)?;
    Ok((gone, StatusCode::NO_CONTENT))
}

/// Whose name it is.
async fn known(app: &App, name: &str) -> Result<Option<User>, Problem> {
    let (store, name) = (app.context.store.clone(), name.trim().to_lowercase());
    let users = blocking(move || store.users()).await?.map_err(Problem::internal)?;
    Ok(users.into_iter().find(|u| u.name.to_lowercase() == name))
}

pub(crate) type SetCookie = AppendHeaders<[(header::HeaderName, HeaderValue); 1]>;

pub(crate) fn cookie(secret: &str, secure: bool, keep: Duration) -> Result<SetCookie, Problem> {
    named_cookie(COOKIE, secret, secure, keep)
}

pub(crate) fn named_cookie(name: &str, secret: &str, secure: bool, keep: Duration) -> Result<SetCookie, Problem> {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{name}={secret}; HttpOnly; SameSite=Strict; Path=/; Max-Age={}{secure}", keep.as_secs());
    let value = HeaderValue::from_str(&text).map_err(Problem::internal)?;
    Ok(AppendHeaders([(header::SET_COOKIE, value)]))
}
