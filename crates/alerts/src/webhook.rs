//! A signed POST to somebody's address.
//!
//! Belongs here: the request, its bounds, and what an answer means. Does not belong here: when to try again (`queue`).

use crate::{
    Channel, Parcel, Sent,
    client::{Lazy, chain},
    sign,
};
use async_trait::async_trait;
use domain::{Secret, WallTime};
use reqwest::{StatusCode, header};
use serde_json::Value;
use std::fmt;
use url::Url;

/// Most bytes of a body.
const BODY_MAX: usize = 64 * 1024;

/// A receiver of signed POSTs.
///
/// Headers: `X-Matthon-Signature` (see [`sign`]), `X-Matthon-Event`, `X-Matthon-Delivery` (the same at every try). 2xx
/// means received, 410 that no more is wanted, anything else (a redirect, too) that it is tried again.
pub struct Webhook {
    name: String,
    url: Url,
    secret: Secret,
    client: Lazy,
}

impl Webhook {
    /// A receiver; nothing is sent yet.
    #[must_use]
    pub fn new(name: String, url: Url, secret: Secret) -> Self {
        let client = Lazy::new(url.scheme() == "https");
        Self { name, url, secret, client }
    }

    async fn post(&self, parcel: &Parcel, body: Vec<u8>, now: WallTime) -> Result<StatusCode, String> {
        let request = self
            .client
            .get()?
            .post(self.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header("X-Matthon-Signature", sign(&self.secret, now, &body))
            .header("X-Matthon-Event", &parcel.event)
            .header("X-Matthon-Delivery", &parcel.delivery)
            .body(body);
        // The answer's body is nobody's business, and may have no end.
        request.send().await.map(|r| r.status()).map_err(|e| chain(&e.without_url()))
    }
}

#[async_trait]
impl Channel for Webhook {
    fn name(&self) -> &str {
        &self.name
    }

    async fn send(&self, parcel: &Parcel, late: bool, now: WallTime) -> Sent {
        let Ok(Value::Object(mut body)) = serde_json::from_str(&parcel.body) else {
            return Sent::Never("the message is not a JSON object".to_owned());
        };
        body.insert("id".to_owned(), parcel.delivery.clone().into());
        body.insert("late".to_owned(), late.into());
        let body = Value::Object(body).to_string().into_bytes();
        if body.len() > BODY_MAX {
            return Sent::Never(format!("the message has {} bytes; at most {BODY_MAX} are sent", body.len()));
        }
        match self.post(parcel, body, now).await {
            Ok(status) if status.is_success() => Sent::Done,
            Ok(StatusCode::GONE) => {
                tracing::warn!(channel = self.name, "the receiver answered 410: remove its [[webhook]]");
                Sent::Gone
            }
            Ok(status) if status.is_redirection() => Sent::Failed(format!(
                "the receiver answered {}: redirects are not followed; configure the address it leads to",
                status.as_u16()
            )),
            Ok(status) => Sent::Failed(format!("the receiver answered {}", status.as_u16())),
            Err(trouble) => Sent::Failed(trouble),
        }
    }
}

impl fmt::Debug for Webhook {
    /// Without path and query: addresses of hooks are often secrets themselves.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("name", &self.name).field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}
