//! Phones sign up to be told of cases, and sign off; a case's news is acknowledged.
//!
//! Belongs here: what a browser's page asks. Does not belong here: sealing and sending (`alerts`, behind [`Push`]), the
//! list itself (`store`). A browser's address and keys are secrets: no answer, no audit row and no log shows them.

use crate::{
    app::App,
    body::{self, Body},
    cases::{One, ask, seen},
    guard::{Caller, blocking},
    problem::Problem,
    query::Params,
};
use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};
use domain::{Audited, Secret, WallTime};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::{AuditEntry, NewPhone, PhoneRow};

/// Longest name of a phone, in characters.
const LABEL_MAX: usize = 60;

/// Looks at an address and two keys: whether messages can be sealed for them and posted there. The reason must not show them.
pub type CheckPhone = Arc<dyn Fn(&Secret, &Secret, &Secret) -> Result<(), String> + Send + Sync>;

/// What the box offers to phones.
#[derive(Clone)]
pub struct Push {
    /// The key browsers are to accept messages from, base64url (`applicationServerKey`).
    pub key: String,
    /// Refuses what is no phone.
    pub check: CheckPhone,
}

#[derive(Serialize)]
pub(crate) struct Offer {
    /// Whether phones can sign up: the configuration has `[push]`.
    offered: bool,
    key: Option<String>,
    /// The caller's own, the one opened last first.
    phones: Vec<Phone>,
}

#[derive(Serialize)]
struct Phone {
    id: i64,
    label: String,
    created: String,
    renewed: String,
    handed: Option<String>,
}

impl From<PhoneRow> for Phone {
    fn from(row: PhoneRow) -> Self {
        let PhoneRow { id, label, created, renewed, handed, .. } = row;
        Self { id, label, created: created.to_string(), renewed: renewed.to_string(), handed: handed.map(|t| t.to_string()) }
    }
}

#[derive(Serialize)]
pub(crate) struct SignedUp {
    /// The phone's number.
    id: i64,
}

/// A browser's `PushSubscription` as it is turned into JSON, its name and its language.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Subscription {
    endpoint: Secret,
    keys: Keys,
    /// Milliseconds since 1970.
    #[serde(default)]
    expiration_time: Option<f64>,
    #[serde(default)]
    label: String,
    #[serde(default)]
    language: String,
}

#[derive(Deserialize)]
struct Keys {
    p256dh: Secret,
    auth: Secret,
}

impl Subscription {
    /// What is kept of it, once its address and keys were looked at.
    pub(crate) fn phone(self) -> NewPhone {
        let Self { endpoint, keys: Keys { p256dh, auth }, expiration_time, label, language } = self;
        let label = label.chars().filter(|c| !c.is_control()).take(LABEL_MAX).collect();
        let language = if language == "en" { "en" } else { "vi" }.to_owned();
        // Beyond the year 2100 nobody has a word to say; what is not a time is none.
        let expires = expiration_time.filter(|ms| (0.0..4.1e12).contains(ms)).map(|ms| WallTime((ms * 1000.0) as i64));
        NewPhone { endpoint, p256dh, auth, label, language, expires }
    }
}

/// `GET push`
pub(crate) async fn offer(State(app): State<Arc<App>>, Extension(caller): Extension<Caller>) -> Result<Json<Offer>, Problem> {
    let (store, user) = (app.context.store.clone(), caller.user.id);
    let phones = blocking(move || store.phones(user)).await?.map_err(Problem::internal)?;
    let key = app.context.push.as_ref().map(|push| push.key.clone());
    Ok(Json(Offer { offered: key.is_some(), key, phones: phones.into_iter().map(Phone::from).collect() }))
}

/// `POST push`: signs up, or renews.
pub(crate) async fn sign_up(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    sent: Body,
) -> Result<Json<SignedUp>, Problem> {
    let sent: Subscription = body::read(sent, r#"a PushSubscription: {"endpoint":…,"keys":{"p256dh":…,"auth":…}}"#)?;
    let Some(push) = &app.context.push else {
        return Err(Problem::Conflict("this box tells no phones: its configuration has no [push]".to_owned()));
    };
    let phone = sent.phone();
    (push.check)(&phone.endpoint, &phone.p256dh, &phone.auth).map_err(|reason| Problem::Bad { name: "body", reason })?;
    let entry = entry(&app, &caller, format!("on {}", phone.label));
    let (store, user) = (app.context.store.clone(), caller.user.id);
    let id = blocking(move || store.sign_up_phone(user, &phone, &entry)).await?.map_err(Problem::internal)?;
    Ok(Json(SignedUp { id }))
}

/// `DELETE push?id=7`: one of the caller's own.
pub(crate) async fn sign_off(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    params: Params,
) -> Result<StatusCode, Problem> {
    let text = params.need("id")?;
    let id: i64 = text.parse().map_err(|_| Problem::Bad { name: "id", reason: "write the number of a phone".into() })?;
    let (store, user, entry) = (app.context.store.clone(), caller.user.id, entry(&app, &caller, "off".to_owned()));
    let was = blocking(move || store.sign_off_phone(user, id, &entry)).await?.map_err(Problem::internal)?;
    if was { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::Unknown { what: "phone", name: id.to_string() }) }
}

/// `POST cases/{id}/seen`
pub(crate) async fn acknowledge(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<One>, Problem> {
    let by = caller.user.name.clone();
    let id = seen(&app, caller, &id).await?.id;
    let case = ask(&app, move |cases| cases.seen(id, &by)).await?;
    Ok(One::new(&app, case))
}

fn entry(app: &App, caller: &Caller, detail: String) -> AuditEntry {
    AuditEntry {
        at: app.context.clock.wall(),
        who: caller.user.name.clone(),
        role: caller.user.role.to_string(),
        what: Audited::Phone,
        subject: String::new(),
        detail,
    }
}
