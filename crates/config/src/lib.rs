//! `matthon.toml` → [`Config`]: TOML as written is parsed into types, and every mistake of the file is named at once
//! with its line, its key, what is wrong and what to write instead.
//!
//! Belongs here: the file's keys, their units and bounds, references inside the file, secrets it points to.
//! Does not belong here: what a stage does with a value (each stage has its own `Config`), the models' manifests.
//!
//! Two sets of types: `written` says which keys exist and what TOML type each has; [`needed`] is what the
//! binary builds from. `resolve` leads from one to the other.

mod forecast;
mod load;
mod mistake;
pub mod needed;
mod reader;
mod resolve;
mod source;
mod units;
mod written;

pub use forecast::RingForecast;
pub use load::{Loaded, load, parse};
pub use mistake::{Mistake, Mistakes};
pub use needed::{
    About, Camera, Certificate, Config, Evidence, Language, Line, Privacy, Push, Record, Ring, Rule, Site, Storage, Vision, Wall, Web,
    Webhook, Zone,
};
