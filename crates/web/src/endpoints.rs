//! The one table of endpoints: method, path, who may, what it does. The router has nothing else.

use crate::{
    app::App, audit, cameras, case_files, cases, clip, events, exports, health, kept, live_socket, openapi, session, snapshot, status,
    story, violations,
};
use axum::routing::{MethodRouter, delete, get, post};
use domain::{Audited, Role};
use std::sync::Arc;

/// Who may use an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody, without signing in.
    Public,
    /// Whoever is signed in with one of these roles.
    Roles(&'static [Role]),
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
    /// The schema's name of the JSON it takes; empty: it takes none.
    pub body: &'static str,
    /// What a success carries.
    pub answer: Answer,
    /// What is written into the audit log when it succeeds; `None`: it shows no picture and changes nothing that is kept, or
    /// (signing in and out) writes its own row.
    pub audit: Option<Audited>,
    pub(crate) handler: fn() -> MethodRouter<Arc<App>>,
}

const EVERYBODY: Access = Access::Roles(&Role::ALL);
/// Whoever may see pictures as they happen; the auditor sees none.
const WATCH: Access = Access::Roles(&[Role::Admin, Role::Official, Role::Police, Role::Viewer, Role::Technician]);
/// Whoever may see the past: not the screen in the hall, not who repairs the devices.
const PLAYBACK: Access = Access::Roles(&[Role::Admin, Role::Official, Role::Police]);
/// Whoever reads cases and answers them: those who act on them, within their lists of cameras.
const CASES: Access = Access::Roles(&[Role::Admin, Role::Official, Role::Police]);
/// Whoever may know how the box is doing: all but the screen in the hall.
const HEALTH: Access = Access::Roles(&[Role::Admin, Role::Official, Role::Police, Role::Technician, Role::Auditor]);
/// Whoever may know that pictures were taken out.
const EXPORTS: Access = Access::Roles(&[Role::Admin, Role::Official, Role::Police, Role::Auditor]);
/// Whoever may know who saw what.
const AUDIT: Access = Access::Roles(&[Role::Admin, Role::Auditor]);
const MACHINES: Access = Access::Roles(&[Role::Admin, Role::Technician]);

const FROM: (&str, bool, &str) = ("from", true, "Start: RFC 3339 with an offset, or Unix seconds");
const TO: (&str, bool, &str) = ("to", true, "End, exclusive: RFC 3339 with an offset, or Unix seconds");
const STREAM: (&str, bool, &str) = ("stream", false, "main (default) or sub");
const CAMERA: (&str, bool, &str) = ("camera", false, "Of this camera only");

