//! Bodies of requests: small JSON, with a refusal that shows what to send.

use crate::problem::Problem;
use axum::{body::Bytes, extract::rejection::BytesRejection};
use serde::de::DeserializeOwned;

/// A body as axum hands it over: whole and within the bound, or not.
pub(crate) type Body = Result<Bytes, BytesRejection>;

/// Reads a body; `example` is what the refusal says to send.
pub(crate) fn read<T: DeserializeOwned>(body: Body, example: &str) -> Result<T, Problem> {
    let body = body.map_err(|_| Problem::TooLarge)?;
    serde_json::from_slice(&body).map_err(|_| Problem::Bad { name: "body", reason: format!("send {example} as JSON") })
}
