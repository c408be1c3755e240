//! The scenarios that come with the program, by name.

macro_rules! scenarios {
    ($($name:literal),* $(,)?) => {
        /// Name and text of each shipped scenario.
        pub const SHIPPED: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../../scenarios/", $name, ".toml")))),*];
    };
}

scenarios![
    "fair",
    "intrusion",
    "intrusion-crowd",
    "intrusion-near-miss",
    "junction",
    "littering",
    "littering-crowd",
    "littering-near-miss",
    "market-day",
    "morning",
    "night-storm",
    "obstruction",
    "obstruction-crowd",
    "obstruction-near-miss",
    "parking",
    "parking-crowd",
    "parking-near-miss",
    "story-gate",
    "story-market",
    "story-rubbish",
    "story-school",
    "wrong-way",
    "wrong-way-crowd",
    "wrong-way-near-miss",
];

/// The text of a shipped scenario.
#[must_use]
pub fn shipped(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|s| s.0 == name).map(|s| s.1)
}
