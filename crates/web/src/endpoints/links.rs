//! Links to one case, for whoever is asked in a chat.

use super::{ANSWER, Access, Answer, Endpoint, Method};
use crate::case_link;
use axum::routing::{get, post};

// Both that change something write their own rows of the audit log: they name for whom, which no address says.
pub(super) const LINKS: &[Endpoint] = &[
    Endpoint {
        method: Method::Get,
        path: "/api/v1/cases/{id}/links",
        access: ANSWER,
        about: "Who can be asked about a case: those on duty who may see its camera.",
        query: &[],
        body: "",
        answer: Answer::Json("CanBeAsked"),
        audit: None,
        handler: || get(case_link::can_be_asked),
    },
    Endpoint {
        method: Method::Post,
        path: "/api/v1/cases/{id}/links",
        access: ANSWER,
        about: "Makes a link that shows one person this case alone, in the first browser that opens it, for 12 h.",
        query: &[],
        body: "AskedPerson",
        answer: Answer::Made("CaseLink"),
        audit: None,
        handler: || post(case_link::make),
    },
    Endpoint {
        method: Method::Post,
        path: "/api/v1/case-link",
        access: Access::Public,
        about: "Opens such a link for the browser's own bearer secret, which it made up and kept; 410 when another browser was first or it is over.",
        query: &[],
        body: "CaseLinkSecret",
        answer: Answer::Json("CaseLinkOpened"),
        audit: None,
        handler: || post(case_link::open),
    },
];
