//! Query parameters, read with errors that name the parameter.

use crate::problem::Problem;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use domain::{Channel, WallTime};
use std::{collections::HashMap, str::FromStr};

/// The query of a request. Parameters nobody reads are let pass: newer pages may ask older servers.
pub(crate) struct Params(HashMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::<HashMap<String, String>>::from_request_parts(parts, state).await;
        query.map(|Query(map)| Self(map)).map_err(|e| Problem::Bad { name: "query", reason: e.body_text() })
    }
}

impl Params {
    /// A parameter, if it is there.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A parameter that must be there.
    pub(crate) fn need(&self, name: &'static str) -> Result<&str, Problem> {
        self.get(name).ok_or_else(|| Problem::Bad { name, reason: "is missing".into() })
    }

    /// `main` or `sub`; main when nothing is said.
    pub(crate) fn stream(&self) -> Result<Channel, Problem> {
        self.get("stream")
            .map_or(Ok(Channel::Main), |text| text.parse().map_err(|reason| Problem::Bad { name: "stream", reason: brief(reason) }))
    }

    /// Whether `codec` says that the client plays H.264 only.
    pub(crate) fn h264(&self) -> Result<bool, Problem> {
        match self.get("codec") {
            None => Ok(false),
            Some("h264") => Ok(true),
            Some(_) => Err(Problem::Bad { name: "codec", reason: "write h264, or leave it out".into() }),
        }
    }

    /// A whole number, `1..=most`; `usual` when nothing is said.
    pub(crate) fn count(&self, name: &'static str, usual: usize, most: usize) -> Result<usize, Problem> {
        let Some(text) = self.get(name) else { return Ok(usual) };
        let number = text.parse().ok().filter(|n| (1..=most).contains(n));
        number.ok_or_else(|| Problem::Bad { name, reason: format!("write a whole number from 1 to {most}") })
    }

    /// A parameter in words of its own type, if it is there.
    pub(crate) fn word<T: FromStr<Err = String>>(&self, name: &'static str) -> Result<Option<T>, Problem> {
        let read = |text: &str| text.parse().map_err(|reason| Problem::Bad { name, reason: brief(reason) });
        self.get(name).map(read).transpose()
    }

    /// `from` and `to`, in order, at most `longest` seconds apart.
    pub(crate) fn time(&self, longest: i64) -> Result<(WallTime, WallTime), Problem> {
        in_order(self.instant("from")?, self.instant("to")?, longest)
    }

    /// A moment that must be there.
    pub(crate) fn instant(&self, name: &'static str) -> Result<WallTime, Problem> {
        // A `+` of an offset that was not escaped arrives as a space.
        let text = self.need(name)?.replace(' ', "+");
        WallTime::parse(&text).map_err(|reason| Problem::Bad { name, reason: brief(reason) })
    }
}

/// A time from one moment to a later one, at most `longest` seconds apart.
pub(crate) fn in_order(from: WallTime, to: WallTime, longest: i64) -> Result<(WallTime, WallTime), Problem> {
    if to <= from {
        return Err(Problem::Bad { name: "to", reason: "must be later than from".into() });
    }
    if to.micros_since(from) > longest.saturating_mul(1_000_000) {
        return Err(Problem::Bad {
            name: "to",
            reason: match longest {
                ..3600 => format!("must be at most {} min after from", longest / 60),
                _ => format!("must be at most {} h after from", longest / 3600),
            },
        });
    }
    Ok((from, to))
}

/// What came in, quoted back, is kept short.
pub(crate) fn brief(reason: String) -> String {
    if reason.chars().count() <= 300 { reason } else { reason.chars().take(300).chain(['…']).collect() }
}
