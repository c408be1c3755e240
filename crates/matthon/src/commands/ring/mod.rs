//! `matthon ring …`: what is on the disk, without asking the daemon where that can be helped.

mod extract;
mod inspect;
mod status;

use super::load;
use crate::{
    cli::{RingCommand, WhichRing},
    exit::Failure,
    wiring,
};

pub(crate) fn ring(command: &RingCommand) -> Result<(), Failure> {
    match command {
        RingCommand::Status { json, config } => status::status(config, *json),
        RingCommand::Scan { which } => inspect::scan(which),
        RingCommand::Verify { which } => inspect::verify(which),
        RingCommand::Rebuild { which } => inspect::rebuild(which),
        RingCommand::Extract(args) => extract::extract(args),
    }
}

/// The configuration, and the rings that are meant.
fn rings(which: &WhichRing) -> Result<(config::Loaded, Vec<ring::RingSpec>), Failure> {
    let loaded = load(&which.config)?;
    let names: Vec<_> = loaded.config.rings.iter().map(|r| r.name.clone()).collect();
    if let Some(name) = which.ring.as_ref().filter(|name| !names.contains(name)) {
        return Err(Failure::usage(format!("--ring {name}: no such ring; the configuration has {}", names.join(", "))));
    }
    let meant = names.iter().filter(|n| which.ring.as_ref().is_none_or(|w| w == *n));
    let specs = meant.map(|n| wiring::ring_spec(&loaded.config, n)).collect::<Result<_, _>>()?;
    Ok((loaded, specs))
}
