//! Plain HTTP on the port that speaks HTTPS: who comes so is told where to go, and gets the authority's certificate, which no
//! television could fetch by an HTTPS that it does not trust yet (its fingerprint is compared by eye). Nothing else.

use crate::{app::App, authority, headers, problem::Problem, way};
use axum::{
    Router,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, uri::Authority},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use std::sync::Arc;

/// The answers.
pub(crate) fn build(app: &Arc<App>) -> Router {
    let certificate = get(authority::serve).route_layer(middleware::from_fn(way::inside));
    Router::new()
        .route(authority::PATH, certificate)
        .fallback(elsewhere)
        .layer(middleware::from_fn_with_state(Arc::clone(app), way::find))
        .layer(middleware::map_response(headers::secure))
        .with_state(Arc::clone(app))
}

async fn elsewhere(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let host = headers.get(header::HOST).and_then(|h| Authority::try_from(h.as_bytes()).ok());
    // What was sent along went over the wire in the clear: to send it once more by itself would hide that.
    let (Some(host), true) = (host, matches!(method, Method::GET | Method::HEAD)) else { return Problem::Plain.into_response() };
    let path = uri.path_and_query().map_or("/", |p| p.as_str());
    match HeaderValue::try_from(format!("https://{host}{path}")) {
        Ok(there) => (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, there)]).into_response(),
        Err(_) => Problem::Plain.into_response(),
    }
}
