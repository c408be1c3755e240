//! Phones, by Web Push (RFC 8030): one channel for each browser that signed up.
//!
//! Belongs here: the request, its bounds, and what an answer means. Does not belong here: the key that vouches for us
//! (`vapid`), where a browser takes messages (`phone`), what it shows (`message`), when to try again (`queue`), who
//! signed up (behind [`Phones`]).
//!
//! A push service is a stranger's server that sees when a message goes to which browser, and not what it says: that is
//! sealed for the browser (RFC 8291). Addresses and keys are secrets; no text and no `Debug` here shows one.

mod message;
mod phone;
mod vapid;

pub use phone::{BadPhone, Phone};
pub use vapid::{BadKey, Vapid};

use crate::{
    Channel, OutboxError, Parcel, Roster, Sent,
    client::{Lazy, chain},
};
use async_trait::async_trait;
use domain::{Secret, WallTime};
use jiff::tz::TimeZone;
use reqwest::{StatusCode, header};
use serde_json::Value;
use std::{fmt, sync::Arc, time::Duration};

/// How long a push service keeps a message for a phone that is off, and how long we try to hand it over: what is older is history.
const LIFE: Duration = Duration::from_secs(86_400);

/// Whom a message is for.
pub struct Recipient {
    /// The person.
    pub user: String,
    /// That person's role, in a word.
    pub role: String,
    /// `vi` or `en`.
    pub language: String,
    /// Where the browser takes messages.
    pub endpoint: Secret,
    /// The browser's public key, base64url.
    pub p256dh: Secret,
    /// The secret it shares with us, base64url.
    pub auth: Secret,
}

/// Who has signed up. Calls block for the disk; they are made on a blocking thread.
pub trait Phones: Send + Sync + 'static {
    /// The channels of all phones.
    ///
    /// # Errors
    /// When they cannot be read.
    fn names(&self) -> Result<Vec<String>, OutboxError>;

    /// Whom a message about this camera goes to on that channel; `None`: there is no such phone, or it may not be told any more.
    ///
    /// # Errors
    /// When it cannot be read.
    fn recipient(&self, name: &str, camera: &str) -> Result<Option<Recipient>, OutboxError>;

    /// The push service knows the phone no longer.
    ///
    /// # Errors
    /// When it cannot be written.
    fn gone(&self, name: &str) -> Result<(), OutboxError>;

    /// A path under which this recipient's phone gets the picture of a case, once and for some minutes.
    fn picture(&self, case: i64, recipient: &Recipient) -> Option<String>;
}

/// What all phones share.
pub struct Post {
    /// Who signed up.
    pub phones: Arc<dyn Phones>,
    /// The key that vouches for us.
    pub vapid: Vapid,
    /// Whom a push service asks when we make trouble: `mailto:…` or `https://…`. Apple's refuses what is not real.
    pub contact: String,
    /// The village's clock.
    pub timezone: TimeZone,
    /// Takes addresses on this box itself, also without TLS: for tests.
    pub allow_loopback: bool,
}

/// The roster of phones.
pub struct Phonebook(Arc<Shared>);

struct Shared {
    post: Post,
    secure: Lazy,
    plain: Lazy,
}

impl Phonebook {
    /// Opens it; nothing is sent yet.
    #[must_use]
    pub fn new(post: Post) -> Self {
        Self(Arc::new(Shared { post, secure: Lazy::new(true), plain: Lazy::new(false) }))
    }
}

impl Roster for Phonebook {
    fn names(&self) -> Result<Vec<String>, OutboxError> {
        self.0.post.phones.names()
    }

    fn open(&self, name: &str) -> Arc<dyn Channel> {
        Arc::new(Push { name: name.to_owned(), shared: Arc::clone(&self.0) })
    }
}

/// One phone's channel.
struct Push {
    name: String,
    shared: Arc<Shared>,
}

/// What is known before anything is sealed.
struct Ready {
    phone: Phone,
    sealed: Vec<u8>,
    topic: String,
    urgency: &'static str,
    authorization: String,
}

