//! What goes wrong with a request: a kind for code, a sentence for the client, another one for the log.

use crate::rendition::NoRendition;
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use cases::Room;
use domain::Role;
use serde_json::json;

/// An answer other than the one asked for, sent as `application/problem+json` (RFC 9457).
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// No session, no token, or one that has ended.
    #[error("sign in first: send the session cookie or `Authorization: Bearer mt_…`")]
    SignIn,
    /// The name and password do not belong together.
    #[error("name or password is wrong")]
    WrongPassword,
    /// Too many wrong passwords.
    #[error("too many wrong passwords for this name; try again in {seconds} s")]
    LockedOut { seconds: u64 },
    /// Too many codes that no TV shows.
    #[error("too many wrong codes; try again in {seconds} s")]
    WrongCodes { seconds: u64 },
    /// Signed in, but this is not for that role.
    #[error("the role {0} may not do this")]
    Role(Role),
    /// Another site's page asks in the name of somebody signed in here.
    #[error("the request comes from another site's page (Origin and Host differ)")]
    Origin,
    /// There is no such thing, or not for this user.
    #[error("there is no {what} `{name}`")]
    Unknown { what: &'static str, name: String },
    /// The path is nothing the server knows.
    #[error("there is nothing at this address; see /api/v1/openapi.json")]
    NoSuchPath,
    /// Plain HTTP where HTTPS is spoken.
    #[error("this port speaks HTTPS: write https:// in front of the address")]
    Plain,
    /// The path exists, the method does not.
    #[error("this address does not take this method; see /api/v1/openapi.json")]
    Method,
    /// A parameter or the body cannot be understood.
    #[error("{name}: {reason}")]
    Bad { name: &'static str, reason: String },
    /// The body is larger than anything that is ever sent, or broke off.
    #[error("the body is too large or broke off; send at most 16 kB")]
    TooLarge,
    /// Nothing was recorded in the time asked for.
    #[error("nothing was recorded there in that time")]
    NoRecording,
    /// The recording was overwritten while it was read.
    #[error("that time is no longer kept")]
    Gone,
    /// An invitation that lets nobody in.
    #[error("{}", if *used { "this invitation was used already; ask for another one" } else { "this invitation is over; ask for another one" })]
    Invitation { used: bool },
    /// A link to a case that lets nobody in.
    #[error("{}", if *used { "this link was opened in another browser already; ask for another one" } else { "this link is over; ask for another one" })]
    CaseLink { used: bool },
    /// A wall shows all cameras, and this user may see some.
    #[error("a TV shows all cameras: only somebody who may see all of them lets one in")]
    AllCameras,
    /// Let in to one case by a link, and asks for something else.
    #[error("the link that let you in is good for one case only; sign in for the rest")]
    OneCase,
    /// The case has no such file, or not yet.
    #[error("this case has no {0}, or not yet")]
    NoEvidence(&'static str),
    /// No picture can be taken of the camera now.
    #[error("no picture: {0}")]
    NoPicture(String),
    /// No film of the recording can be made now.
    #[error("no film: {0}")]
    NoFilm(String),
    /// The camera's masks hide something from this role, and recordings are as they came.
    #[error(
        "parts of this camera's picture are masked: its recordings are for the role police, everybody else has film.mp4, which is covered"
    )]
    Masked,
    /// A rendition cannot be had now.
    #[error(transparent)]
    Rendition(#[from] NoRendition),
    /// What was asked does not fit how things stand.
    #[error("{0}")]
    Conflict(String),
    /// The evidence store does not take so much more.
    #[error("{said}")]
    NoRoom { need: u64, room: Room, said: String },
    /// The stream is not one that WebRTC carries.
    #[error("{0}")]
    NotByWebRtc(rtc::Unfit),
    /// What this user sees of a masked camera does not come by WebRTC.
    #[error("parts of this camera's picture are masked: what you see of it comes by the socket, not by WebRTC")]
    CoveredOnly,
    /// There is no WebRTC here, or not for whoever asks.
    #[error("no WebRTC: {0}")]
    NoWebRtc(&'static str),
    /// The body is of another kind than is taken.
    #[error("send the offer as Content-Type: application/sdp")]
    NotSdp,
    /// A WebSocket address was asked without an upgrade.
    #[error("this address speaks WebSocket: send an upgrade request")]
    NotWebSocket,
    /// The range lies outside the file.
    #[error("the range lies outside the {length} bytes of the file")]
    Range { length: u64 },
    /// A bounded resource is used up for now.
    #[error("{0}")]
    Full(Full),
    /// Something of ours failed; only the log says what.
    #[error("the server failed; its log says why")]
    Internal(String),
}

/// What is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Full {
    /// Live sockets.
    #[error("too many live viewers at once; try again in a moment")]
    Live,
    /// One person's sessions by WebRTC.
    #[error("you watch by WebRTC in as many places as one person may; close one, or watch by the socket")]
    Visits,
    /// Clips being downloaded.
    #[error("too many clips are being downloaded at once; try again in a moment, or ask for a shorter one")]
    Clips,
    /// Films of recordings being made.
    #[error("so many recordings are being converted already; try again in a moment")]
    Films,
    /// Streams of events.
    #[error("too many pages listen for events at once; ask again from time to time instead")]
    Events,
    /// Searches.
    #[error("somebody else searches; try again in a moment")]
    Searches,
    /// Pictures being taken.
    #[error("too many pictures are being taken at once; try again in a moment")]
    Snapshots,
    /// Screens that wait to be let in.
    #[error("too many TVs wait to be let in; try again in a moment")]
    Pairings,
    /// Log-ins waiting for the password hash.
    #[error("too many people sign in at once; try again in a moment")]
    Logins,
}

impl Problem {
    /// An internal failure, with the sentence for the log.
    pub(crate) fn internal(cause: impl std::fmt::Display) -> Self {
        Self::Internal(cause.to_string())
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::SignIn | Self::WrongPassword => StatusCode::UNAUTHORIZED,
            Self::LockedOut { .. } | Self::WrongCodes { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Role(_) | Self::Origin | Self::OneCase | Self::AllCameras | Self::Masked => StatusCode::FORBIDDEN,
            Self::Unknown { .. } | Self::NoSuchPath | Self::NoRecording | Self::NoEvidence(_) => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Bad { .. } | Self::Plain => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Gone | Self::Invitation { .. } | Self::CaseLink { .. } => StatusCode::GONE,
            Self::NotWebSocket => StatusCode::UPGRADE_REQUIRED,
            Self::Range { .. } => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::Conflict(_) | Self::NoRoom { .. } => StatusCode::CONFLICT,
            Self::NotByWebRtc(_) | Self::CoveredOnly => StatusCode::NOT_ACCEPTABLE,
            Self::NotSdp => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Full(_) | Self::NoPicture(_) | Self::NoFilm(_) | Self::NoWebRtc(_) | Self::Rendition(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The stable name a program goes by.
    fn kind(&self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::WrongPassword => "wrong-password",
            Self::LockedOut { .. } => "locked-out",
            Self::WrongCodes { .. } => "wrong-codes",
            Self::Role(_) => "role",
            Self::Origin => "origin",
            Self::Unknown { .. } => "unknown",
            Self::NoSuchPath => "no-such-path",
            Self::Plain => "plain-http",
            Self::Method => "method",
            Self::Bad { .. } => "bad-request",
            Self::NoRecording => "no-recording",
            Self::NoEvidence(_) => "no-evidence",
            Self::NoPicture(_) => "no-picture",
            Self::NoFilm(_) => "no-film",
            Self::Masked => "masked",
            Self::Rendition(refused) => refused.kind(),
            Self::Conflict(_) => "conflict",
            Self::NoRoom { .. } => "no-room",
            Self::TooLarge => "too-large",
            Self::Gone => "gone",
            Self::Invitation { used: true } => "invitation-used",
            Self::Invitation { used: false } => "invitation-over",
            Self::CaseLink { used: true } => "case-link-used",
            Self::CaseLink { used: false } => "case-link-over",
            Self::OneCase => "one-case",
            Self::AllCameras => "all-cameras",
            Self::NotWebSocket => "not-websocket",
            Self::NotByWebRtc(_) | Self::CoveredOnly => "not-by-webrtc",
            Self::NoWebRtc(_) => "no-webrtc",
            Self::NotSdp => "not-sdp",
            Self::Range { .. } => "range",
            Self::Full(Full::Live) => "live-full",
            Self::Full(Full::Visits) => "webrtc-yours",
            Self::Full(Full::Clips) => "clips-full",
            Self::Full(Full::Films) => "films-full",
            Self::Full(Full::Events) => "events-full",
            Self::Full(Full::Searches) => "searches-full",
            Self::Full(Full::Snapshots) => "snapshots-full",
            Self::Full(Full::Logins) => "logins-full",
            Self::Full(Full::Pairings) => "pairings-full",
            Self::Internal(_) => "internal",
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        if let Self::Internal(cause) = &self {
            tracing::error!(cause, "a request failed");
        }
        let kind = self.kind();
        let mut body = json!({
            "type": format!("urn:matthon:problem:{kind}"),
            "kind": kind,
            "title": status.canonical_reason().unwrap_or("Problem"),
            "status": status.as_u16(),
            "detail": self.to_string(),
        });
        if let Self::Bad { name, .. } = &self {
            body["parameter"] = json!(name);
        }
        if let Self::NotByWebRtc(unfit) = &self {
            body["codec"] = json!(unfit.codec());
        }
        // Numbers for a page that says it in its own words.
        if let Self::NoRoom { need, room, .. } = &self {
            body["room"] = json!({"need": need, "used": room.used(), "quota": room.quota, "free": room.free});
        }
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match &self {
            Self::SignIn => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::LockedOut { seconds } | Self::WrongCodes { seconds } => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
            }
            Self::Full(_) | Self::NoPicture(_) | Self::Rendition(_) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            }
            Self::NotWebSocket => {
                headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            }
            Self::Range { length } => {
                if let Ok(value) = HeaderValue::from_str(&format!("bytes */{length}")) {
                    headers.insert(header::CONTENT_RANGE, value);
                }
            }
            _ => {}
        }
        response
    }
}
