//! Phones: from the list in the database to whoever seals and sends, and what the page offers them.

use crate::{env::Env, keys, telling::failed};
use alerts::{
    OutboxError,
    push::{Phone, Phonebook, Phones, Post, Recipient},
};
use anyhow::{Context, Result};
use config::Config;
use domain::{CameraId, CaseId, Clock};
use jiff::tz::TimeZoneDatabase;
use std::sync::Arc;
use store::{PhoneKeys, Store, phone_of};
use web::{Glances, Push};

/// What the core has for phones.
pub(crate) struct Opened {
    /// Who is told; `None` without `[push]`.
    pub(crate) book: Option<Phonebook>,
    /// What the page offers; likewise.
    pub(crate) offer: Option<Push>,
    /// Tickets for pictures.
    pub(crate) glances: Arc<Glances>,
}

/// Opens the list, and makes the key at the first time.
pub(crate) fn open(config: &Config, env: &Env, store: &Store) -> Result<Opened> {
    let glances = Arc::<Glances>::default();
    let Some(push) = &config.push else { return Ok(Opened { book: None, offer: None, glances }) };
    let vapid = keys::vapid(&config.storage.data)?;
    let timezone = TimeZoneDatabase::bundled().get(&config.site.timezone).context("[site] timezone")?;
    let allow_loopback = push.allow_loopback;
    let offer = Push {
        key: vapid.public_key().to_owned(),
        check: Arc::new(move |endpoint, p256dh, auth| {
            Phone::new(endpoint, p256dh, auth, allow_loopback).map(drop).map_err(|e| e.to_string())
        }),
    };
    let phones = Arc::new(Kept { store: store.clone(), clock: env.clock.clone(), glances: glances.clone() });
    let book = Phonebook::new(Post { phones, vapid, contact: push.contact.clone(), timezone, allow_loopback });
    Ok(Opened { book: Some(book), offer: Some(offer), glances })
}

/// One sentence for `check`.
pub(crate) fn told(config: &Config) -> String {
    match &config.push {
        Some(push) => format!("phones: told of cases by Web Push, contact {}", push.contact),
        None => "phones: not told of cases while the page is closed; write [push] with contact = \"mailto:…\"".to_owned(),
    }
}

/// The list that the database keeps.
struct Kept {
    store: Store,
    clock: Arc<dyn Clock>,
    glances: Arc<Glances>,
}

impl Phones for Kept {
    fn names(&self) -> Result<Vec<String>, OutboxError> {
        // A clock that is wrong must not end anybody's.
        if self.clock.synchronised() {
            match self.store.drop_stale_phones(self.clock.wall()) {
                Ok(0) => {}
                Ok(phones) => tracing::info!(phones, "phones whose time is over are told no more"),
                Err(e) => return Err(failed(&e)),
            }
        }
        self.store.phone_channels().map_err(|e| failed(&e))
    }

    fn recipient(&self, name: &str, camera: &str) -> Result<Option<Recipient>, OutboxError> {
        let (Some(id), Ok(camera)) = (phone_of(name), CameraId::new(camera)) else { return Ok(None) };
        let found = self.store.phone(id, &camera).map_err(|e| failed(&e))?;
        let recipient = |PhoneKeys { user, role, endpoint, p256dh, auth, language }| {
            let role = role.to_string();
            Recipient { user, role, language, endpoint, p256dh, auth }
        };
        Ok(found.map(recipient))
    }

    fn gone(&self, name: &str) -> Result<(), OutboxError> {
        let Some(id) = phone_of(name) else { return Ok(()) };
        tracing::info!(phone = id, "the push service knows a phone no longer; it signs up again when the page is opened there");
        self.store.drop_phone(id).map_err(|e| failed(&e))
    }

    fn picture(&self, case: i64, recipient: &Recipient) -> Option<String> {
        self.glances.issue(CaseId(case), &recipient.user, &recipient.role, self.clock.mono())
    }
}