impl Push {
    /// Everything that waits for the disk or computes. `Err`: there is nothing to send.
    fn prepare(&self, parcel: &Parcel, late: bool, now: WallTime) -> Result<Ready, Sent> {
        let post = &self.shared.post;
        let Some(told) = serde_json::from_str::<Value>(&parcel.body).ok().and_then(|body| message::Told::read(&body)) else {
            return Err(Sent::Never("the message tells of no case".to_owned()));
        };
        let failed = |e: OutboxError| Sent::Failed(e.to_string());
        let Some(recipient) = post.phones.recipient(&self.name, &told.camera).map_err(failed)? else { return Err(Sent::Gone) };
        let phone = Phone::new(&recipient.endpoint, &recipient.p256dh, &recipient.auth, post.allow_loopback);
        let phone = phone.map_err(|e| Sent::Never(e.to_string()))?;
        let picture = if told.open { post.phones.picture(told.id, &recipient) } else { None };
        let late = late.then_some(&post.timezone);
        let message = message::of(&told, &recipient.language, late.map(|zone| (parcel.happened, now, zone)), picture.as_deref());
        let sealed = phone.seal(message).map_err(Sent::Never)?;
        let authorization = post.vapid.authorization(phone.origin(), &post.contact, now);
        let (topic, urgency) = (format!("case-{}", told.id), if told.open { "high" } else { "normal" });
        Ok(Ready { phone, sealed, topic, urgency, authorization })
    }

    async fn post(&self, ready: Ready) -> Result<(StatusCode, Option<Duration>), String> {
        let client = if ready.phone.secure() { &self.shared.secure } else { &self.shared.plain };
        let request = client
            .get()?
            .post(ready.phone.address())
            .header("TTL", LIFE.as_secs())
            .header("Urgency", ready.urgency)
            // What is still on its way to a phone that is off is replaced by what is newer.
            .header("Topic", ready.topic)
            .header(header::AUTHORIZATION, ready.authorization)
            .header(header::CONTENT_ENCODING, "aes128gcm")
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .body(ready.sealed);
        // The answer's body is nobody's business, and may have no end.
        let answer = request.send().await.map_err(|e| chain(&e.without_url()))?;
        let after = answer.headers().get(header::RETRY_AFTER).and_then(|v| v.to_str().ok()?.trim().parse().ok());
        Ok((answer.status(), after.map(Duration::from_secs)))
    }
}

#[async_trait]
impl Channel for Push {
    fn name(&self) -> &str {
        &self.name
    }

    fn life(&self) -> Duration {
        LIFE
    }

    async fn send(&self, parcel: &Parcel, late: bool, now: WallTime) -> Sent {
        let (this, wanted) = (Self { name: self.name.clone(), shared: Arc::clone(&self.shared) }, parcel.clone());
        let ready = match tokio::task::spawn_blocking(move || this.prepare(&wanted, late, now)).await {
            Ok(Ok(ready)) => ready,
            Ok(Err(sent)) => return sent,
            Err(fell) => return Sent::Failed(format!("the message could not be made: {fell}")),
        };
        match self.post(ready).await {
            Ok((status, _)) if status.is_success() => Sent::Done,
            Ok((StatusCode::NOT_FOUND | StatusCode::GONE, _)) => {
                let (phones, name) = (Arc::clone(&self.shared.post.phones), self.name.clone());
                match tokio::task::spawn_blocking(move || phones.gone(&name)).await {
                    Ok(Ok(())) => Sent::Gone,
                    Ok(Err(e)) => Sent::Failed(e.to_string()),
                    Err(fell) => Sent::Failed(fell.to_string()),
                }
            }
            Ok((status @ (StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE), _)) => {
                Sent::Never(format!("the push service answered {}", status.as_u16()))
            }
            Ok((status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN), _)) => Sent::Failed(format!(
                "the push service answered {}: it does not take our key; see that [push] contact is a real address and that the box's \
                 clock is right, and open the page on that phone",
                status.as_u16()
            )),
            Ok((status, Some(after))) => Sent::Busy(format!("the push service answered {}", status.as_u16()), after),
            Ok((status, None)) => Sent::Failed(format!("the push service answered {}", status.as_u16())),
            Err(trouble) => Sent::Failed(trouble),
        }
    }
}

impl fmt::Debug for Push {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Push").field("name", &self.name).finish_non_exhaustive()
    }
}
