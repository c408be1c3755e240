//! Who is signed in.

use super::{Access, Answer, EVERYBODY, Endpoint, Method};
use crate::session;
use axum::routing::{delete, get, post};

pub(super) const SIGNING: &[Endpoint] = &[
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
];
