//! A camera's rules as the configuration has them → as `analytics` takes them.

use analytics::{Rule, What, Zone};
use domain::Class;

/// Everything one camera is watched for.
pub(crate) fn of(camera: &config::Camera) -> analytics::Config {
    let zone = |name: &str| {
        let polygon = camera.zones.iter().find(|z| z.name == name).map(|z| z.polygon.clone()).unwrap_or_default();
        Zone { name: name.to_owned(), polygon }
    };
    let classes = |words: &[String]| words.iter().map(|w| Class::from(w.as_str())).collect();
    let rules = camera.rules.iter().map(|rule| match rule {
        config::Rule::NoParking { zone: z, classes: c, after } => {
            Rule { zone: zone(z), classes: classes(c), what: What::NoParking { after: *after } }
        }
        config::Rule::WrongWay { zone: z, classes: c, from, to, tolerance, min_travel } => Rule {
            zone: zone(z),
            classes: classes(c),
            what: What::WrongWay { from: *from, to: *to, tolerance: *tolerance, min_travel: *min_travel },
        },
    });
    analytics::Config { rules: rules.collect(), ..analytics::Config::default() }
}
