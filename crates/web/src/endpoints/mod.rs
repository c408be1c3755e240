//! The one table of endpoints: method, path, who may, what it does. The router has nothing else.

mod cases;
mod links;
mod machine;
mod people;
mod push;
mod signing;
mod taking_out;
mod tv;
mod watching;

use crate::{app::App, authority};
use axum::routing::MethodRouter;
use domain::{Audited, Role};
use std::sync::Arc;

/// Who may use an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody, without signing in.
    Public,
    /// Whoever is signed in with one of these roles.
    Roles(&'static [Role]),
    /// A TV that was paired, by its own cookie; no user.
    Tv,
}

/// The methods in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET, and HEAD with it.
    Get,
    /// POST.
    Post,
    /// DELETE.
    Delete,
}

/// What a success carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing: 204.
    Nothing,
    /// A WebSocket: 101.
    Socket,
    /// Bytes of this media type: 200.
    Bytes(&'static str),
    /// JSON of this schema: 200.
    Json(&'static str),
    /// JSON of this schema for something that was made: 201.
    Made(&'static str),
    /// The answer to an offer (SDP), and where to end what was begun: 201.
    Answered,
}

/// One row.
pub struct Endpoint {
    /// The method.
    pub method: Method,
    /// The path, with `{id}` for a camera, a case or an export.
    pub path: &'static str,
    /// Who may.
    pub access: Access,
    /// What it does, in one sentence.
    pub about: &'static str,
    /// Query parameters: name, whether it must be there, what it means.
    pub query: &'static [(&'static str, bool, &'static str)],
    /// The schema's name of the JSON it takes; [`SDP`]: an offer as `application/sdp`; empty: it takes none.
    pub body: &'static str,
    /// What a success carries.
    pub answer: Answer,
    /// What is written into the audit log when it succeeds; `None`: it shows no picture and changes nothing that is kept, or
    /// (signing in and out) writes its own row.
    pub audit: Option<Audited>,
    pub(crate) handler: fn() -> MethodRouter<Arc<App>>,
}

/// The body of what takes an offer (WHEP).
pub const SDP: &str = "Sdp";

/// What is not for outside: for machines beside the box, for whoever can compare a fingerprint on its screen, for screens that ask
/// to be let in, and what comes by UDP, which no tunnel carries.
const INSIDE: &[&str] = &[
    "/metrics",
    "/healthz",
    authority::PATH,
    "/api/v1/tv/pairing",
    "/api/v1/tv/pairing/look",
    "/api/v1/cameras/{id}/webrtc",
    "/api/v1/cameras/{id}/webrtc/{session}",
];

/// What a browser may that a link let in to one case: see it and answer it. Each has the case in its path.
const ONE_CASE: &[&str] = &[
    "/api/v1/cases/{id}",
    "/api/v1/cases/{id}/answer",
    "/api/v1/cases/{id}/undo",
    "/api/v1/cases/{id}/seen",
    "/api/v1/cases/{id}/still.jpg",
    "/api/v1/cases/{id}/clip.mp4",
];

impl Endpoint {
    /// Whether a link to one case lets in here, for that case.
    #[must_use]
    pub fn one_case(&self) -> bool {
        ONE_CASE.contains(&self.path)
    }

    /// Whether it goes through the public door: everything that asks who is asking, and what signing in needs. Residents' pages will.
    #[must_use]
    pub fn public_door(&self) -> bool {
        !INSIDE.contains(&self.path)
    }
}

const EVERYBODY: Access = Access::Roles(&Role::ALL);
/// Whoever may see pictures as they happen; the auditor sees none.
const WATCH: Access = Access::Roles(&[Role::Admin, Role::Official, Role::Police, Role::Viewer, Role::Technician]);
/// Whoever may hear what people say where a camera stands: those who answer for it, not the screen in the hall, not who repairs.
const LISTEN: Access = Access::Roles(&[Role::Admin, Role::Official, Role::Police]);
/// Whoever may see the past: not the screen in the hall, not who repairs the devices.
const PLAYBACK: Access = Access::Roles(&[Role::Admin, Role::Official, Role::Police]);
/// Whoever reads cases and answers them: those who act on them, within their lists of cameras.
const ANSWER: Access = Access::Roles(&Role::ON_DUTY);
/// Whoever may know how the box is doing: all but the screen in the hall.
const HEALTH: Access = Access::Roles(&[Role::Admin, Role::Official, Role::Police, Role::Technician, Role::Auditor]);
/// Whoever may know that pictures were taken out.
const EXPORTS: Access = Access::Roles(&[Role::Admin, Role::Official, Role::Police, Role::Auditor]);
/// Whoever may know who saw what.
const AUDIT: Access = Access::Roles(&[Role::Admin, Role::Auditor]);
/// Whoever says who comes in.
const PEOPLE: Access = Access::Roles(&[Role::Admin]);
/// Whoever says which screens show the wall.
const SCREENS: Access = Access::Roles(&[Role::Admin, Role::Official]);
const MACHINES: Access = Access::Roles(&[Role::Admin, Role::Technician]);

const FROM: (&str, bool, &str) = ("from", true, "Start: RFC 3339 with an offset, or Unix seconds");
const TO: (&str, bool, &str) = ("to", true, "End, exclusive: RFC 3339 with an offset, or Unix seconds");
const STREAM: (&str, bool, &str) = ("stream", false, "main (default) or sub");
const CODEC: (&str, bool, &str) = (
    "codec",
    false,
    "h264: this client plays nothing else. The stream if it is H.264, else the sub stream if that is, else the box converts (at most four pictures at a time, two for one person: 503 or a refused text, renditions-full or renditions-yours)",
);
const CAMERA: (&str, bool, &str) = ("camera", false, "Of this camera only");

/// All endpoints, room by room.
pub fn table() -> impl Iterator<Item = &'static Endpoint> {
    [
        signing::SIGNING,
        people::ROWS,
        watching::WATCHING,
        tv::TVS,
        cases::CASES,
        links::LINKS,
        push::PUSH,
        taking_out::TAKING_OUT,
        machine::MACHINE,
    ]
    .into_iter()
    .flatten()
}
