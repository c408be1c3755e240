//! Invitations: the link, its picture for another phone's camera, and the phone that opens it.
//!
//! Does not belong here: who may invite (`people`), how often one is good (`store`).

use crate::{
    app::App,
    audit,
    body::{self, Body},
    cameras::SiteView,
    device,
    doors::Doors,
    guard::blocking,
    origin::Origin,
    problem::{Full, Problem},
    session::{self, SetCookie, Who},
    way::Way,
};
use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, header},
};
use domain::{Audited, Role, Secret};
use qrcode::{Color, EcLevel, QrCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::{BOUND_LIFE, Invitation, Invited};

/// Where the page takes an invitation. Behind the `#`, a secret is sent to no server and stands in no log.
pub const PATH: &str = "/moi#";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opened {
    secret: Secret,
}

/// A fresh invitation, told once.
#[derive(Serialize)]
pub(crate) struct Made {
    person: i64,
    name: String,
    link: String,
    /// The link as a QR code: an SVG path of unit squares, and how many units wide it is with its quiet zone.
    qr: Qr,
    expires: String,
}

#[derive(Serialize)]
struct Qr {
    size: usize,
    path: String,
}

/// Whom an invitation is for.
#[derive(Serialize)]
pub(crate) struct For {
    name: String,
    role: Role,
    site: SiteView,
    expires: String,
}

/// The invitation as whoever asked for it passes it on.
pub(crate) fn made(
    doors: &Doors,
    way: &Way,
    headers: &HeaderMap,
    person: i64,
    name: String,
    invitation: &Invitation,
) -> Result<Made, Problem> {
    let link = format!("{}{PATH}{}", base(doors, way, headers), invitation.secret.expose());
    let qr = qr(&link)?;
    Ok(Made { person, name, link, qr, expires: invitation.expires.to_string() })
}

/// The address from outside, which a phone reaches from anywhere; where there is none, the one by which this box was asked just now.
pub(crate) fn base(doors: &Doors, way: &Way, headers: &HeaderMap) -> String {
    if let Some(public) = &doors.public {
        return public.url().to_owned();
    }
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or("localhost");
    format!("{}://{host}", if way.secure() { "https" } else { "http" })
}

fn qr(text: &str) -> Result<Qr, Problem> {
    /// Units that must stay empty around it (ISO 18004).
    const QUIET: usize = 4;
    let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(Problem::internal)?;
    let width = code.width();
    let mut path = String::new();
    for (n, _) in code.to_colors().into_iter().enumerate().filter(|(_, c)| *c == Color::Dark) {
        path.push_str(&format!("M{} {}h1v1h-1z", n % width + QUIET, n / width + QUIET));
    }
    Ok(Qr { size: width + 2 * QUIET, path })
}

/// What is said of an invitation that lets nobody in.
fn refused(what: &Invited) -> Problem {
    Problem::Invitation { used: matches!(what, Invited::Used) }
}

fn read(way: &Way, body: Body) -> Result<Secret, Problem> {
    // A page of another site must not bind a browser to whomever it likes.
    if way.origin == Origin::Other {
        return Err(Problem::Origin);
    }
    Ok(body::read::<Opened>(body, r#"{"secret":"mi_…"}"#)?.secret)
}

/// `POST invitation/look`: whom it is for. Uses nothing up, so that a link that a chat looks at stays good.
pub(crate) async fn look(State(app): State<Arc<App>>, Extension(way): Extension<Way>, body: Body) -> Result<Json<For>, Problem> {
    let secret = read(&way, body)?;
    let _place = app.logins.try_acquire().map_err(|_| Problem::Full(Full::Logins))?;
    let context = Arc::clone(&app.context);
    let now = context.clock.wall();
    let store = context.store.clone();
    match blocking(move || store.invited(secret.expose(), now)).await?.map_err(Problem::internal)? {
        Invited::Open(person, expires) => {
            Ok(Json(For { name: person.name, role: person.role, site: SiteView::of(&context.site), expires: expires.to_string() }))
        }
        other => Err(refused(&other)),
    }
}

/// `POST invitation`: this phone is the person's from now on.
pub(crate) async fn accept(
    State(app): State<Arc<App>>,
    Extension(way): Extension<Way>,
    headers: HeaderMap,
    body: Body,
) -> Result<(SetCookie, Json<Who>), Problem> {
    let secret = read(&way, body)?;
    let _place = app.logins.try_acquire().map_err(|_| Problem::Full(Full::Logins))?;
    let (store, now, label) = (app.context.store.clone(), app.context.clock.wall(), device::label(&headers));
    let said = format!("{label} {}", way.noted()).trim().to_owned();
    let opened = blocking(move || store.accept(secret.expose(), &label, now)).await?.map_err(Problem::internal)?;
    match opened {
        Ok((person, secret)) => {
            audit::signing(&app, Audited::DeviceBound, person.name.clone(), person.role.to_string(), &said).await?;
            let cookie = session::cookie(&secret, way.secure(), BOUND_LIFE)?;
            Ok((cookie, Who::new(&app.context, &way, person.name, person.role)))
        }
        Err(other) => {
            let problem = refused(&other);
            audit::refused(&app, String::new(), String::new(), format!("{problem} {}", way.noted()).trim_end()).await?;
            Err(problem)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_of_a_link_has_its_three_corners_and_a_quiet_zone() {
        let qr = qr("https://thon.example.vn/moi#mi_0123456789abcdef").unwrap();
        // The outer ring of the corner at the top left, and nothing in the quiet zone.
        for n in 4..11 {
            assert!(qr.path.contains(&format!("M{n} 4h1v1h-1z")), "{n}");
        }
        assert!(!qr.path.contains("M3 ") && !qr.path.contains("M0 "));
        assert!(qr.size >= 21 + 8 && (qr.size - 8 - 21).is_multiple_of(4));
    }
}
