//! The one table of endpoints: method, path, who may, what it does. The router has nothing else.

use crate::{app::App, cameras, clip, health, live_socket, openapi, session, status};
use axum::routing::{MethodRouter, delete, get, post};
use domain::Role;
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

/// One row.
pub struct Endpoint {
    /// The method.
    pub method: Method,
    /// The path, with `{id}` for a camera.
    pub path: &'static str,
    /// Who may.
    pub access: Access,
    /// What it does, in one sentence.
    pub about: &'static str,
    /// Query parameters: name, whether it must be there, what it means.
    pub query: &'static [(&'static str, bool, &'static str)],
    /// What a success carries: media type and, for JSON, the schema's name.
    pub answer: (&'static str, &'static str),
    pub(crate) handler: fn() -> MethodRouter<Arc<App>>,
}

const EVERYBODY: Access = Access::Roles(&Role::ALL);
/// Whoever may see pictures as they happen; the auditor sees none.
const WATCH: Access = Access::Roles(&[Role::Admin, Role::Official, Role::Police, Role::Viewer, Role::Technician]);
/// Whoever may see the past: not the screen in the hall, not who repairs the devices.
const PLAYBACK: Access = Access::Roles(&[Role::Admin, Role::Official, Role::Police]);
/// Whoever may know how the box is doing: all but the screen in the hall.
const HEALTH: Access = Access::Roles(&[Role::Admin, Role::Official, Role::Police, Role::Technician, Role::Auditor]);
const MACHINES: Access = Access::Roles(&[Role::Admin, Role::Technician]);

const FROM: (&str, bool, &str) = ("from", true, "Start: RFC 3339 with an offset, or Unix seconds");
const TO: (&str, bool, &str) = ("to", true, "End, exclusive: RFC 3339 with an offset, or Unix seconds");
const STREAM: (&str, bool, &str) = ("stream", false, "main (default) or sub");

/// All endpoints.
pub const TABLE: &[Endpoint] = &[
    Endpoint {
        method: Method::Post,
        path: "/api/v1/session",
        access: Access::Public,
        about: "Signs in with name and password; sets the session cookie.",
        query: &[],
        answer: ("application/json", "Session"),
        handler: || post(session::sign_in),
    },
    Endpoint {
        method: Method::Get,
        path: "/api/v1/session",
        access: EVERYBODY,
        about: "Who is signed in.",
        query: &[],
        answer: ("application/json", "Session"),
        handler: || get(session::who),
    },
    Endpoint {
        method: Method::Delete,
        path: "/api/v1/session",
        access: EVERYBODY,
        about: "Signs out; open live sockets of the session are closed within a minute.",
        query: &[],
        answer: ("", ""),
        handler: || delete(session::sign_out),
    },
    Endpoint {
        method: Method::Get,
        path: "/api/v1/cameras",
        access: EVERYBODY,
        about: "The site and the cameras this user may see, with the state of their streams.",
        query: &[],
        answer: ("application/json", "Cameras"),
        handler: || get(cameras::list),
    },
    Endpoint {
        method: Method::Get,
        path: "/api/v1/cameras/{id}/timeline",
        access: PLAYBACK,
        about: "Which parts of a time are recorded.",
        query: &[FROM, TO, STREAM],
        answer: ("application/json", "Timeline"),
        handler: || get(cameras::timeline),
    },
    Endpoint {
        method: Method::Get,
        path: "/api/v1/cameras/{id}/clip.mp4",
        access: PLAYBACK,
        about: "A time of at most 24 h as one MP4 file; gaps are cut. Takes Range and If-Range.",
        query: &[FROM, TO, STREAM, ("audio", false, "0 leaves the sound out")],
        answer: ("video/mp4", ""),
        handler: || get(clip::clip),
    },
    Endpoint {
        method: Method::Get,
        path: "/api/v1/cameras/{id}/live",
        access: WATCH,
        about: "WebSocket: a format text, the init segment, then one moof+mdat a message.",
        query: &[STREAM],
        answer: ("websocket", ""),
        handler: || get(live_socket::one),
    },
    Endpoint {
        method: Method::Get,
        path: "/api/v1/live",
        access: WATCH,
        about: "WebSocket: many cameras over one socket; texts carry `ch`, binaries begin with one byte `ch`.",
        query: &[("cameras", true, "Camera ids, separated by commas; `ch` is the place in this list"), STREAM],
        answer: ("websocket", ""),
        handler: || get(live_socket::many),
    },
    Endpoint {
        method: Method::Get,
        path: "/api/v1/status",
        access: HEALTH,
        about: "Version, rings, and everything that is not as it should be.",
        query: &[],
        answer: ("application/json", "Status"),
        handler: || get(status::status),
    },
    Endpoint {
        method: Method::Get,
        path: "/api/v1/openapi.json",
        access: Access::Public,
        about: "This description.",
        query: &[],
        answer: ("application/json", "OpenApi"),
        handler: || get(openapi::serve),
    },
    Endpoint {
        method: Method::Get,
        path: "/healthz",
        access: Access::Public,
        about: "200 while every ring synced in the last 5 s, 503 otherwise.",
        query: &[],
        answer: ("application/json", "Health"),
        handler: || get(health::healthz),
    },
    Endpoint {
        method: Method::Get,
        path: "/metrics",
        access: MACHINES,
        about: "Metrics in the Prometheus text format.",
        query: &[],
        answer: ("text/plain", ""),
        handler: || get(health::metrics),
    },
];
