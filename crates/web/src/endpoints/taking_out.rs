//! What is kept aside or taken out: footage and signed packages.

use super::{ANSWER, Answer, EXPORTS, Endpoint, Method, PLAYBACK};
use crate::{exports, kept};
use axum::routing::{delete, get, post};
use domain::Audited;

pub(super) const TAKING_OUT: &[Endpoint] = &[
    Endpoint {
        method: Method::Post,
        path: "/api/v1/exports",
        access: ANSWER,
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
        access: ANSWER,
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
        about: "A film of kept footage: CAMERA.mp4. Takes Range and If-Range. Of a masked camera for the police alone.",
        query: &[],
        body: "",
        answer: Answer::Bytes("video/mp4"),
        audit: Some(Audited::Playback),
        handler: || get(kept::film),
    },
];
