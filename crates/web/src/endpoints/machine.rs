//! The box itself: its log, its state, its description.

use super::{AUDIT, Access, Answer, Endpoint, HEALTH, MACHINES, Method};
use crate::{audit, authority, health, openapi, status};
use axum::routing::get;
use domain::Audited;

pub(super) const MACHINE: &[Endpoint] = &[
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
        path: authority::PATH,
        access: Access::Public,
        about: "The certificate of the box's own authority (`[web] certificate = \"local\"`) in PEM, for devices that are to trust it; also by plain HTTP.",
        query: &[],
        body: "",
        answer: Answer::Bytes("application/x-x509-ca-cert"),
        audit: None,
        handler: || get(authority::serve),
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
