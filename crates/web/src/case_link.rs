//! Links to one case: made for a person on duty, opened once, by a browser that is signed in nowhere (Zalo's own, above all).
//!
//! Does not belong here: how often and how long one is good (`store`), what the browser may do then (`guard`, and the column of the
//! table).

use crate::{
    app::App,
    audit,
    body::{self, Body},
    cameras::SiteView,
    cases, device,
    guard::{Caller, blocking},
    invitation,
    origin::Origin,
    problem::{Full, Problem},
    way::Way,
};
use axum::{
    Extension, Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};
use domain::{Audited, CaseId, Role, Secret};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::{CaseLinked, User};

/// Where the page takes a link. Behind the `#`, a secret is sent to no server and stands in no log, and a chat's preview does not open it.
const PATH: &str = "/vu#";

#[derive(Serialize)]
pub(crate) struct CanBeAsked {
    people: Vec<Asked>,
}

#[derive(Serialize)]
struct Asked {
    id: i64,
    name: String,
    role: Role,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    person: i64,
}

/// A fresh link, told once.
#[derive(Serialize)]
pub(crate) struct Made {
    name: String,
    link: String,
    expires: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Opening {
    pub(crate) secret: Secret,
    /// What this browser made up, keeps, and shows from now on.
    pub(crate) browser: Secret,
}

/// What the first browser gets.
#[derive(Serialize)]
pub(crate) struct Opened {
    case: CaseId,
    name: String,
    expires: String,
    site: SiteView,
}

/// `GET cases/{id}/links`
pub(crate) async fn can_be_asked(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<CanBeAsked>, Problem> {
    let case = cases::seen(&app, caller, &id).await?;
    let people = on_duty(&app, &case).await?;
    Ok(Json(CanBeAsked { people: people.into_iter().map(|u| Asked { id: u.id, name: u.name, role: u.role }).collect() }))
}

/// `POST cases/{id}/links`
pub(crate) async fn make(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(way): Extension<Way>,
    Path(id): Path<String>,
    headers: HeaderMap,
    sent: Body,
) -> Result<(StatusCode, Json<Made>), Problem> {
    let Wanted { person } = body::read(sent, r#"{"person":3}"#)?;
    let case = cases::seen(&app, caller.clone(), &id).await?;
    let person = on_duty(&app, &case).await?.into_iter().find(|u| u.id == person);
    let person = person.ok_or_else(|| Problem::Unknown { what: "person on duty for this case", name: String::new() })?;
    let (store, now, by) = (app.context.store.clone(), app.context.clock.wall(), caller.user.name.clone());
    let link = blocking(move || store.link_case(person.id, case.id, &by, now)).await?.map_err(Problem::internal)?;
    let entry = audit::Own { what: Audited::CaseLinked, subject: case.id.to_string(), detail: person.name.clone() };
    audit::of(&app, caller.user.name, caller.user.role.to_string(), entry).await?;
    let address = format!("{}{PATH}{}", invitation::base(&app.context.doors, &way, &headers), link.secret.expose());
    Ok((StatusCode::CREATED, Json(Made { name: person.name, link: address, expires: link.expires.to_string() })))
}

/// `POST case-link`
pub(crate) async fn open(
    State(app): State<Arc<App>>,
    Extension(way): Extension<Way>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Json<Opened>, Problem> {
    // A page of another site must not use somebody's link up.
    if way.origin == Origin::Other {
        return Err(Problem::Origin);
    }
    let Opening { secret, browser } = body::read(sent, r#"{"secret":"ml_…","browser":"mc_…"}"#)?;
    if !store::is_case_pass(browser.expose()) {
        return Err(Problem::Bad { name: "browser", reason: "make up mc_ and 64 hexadecimal digits".into() });
    }
    let _place = app.logins.try_acquire().map_err(|_| Problem::Full(Full::Logins))?;
    let (store, now) = (app.context.store.clone(), app.context.clock.wall());
    let opened = blocking(move || store.open_case_link(secret.expose(), browser.expose(), now)).await?.map_err(Problem::internal)?;
    match opened {
        CaseLinked::In { person, case, by, expires, first } => {
            if first {
                let said = format!("{} {} link by={by}", device::label(&headers), way.noted());
                let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
                let entry = audit::Own { what: Audited::CaseLinkOpened, subject: case.to_string(), detail: said };
                audit::of(&app, person.name.clone(), person.role.to_string(), entry).await?;
            }
            let site = SiteView::of(&app.context.site);
            Ok(Json(Opened { case, name: person.name, expires: expires.to_string(), site }))
        }
        CaseLinked::Used => Err(Problem::CaseLink { used: true }),
        CaseLinked::Over => Err(Problem::CaseLink { used: false }),
    }
}

/// Those who act on cases and may see this one's camera.
async fn on_duty(app: &App, case: &::cases::Case) -> Result<Vec<User>, Problem> {
    let store = app.context.store.clone();
    let users = blocking(move || store.users()).await?.map_err(Problem::internal)?;
    let may = |u: &User| Role::ON_DUTY.contains(&u.role) && u.cameras.as_ref().is_none_or(|list| list.contains(&case.camera));
    Ok(users.into_iter().filter(may).collect())
}
