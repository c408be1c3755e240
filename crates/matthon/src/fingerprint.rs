//! The village's daily fingerprint: one hash over the head of the audit log and the newest seal of every ring. Sent away or
//! written into a book, it proves later that nothing before it was changed.

use anyhow::{Context, Result};
use domain::{Clock, hex, spoken};
use evidence::manifest::Place;
use ring::Reader;
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use store::{FingerprintRow, Store};
use tokio_util::sync::CancellationToken;

/// How often it is looked whether a new day has begun.
const LOOK: Duration = Duration::from_secs(60);
const TITLE: &str = "matthon fingerprint 1";

/// Takes a fingerprint on every day the core runs, until told to stop.
pub(crate) async fn keep(store: Store, rings: BTreeMap<String, Reader>, clock: Arc<dyn Clock>, timezone: String, stop: CancellationToken) {
    let place = Place::named(&timezone);
    let mut every = tokio::time::interval(LOOK);
    while stop.run_until_cancelled(every.tick()).await.is_some() {
        let (store, rings, clock, place) = (store.clone(), rings.clone(), clock.clone(), place.clone());
        match tokio::task::spawn_blocking(move || take(&store, &rings, &*clock, &place)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(error = format!("{error:#}"), "the day's fingerprint is not taken; trying again"),
            Err(error) => tracing::error!(%error, "taking the day's fingerprint fell"),
        }
    }
}

/// Takes today's, unless there is one. Whether a time server vouches for the day stands in it: a box that was in 2036 for an hour
/// goes on with the days that follow.
fn take(store: &Store, rings: &BTreeMap<String, Reader>, clock: &dyn Clock, place: &Place) -> Result<()> {
    let now = clock.wall();
    let day = place.day(now);
    if store.fingerprints(1000)?.iter().any(|f| f.day == day) {
        return Ok(());
    }
    let (audit_seq, head) = store.audit_head()?;
    let mut content = format!(
        "{TITLE}\nday {day}\nclock {}\nbox {}\naudit {audit_seq} {}\n",
        if clock.synchronised() { "set" } else { "not-set" },
        store.identity(now)?.id,
        hex(&head)
    );
    for (name, reader) in rings {
        if let Some((sequence, digest)) = reader.newest_seal() {
            content.push_str(&format!("ring {name} {sequence} {}\n", hex(&digest)));
        }
    }
    let hash: [u8; 32] = Sha256::digest(content.as_bytes()).into();
    tracing::info!(day, words = spoken(&hash), hash = hex(&hash), "the day's fingerprint");
    store.add_fingerprint(&FingerprintRow { day, at: now, audit_seq, content, hash }).context("cannot keep it")
}

/// A block whose seal is another one than a fingerprint names.
#[derive(Debug, serde::Serialize)]
pub(crate) struct WrongSeal {
    pub(crate) day: String,
    pub(crate) ring: String,
    pub(crate) block: u64,
}

/// How many seals that fingerprints name are still in the rings, and those that are others there.
pub(crate) fn seals(store: &Store, rings: &BTreeMap<String, Reader>) -> Result<(u64, Vec<WrongSeal>)> {
    let (mut checked, mut wrong) = (0, Vec::new());
    for row in store.fingerprints(1000)? {
        for line in row.content.lines() {
            let mut words = line.split(' ');
            let ("ring", Some(name), Some(sequence), Some(digest)) = (words.next().unwrap_or(""), words.next(), words.next(), words.next())
            else {
                continue;
            };
            let Ok(sequence) = sequence.parse() else { continue };
            // Gone with its block is no change; the fingerprint itself stays.
            let Some(found) = rings.get(name).and_then(|r| r.seal_of(sequence)) else { continue };
            checked += 1;
            if hex(&found) != digest {
                wrong.push(WrongSeal { day: row.day.clone(), ring: name.to_owned(), block: sequence });
            }
        }
    }
    Ok((checked, wrong))
}