/// All endpoints.
pub const TABLE: &[Endpoint] = &[
    Endpoint {
        method: Method::Post,
        path: "/api/v1/session",
        access: Access::Public,
        about: "Signs in with name and password; sets the session cookie.",
        query: &[],
        body: "Login",
        answer: Answer::Json("Session"),
        audit: None,
        handler: || post(session::sign_in),
    },
    Endpoint {
        method: Method::Get,
        path: "/api/v1/session",
        access: EVERYBODY,
        about: "Who is signed in.",
        query: &[],
        body: "",
        answer: Answer::Json("Session"),
        audit: None,
        handler: || get(session::who),
    },
    Endpoint {
        method: Method::Delete,
        path: "/api/v1/session",
        access: EVERYBODY,
        about: "Signs out; open live sockets of the session are closed within a minute.",
        query: &[],
        body: "",
        answer: Answer::Nothing,
        audit: None,
        handler: || delete(session::sign_out),
    },
    Endpoint {
        method: Method::Get,
        path: "/api/v1/cameras",
        access: EVERYBODY,
        about: "The site and the cameras this user may see, with the state of their streams.",
        query: &[],
        body: "",
        answer: Answer::Json("Cameras"),
        audit: None,
        handler: || get(cameras::list),
    },
    Endpoint {
        method: Method::Get,
        path: "/api/v1/demo",
        access: EVERYBODY,
        about: "What the demo's drawn cameras will show, in seconds of a round that repeats; 404 on a box with real cameras.",
        query: &[],
        body: "",
        answer: Answer::Json("Story"),
        audit: None,
        handler: || get(story::story),
    },
    Endpoint {
        method: Method::Get,
        path: "/api/v1/cameras/{id}/timeline",
        access: PLAYBACK,
        about: "Which parts of a time are recorded, and why the others are not.",
        query: &[FROM, TO, STREAM],
        body: "",
        answer: Answer::Json("Timeline"),
        audit: None,
        handler: || get(cameras::timeline),
    },
    Endpoint {
        method: Method::Get,
        path: "/api/v1/cameras/{id}/clip.mp4",
        access: PLAYBACK,
        about: "A time of at most 24 h as one MP4 file; gaps are cut. Takes Range and If-Range.",
        query: &[FROM, TO, STREAM, ("audio", false, "0 leaves the sound out")],
        body: "",
        answer: Answer::Bytes("video/mp4"),
        audit: Some(Audited::Playback),
        handler: || get(clip::clip),
    },
    Endpoint {
        method: Method::Get,
        path: "/api/v1/cameras/{id}/live",
        access: WATCH,
        about: "WebSocket: a format text, the init segment, then one moof+mdat a message.",
        query: &[STREAM],
        body: "",
        answer: Answer::Socket,
        audit: Some(Audited::Live),
        handler: || get(live_socket::one),
    },
    Endpoint {
        method: Method::Get,
        path: "/api/v1/cameras/{id}/snapshot.jpg",
        access: WATCH,
        about: "A picture of now.",
        query: &[],
        body: "",
        answer: Answer::Bytes("image/jpeg"),
        audit: Some(Audited::Snapshot),
        handler: || get(snapshot::snapshot),
    },
    Endpoint {
        method: Method::Get,
        path: "/api/v1/live",
        access: WATCH,
        about: "WebSocket: many cameras over one socket; texts carry `ch`, binaries begin with one byte `ch`.",
        query: &[("cameras", true, "Camera ids, separated by commas; `ch` is the place in this list"), STREAM],
        body: "",
        answer: Answer::Socket,
        audit: Some(Audited::Live),
        handler: || get(live_socket::many),
    },
    Endpoint {
        method: Method::Get,
        path: "/api/v1/cases",
        access: CASES,
        about: "Cases, newest first, without their history; and how many wait for an answer.",
        query: &[
            ("state", false, "raised, confirmed or false-alarm"),
            CAMERA,
            ("before", false, "Older than the case of this number: the last of the page before"),
            ("limit", false, "At most so many (1 to 200; default 50)"),
        ],
        body: "",
        answer: Answer::Json("CaseList"),
        audit: None,
        handler: || get(cases::list),
    },
    Endpoint {
        method: Method::Post,
        path: "/api/v1/cases",
        access: CASES,
        about: "Makes a case by hand: the last 30 s and a picture are kept.",
        query: &[],
        body: "ByHand",
        answer: Answer::Made("Case"),
        audit: Some(Audited::CaseMade),
        handler: || post(cases::by_hand),
    },
    Endpoint {
        method: Method::Get,
        path: "/api/v1/cases/{id}",
        access: CASES,
        about: "One case with its history.",
        query: &[],
        body: "",
        answer: Answer::Json("Case"),
        audit: None,
        handler: || get(cases::get),
    },
    Endpoint {
        method: Method::Post,
        path: "/api/v1/cases/{id}/answer",
        access: CASES,
        about: "Says whether it is so; another answer corrects it.",
        query: &[],
        body: "Answer",
        answer: Answer::Json("Case"),
        audit: Some(Audited::CaseAnswered),
        handler: || post(cases::answer),
    },
    Endpoint {
        method: Method::Post,
        path: "/api/v1/cases/{id}/undo",
        access: CASES,
        about: "Takes one's own answer back within 10 s; 409 when that is over.",
        query: &[],
        body: "",
        answer: Answer::Json("Case"),
        audit: Some(Audited::CaseAnswered),
        handler: || post(cases::undo),
    },
    Endpoint {
        method: Method::Post,
        path: "/api/v1/cases/{id}/hold",
        access: CASES,
        about: "Holds a case's evidence for as long as there is a reason, or lets it go: then its time counts from now; 409 when it is gone.",
        query: &[],
        body: "Hold",
        answer: Answer::Json("Case"),
        audit: Some(Audited::CaseHeld),
        handler: || post(cases::hold),
    },
    Endpoint {
        method: Method::Get,
        path: "/api/v1/cases/{id}/still.jpg",
        access: CASES,
        about: "The best picture there is: small at once, later from the main stream.",
        query: &[],
        body: "",
        answer: Answer::Bytes("image/jpeg"),
        audit: Some(Audited::Evidence),
        handler: || get(case_files::still),
    },
    Endpoint {
        method: Method::Get,
        path: "/api/v1/cases/{id}/clip.mp4",
        access: CASES,
        about: "The clip as far as it is there. Takes Range and If-Range.",
        query: &[],
        body: "",
        answer: Answer::Bytes("video/mp4"),
        audit: Some(Audited::Evidence),
        handler: || get(case_files::clip),
    },
    Endpoint {
        method: Method::Get,
        path: "/api/v1/violations",
        access: CASES,
        about: "What rules raised in a time, oldest first, for the marks on a timeline.",
        query: &[FROM, TO, CAMERA],
        body: "",
        answer: Answer::Json("Violations"),
        audit: None,
        handler: || get(violations::list),
    },
    Endpoint {
        method: Method::Get,
        path: "/api/v1/events",
        access: CASES,
        about: "Server-sent events: `case` when a case changes, `beat` every 15 s. Last-Event-ID goes on.",
        query: &[],
        body: "",
        answer: Answer::Bytes("text/event-stream"),
        audit: None,
        handler: || get(events::events),
    },
    Endpoint {
        method: Method::Post,
        path: "/api/v1/exports",
        access: CASES,
        about: "Has a signed package made for an authority: any time for police and admin, the clip of a confirmed case for an official.",
        query: &[],
        body: "ExportRequest",
        answer: Answer::Made("Export"),
        // The row is written with the request itself, in one change.
        audit: None,
        handler: || post(exports::begin),
    },
    Endpoint {
        method: Method::Get,
        path: "/api/v1/exports",
        access: EXPORTS,
        about: "Packages made, newest first: who asked for what, and how far it is.",
        query: &[],
        body: "",
        answer: Answer::Json("Exports"),
        audit: None,
        handler: || get(exports::list),
    },
    Endpoint {
        method: Method::Get,
        path: "/api/v1/exports/{id}",
        access: EXPORTS,
        about: "One package's state; with `.zip` behind its id the package itself, for whom it was made, police and admin. Takes Range.",
        query: &[],
        body: "",
        answer: Answer::Json("Export"),
        audit: Some(Audited::ExportTaken),
        handler: || get(exports::one),
    },
    Endpoint {
        method: Method::Delete,
        path: "/api/v1/exports/{id}",
        access: CASES,
        about: "Calls a package off that is being made (whoever asked for it, and admin), or deletes one that lies ready (police as well).",
        query: &[],
        body: "",
        answer: Answer::Nothing,
        // The row of a deletion is written with the change itself; what was called off was written when it was asked for.
        audit: None,
        handler: || delete(exports::remove),
    },
    Endpoint {
        method: Method::Post,
        path: "/api/v1/kept",
        access: PLAYBACK,
        about: "Has footage kept, up to 2 h of any cameras: copied at once, deleted after 14 days unless it is held.",
        query: &[],
        body: "Keep",
        answer: Answer::Made("Kept"),
        // The row is written with the wish itself, in one change.
        audit: None,
        handler: || post(kept::begin),
    },
    Endpoint {
        method: Method::Get,
        path: "/api/v1/kept",
        access: PLAYBACK,
        about: "Footage that is kept, newest first.",
        query: &[],
        body: "",
        answer: Answer::Json("KeptList"),
        audit: None,
        handler: || get(kept::list),
    },
    Endpoint {
        method: Method::Post,
        path: "/api/v1/kept/{id}",
        access: PLAYBACK,
        about: "Holds kept footage for as long as there is a reason, or lets it go in 14 days.",
        query: &[],
        body: "Hold",
        answer: Answer::Json("Kept"),
        // As above.
        audit: None,
        handler: || post(kept::hold),
    },
    Endpoint {
        method: Method::Get,
        path: "/api/v1/kept/{id}/{film}",
        access: PLAYBACK,
        about: "A film of kept footage: CAMERA.mp4. Takes Range and If-Range.",
        query: &[],
        body: "",
        answer: Answer::Bytes("video/mp4"),
        audit: Some(Audited::Playback),
        handler: || get(kept::film),
    },
    Endpoint {
        method: Method::Get,
        path: "/api/v1/audit",
        access: AUDIT,
        about: "The audit log, newest first.",
        query: &[
            ("before", false, "Older than the row of this number: the last of the page before"),
            ("limit", false, "At most so many (1 to 1000; default 100)"),
        ],
        body: "",
        answer: Answer::Json("Audit"),
        audit: Some(Audited::AuditRead),
        handler: || get(audit::list),
    },
    Endpoint {
        method: Method::Get,
        path: "/api/v1/fingerprints",
        access: HEALTH,
        about: "The village's daily fingerprints of the last month, and the fingerprint of the box's key.",
        query: &[],
        body: "",
        answer: Answer::Json("Fingerprints"),
        audit: None,
        handler: || get(audit::fingerprints),
    },
    Endpoint {
        method: Method::Get,
        path: "/api/v1/status",
        access: HEALTH,
        about: "Version, rings, and everything that is not as it should be.",
        query: &[],
        body: "",
        answer: Answer::Json("Status"),
        audit: None,
        handler: || get(status::status),
    },
    Endpoint {
        method: Method::Get,
        path: "/api/v1/openapi.json",
        access: Access::Public,
        about: "This description.",
        query: &[],
        body: "",
        answer: Answer::Json("OpenApi"),
        audit: None,
        handler: || get(openapi::serve),
    },
    Endpoint {
        method: Method::Get,
        path: "/healthz",
        access: Access::Public,
        about: "200 while every ring synced in the last 5 s, 503 otherwise.",
        query: &[],
        body: "",
        answer: Answer::Json("Health"),
        audit: None,
        handler: || get(health::healthz),
    },
    Endpoint {
        method: Method::Get,
        path: "/metrics",
        access: MACHINES,
        about: "Metrics in the Prometheus text format.",
        query: &[],
        body: "",
        answer: Answer::Bytes("text/plain"),
        audit: None,
        handler: || get(health::metrics),
    },
];
