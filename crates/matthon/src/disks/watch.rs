//! Watches folders and disks, and tells everyone who is told of anything when one of them fails or is well again.

use super::Disks;
use crate::{env::Env, telling};
use domain::WallTime;
use metrics::gauge;
use serde_json::json;
use std::{collections::BTreeMap, time::Duration};
use store::{NewParcel, Store};
use tokio_util::sync::CancellationToken;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(5);

/// One thing that can fail: a folder of a ring or a disk, by its name; and its state in a word and a sentence.
type States = BTreeMap<String, (String, String)>;

/// Looks until told to stop.
pub(crate) async fn watch(
    disks: Disks,
    config: config::Config,
    rings: Vec<ring::Recorder>,
    store: Store,
    env: Env,
    stop: CancellationToken,
) {
    let mut last = States::new();
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(every.tick()).await.is_some() {
        let (disks, rings) = (disks.clone(), rings.clone());
        let looked = tokio::task::spawn_blocking(move || look(&disks, &rings)).await;
        let Ok(now) = looked else { continue };
        let now = as_known(&last, now);
        let changed = changes(&last, &now);
        if changed.is_empty() {
            last = now;
            continue;
        }
        let (store, parcels, at) = (store.clone(), parcels(&config, &changed, env.clock.wall()), env.clock.wall());
        let kept = tokio::task::spawn_blocking(move || store.tell(&parcels, at)).await;
        // What could not be written down is news again at the next look.
        match kept {
            Ok(Ok(())) => last = now,
            _ => tracing::warn!("what happened to a disk could not be put into the outbox"),
        }
    }
}

fn look(disks: &Disks, rings: &[ring::Recorder]) -> States {
    let statuses: Vec<_> = rings.iter().map(ring::Recorder::status).collect();
    let mut states = States::new();
    for path in statuses.iter().flat_map(|r| &r.paths) {
        states.insert(path.path.display().to_string(), (path.state.as_str().to_owned(), path.detail.clone()));
    }
    for disk in disks.of(&statuses) {
        let sound = f64::from(u8::from(disk.state != "failing"));
        if disk.state != "unmeasured" {
            gauge!("matthon_disk_sound", "device" => disk.device.clone()).set(sound);
        }
        for (what, value) in [
            ("reallocated", disk.reallocated),
            ("pending", disk.pending),
            ("uncorrectable", disk.uncorrectable),
            ("worn_percent", disk.worn_percent),
            ("hours", disk.hours),
        ] {
            if let Some(value) = value {
                gauge!("matthon_disk_smart", "device" => disk.device.clone(), "what" => what).set(value as f64);
            }
        }
        states.insert(disk.device, (disk.state.to_owned(), disk.detail));
    }
    states
}

/// That nothing measures is said on the page; it is no news. A disk that stops answering is what it was: a dying one is not well again.
fn as_known(last: &States, mut now: States) -> States {
    for (name, (state, _)) in now.iter_mut().filter(|(_, (state, _))| state == "unmeasured") {
        last.get(name).map_or("ok", |(known, _)| known).clone_into(state);
    }
    now
}

/// What is in another state than before. At the start only what is not well is news.
fn changes(last: &States, now: &States) -> Vec<(String, String, String)> {
    let news = now.iter().filter(|(name, (state, _))| last.get(*name).map_or("ok", |(s, _)| s) != state);
    news.map(|(name, (state, detail))| (name.clone(), state.clone(), detail.clone())).collect()
}

fn parcels(config: &config::Config, changed: &[(String, String, String)], now: WallTime) -> Vec<NewParcel> {
    let mut all = Vec::new();
    for (name, state, detail) in changed {
        tracing::warn!(disk = name, state, detail, "a disk or folder of recordings changed its state");
        let sentence = if state == "ok" {
            format!("Ổ đĩa {name} đã hoạt động lại bình thường.")
        } else {
            format!("Ổ đĩa {name} có vấn đề, cần kiểm tra sớm ({detail}).")
        };
        let body = json!({
            "event": "disk.changed",
            "site": config.site.name,
            "sentence": sentence,
            "disk": { "name": name, "state": state, "detail": detail },
        })
        .to_string();
        all.extend(config.webhooks.iter().map(|w| NewParcel {
            channel: telling::channel_name(w),
            event: "disk.changed".into(),
            happened: now,
            due: now,
            body: body.clone(),
        }));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(all: &[(&str, &str)]) -> States {
        all.iter().map(|(n, s)| ((*n).to_owned(), ((*s).to_owned(), String::new()))).collect()
    }

    #[test]
    fn only_what_changes_is_news() {
        let names = |last: &[(&str, &str)], now: &[(&str, &str)]| {
            changes(&states(last), &states(now)).into_iter().map(|(n, s, _)| format!("{n} {s}")).collect::<Vec<_>>()
        };
        assert_eq!(names(&[], &[("/video", "ok"), ("sda", "ok")]), Vec::<String>::new());
        let settled = |last: &[(&str, &str)]| as_known(&states(last), states(&[("sda", "unmeasured")])).remove("sda").unwrap().0;
        assert_eq!((settled(&[]), settled(&[("sda", "failing")])), ("ok".to_owned(), "failing".to_owned()));
        assert_eq!(names(&[], &[("/video", "missing")]), ["/video missing"]);
        assert_eq!(names(&[("/video", "missing")], &[("/video", "missing")]), Vec::<String>::new());
        assert_eq!(names(&[("/video", "missing"), ("sda", "ok")], &[("/video", "ok"), ("sda", "failing")]), ["/video ok", "sda failing"]);
    }
}
