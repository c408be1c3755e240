//! Phones that are told of cases, and the one look at a picture that goes along.

use super::{ANSWER, Access, Answer, Endpoint, Method};
use crate::{glance, push};
use axum::routing::{delete, get, post};
use domain::Audited;

pub(super) const PUSH: &[Endpoint] = &[
    Endpoint {
        method: Method::Get,
        path: "/api/v1/push",
        access: ANSWER,
        about: "Whether phones can sign up to be told of cases, by which key, and which of the caller's did.",
        query: &[],
        body: "",
        answer: Answer::Json("Push"),
        audit: None,
        handler: || get(push::offer),
    },
    Endpoint {
        method: Method::Post,
        path: "/api/v1/push",
        access: ANSWER,
        about: "Signs a browser up by its PushSubscription, or renews it; at most 8 a person, the one opened longest ago gives way.",
        query: &[],
        body: "PushSubscription",
        answer: Answer::Json("PushPhone"),
        // The row is written with the change itself, and only when the phone was not this person's already.
        audit: None,
        handler: || post(push::sign_up),
    },
    Endpoint {
        method: Method::Delete,
        path: "/api/v1/push",
        access: ANSWER,
        about: "Signs one of the caller's phones off.",
        query: &[("id", true, "The phone's number")],
        body: "",
        answer: Answer::Nothing,
        // As above.
        audit: None,
        handler: || delete(push::sign_off),
    },
    Endpoint {
        method: Method::Post,
        path: "/api/v1/cases/{id}/seen",
        access: ANSWER,
        about: "Says that the news of a case arrived; it answers nothing.",
        query: &[],
        body: "",
        answer: Answer::Json("Case"),
        audit: Some(Audited::CaseSeen),
        handler: || post(push::acknowledge),
    },
    Endpoint {
        method: Method::Get,
        path: "/m/{token}",
        access: Access::Public,
        about: "The small picture of a case, for one look within 15 minutes: the address came with a push message.",
        query: &[],
        body: "",
        answer: Answer::Bytes("image/jpeg"),
        // Nobody is signed in: the look writes its own row, in the name of whoever was told.
        audit: None,
        handler: || get(glance::picture),
    },
];
