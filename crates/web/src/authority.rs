//! `/ca.crt`: the certificate of the box's own authority, for whoever is to trust it.

use crate::{app::App, problem::Problem};
use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use std::sync::Arc;

/// Where it is: short enough to be typed on a television.
pub(crate) const PATH: &str = "/ca.crt";

/// `GET /ca.crt`, in PEM; 404 on a box whose certificate is another's.
pub(crate) async fn serve(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let authority = app.context.doors.certificate.as_ref().and_then(door::Certificate::authority).ok_or(Problem::NoSuchPath)?;
    // Phones and televisions offer to install what is called so.
    let kind = HeaderValue::from_static("application/x-x509-ca-cert");
    let name = HeaderValue::from_static("attachment; filename=\"matthon-ca.crt\"");
    Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)], authority.pem).into_response())
}
