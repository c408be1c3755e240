//! The drawn village without RTSP: clips, their truth, and pictures to train on.
//!
//! Belongs here: files and standard output of `render`, `truth` and `dataset`. What is drawn is in `camsim::streets`.

mod clip;
mod dataset;
mod truth;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use camsim::streets::scenario::{SHIPPED, Scenario, shipped};
use camsim::streets::street::Street;

pub(crate) use clip::render;
pub(crate) use dataset::dataset;
pub(crate) use truth::truth;

/// Reads a scenario: the name of a shipped one, or a file.
pub(crate) fn scenario(which: &str) -> Result<Scenario> {
    let text = match shipped(which) {
        Some(text) => text.to_owned(),
        None if Path::new(which).is_file() => fs::read_to_string(which).with_context(|| which.to_owned())?,
        None => {
            let names: Vec<_> = SHIPPED.iter().map(|s| s.0).collect();
            return Err(anyhow!("{which}: neither a file nor one of the shipped scenarios: {}", names.join(", ")));
        }
    };
    Scenario::parse(&text).map_err(|e| anyhow!("{which}: {e}"))
}

/// A scenario and its street.
pub(crate) fn street(which: &str, seed: u64) -> Result<(Scenario, Street)> {
    let scenario = scenario(which)?;
    let street = Street::new(&scenario, seed).map_err(|e| anyhow!("{which}: {e}"))?;
    Ok((scenario, street))
}
