//! `matthon ring status`: from the daemon when one runs, else read from the disk.

use crate::{
    cli::ConfigArg,
    commands::load,
    control::{self, Answer, Request},
    env,
    exit::Failure,
    wiring,
};
use serde_json::{Value, json};

pub(crate) fn status(arg: &ConfigArg, as_json: bool) -> Result<(), Failure> {
    let loaded = load(arg)?;
    let rings = match control::ask(&loaded.config.storage.data, &Request::RingStatus)? {
        Some(Answer::Rings(rings)) => rings,
        Some(_) => return Err(Failure::Failed(anyhow::anyhow!("the daemon answered something else; is it another version?"))),
        None => {
            let disk = env::disk();
            let mut all = Vec::new();
            for ring in &loaded.config.rings {
                all.push(at_rest(&ring::Reader::open(wiring::ring_spec(&loaded.config, &ring.name)?, disk.clone())?)?);
            }
            Value::Array(all)
        }
    };
    if as_json {
        println!("{rings}");
        return Ok(());
    }
    for ring in rings.as_array().into_iter().flatten() {
        println!("ring {}", ring["name"].as_str().unwrap_or("?"));
        for (key, value) in ring.as_object().into_iter().flatten().filter(|(k, v)| *k != "name" && !v.is_null()) {
            println!("  {key}: {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        }
        if let Some(advice) = advice(&loaded.config, ring) {
            println!("  WARNING: {advice}");
        }
    }
    Ok(())
}

/// What the disk alone tells: no writer, so nothing about writing.
fn at_rest(reader: &ring::Reader) -> Result<Value, Failure> {
    let (spec, blocks) = (reader.spec(), reader.blocks()?);
    let used: Vec<_> = blocks.iter().filter(|b| b.records > 0).collect();
    Ok(json!({
        "name": spec.name,
        "size": spec.size,
        "blocks": blocks.len(),
        "block_size": spec.block_size,
        "used": used.len(),
        "oldest": used.iter().map(|b| b.from).min().map(|t| t.to_string()),
        "newest": used.iter().map(|b| b.to).max().map(|t| t.to_string()),
        "state": "stopped",
        "detail": "no daemon is recording into it",
    }))
}

/// What to change when the promise will be broken: the same words as on the health page.
fn advice(config: &config::Config, ring: &Value) -> Option<String> {
    let number = |key: &str| ring[key].as_f64();
    let name = ring["name"].as_str()?;
    let promised = config.rings.iter().find(|r| r.name == name)?.max_age.map(|age| age.as_secs_f64() / 86_400.0);
    ring::status::shortage(name, number("available")?, number("days_forecast")?, promised?, number("write_rate_bps")?)
}
