//! People and their devices: who is in, on which phones, and out again in one act.
//!
//! Does not belong here: what an invitation is (`invitation`), what is kept (`store`).

use crate::{
    app::App,
    audit,
    body::{self, Body},
    guard::{Caller, Credential, blocking},
    invitation::{self, Made},
    problem::Problem,
    way::Way,
};
use axum::{
    Extension, Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};
use domain::{Audited, CameraId, Role};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::{Device, Person, StoreError, device_id};

#[derive(Serialize)]
pub(crate) struct People {
    now: String,
    people: Vec<PersonView>,
}

#[derive(Serialize)]
struct PersonView {
    id: i64,
    name: String,
    role: Role,
    /// None: all.
    cameras: Option<Vec<CameraId>>,
    password: bool,
    invited: Option<String>,
    devices: Vec<DeviceView>,
}

#[derive(Serialize)]
pub(crate) struct Devices {
    now: String,
    devices: Vec<DeviceView>,
}

#[derive(Serialize)]
struct DeviceView {
    id: String,
    label: String,
    bound: bool,
    created: String,
    seen: String,
    /// The one that asks.
    current: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPerson {
    name: String,
    role: Role,
    #[serde(default)]
    cameras: Option<Vec<CameraId>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Again {
    #[serde(default)]
    lost: bool,
}

/// The device that a caller speaks from; a token is none, and a browser that a link let in is nobody's.
fn current(caller: &Caller) -> Option<String> {
    match &caller.credential {
        Credential::Session(secret) => Some(device_id(secret.expose())),
        Credential::Token(_) | Credential::OneCase(_) | Credential::Tv(_) => None,
    }
}

fn device(d: Device, current: Option<&str>) -> DeviceView {
    DeviceView {
        current: current == Some(d.id.as_str()),
        id: d.id,
        label: d.label,
        bound: d.bound,
        created: d.created.to_string(),
        seen: d.seen.to_string(),
    }
}

/// What the store refuses, in HTTP's words.
fn refusal(error: StoreError) -> Problem {
    match error {
        StoreError::BadName => Problem::Bad { name: "name", reason: error.to_string() },
        StoreError::NameTaken { .. } | StoreError::LastAdmin { .. } => Problem::Conflict(error.to_string()),
        StoreError::NoSuchUser { name } => Problem::Unknown { what: "person", name },
        other => Problem::internal(other),
    }
}

/// `GET people`
pub(crate) async fn list(State(app): State<Arc<App>>, Extension(caller): Extension<Caller>) -> Result<Json<People>, Problem> {
    let (store, now, current) = (app.context.store.clone(), app.context.clock.wall(), current(&caller));
    let people = blocking(move || store.people(now)).await?.map_err(refusal)?;
    let view = |Person { user, password, invited, devices }: Person| PersonView {
        id: user.id,
        name: user.name,
        role: user.role,
        cameras: user.cameras,
        password,
        invited: invited.map(|t| t.to_string()),
        devices: devices.into_iter().map(|d| device(d, current.as_deref())).collect(),
    };
    Ok(Json(People { now: now.to_string(), people: people.into_iter().map(view).collect() }))
}

/// `POST people`: somebody new, with an invitation for his phone.
pub(crate) async fn add(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(way): Extension<Way>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Made>), Problem> {
    let new: NewPerson = body::read(body, r#"{"name":…,"role":"official","cameras":["cong-lang"] or null}"#)?;
    let unknown = new.cameras.iter().flatten().find(|id| !app.context.cameras.iter().any(|c| c.id == **id));
    if let Some(id) = unknown {
        return Err(Problem::Unknown { what: "camera", name: id.to_string() });
    }
    let (store, now) = (app.context.store.clone(), app.context.clock.wall());
    let (person, invitation) = blocking(move || {
        let person = store.add_person(&new.name, new.role, new.cameras.as_deref(), now)?;
        let invitation = store.invite(person.id, false, now)?;
        Ok((person, invitation))
    })
    .await?
    .map_err(refusal)?;
    audit::about_people(&app, &caller, Audited::UserAdded, &person.name, person.role.as_str()).await?;
    audit::about_people(&app, &caller, Audited::Invited, &person.name, "").await?;
    Ok((StatusCode::CREATED, Json(invitation::made(&app.context.doors, &way, &headers, person.id, person.name, &invitation)?)))
}

/// `POST people/{id}/invitation`: another phone, or one instead of a lost one.
pub(crate) async fn invite(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Extension(way): Extension<Way>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Made>), Problem> {
    let again: Again = body::read(body, r#"{"lost":false}"#)?;
    let person = number(&id)?;
    let (store, now) = (app.context.store.clone(), app.context.clock.wall());
    let (name, invitation) = blocking(move || {
        let name = store.users()?.into_iter().find(|u| u.id == person).map(|u| u.name);
        let name = name.ok_or(StoreError::NoSuchUser { name: person.to_string() })?;
        Ok((name, store.invite(person, again.lost, now)?))
    })
    .await?
    .map_err(refusal)?;
    if again.lost {
        audit::about_people(&app, &caller, Audited::DeviceReleased, &name, "all").await?;
    }
    audit::about_people(&app, &caller, Audited::Invited, &name, "").await?;
    Ok((StatusCode::CREATED, Json(invitation::made(&app.context.doors, &way, &headers, person, name, &invitation)?)))
}

/// `DELETE people/{id}`: leaves office.
pub(crate) async fn retire(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let person = number(&id)?;
    let store = app.context.store.clone();
    let gone = blocking(move || store.retire(person)).await?.map_err(refusal)?;
    audit::about_people(&app, &caller, Audited::Retired, &gone.name, gone.role.as_str()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET devices`: one's own.
pub(crate) async fn devices(State(app): State<Arc<App>>, Extension(caller): Extension<Caller>) -> Result<Json<Devices>, Problem> {
    let (store, now, current) = (app.context.store.clone(), app.context.clock.wall(), current(&caller));
    let devices = blocking(move || store.devices(caller.user.id, now)).await?.map_err(refusal)?;
    Ok(Json(Devices { now: now.to_string(), devices: devices.into_iter().map(|d| device(d, current.as_deref())).collect() }))
}

/// `DELETE devices/{id}`: one's own, and anybody's for whoever administrates.
pub(crate) async fn release(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let of = (caller.user.role != Role::Admin).then_some(caller.user.id);
    let (store, which) = (app.context.store.clone(), id.clone());
    let gone = blocking(move || store.release_device(&which, of)).await?.map_err(refusal)?;
    // Only as much of a made-up name comes back as a real one could have.
    let (whose, label) = gone.ok_or_else(|| Problem::Unknown { what: "device", name: id.chars().take(16).collect() })?;
    audit::about_people(&app, &caller, Audited::DeviceReleased, &whose, &label).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn number(id: &str) -> Result<i64, Problem> {
    id.parse().map_err(|_| Problem::Unknown { what: "person", name: id.chars().take(20).collect() })
}
