//! The shipped scenarios mean what their names say, and a wrong one is told so.

use std::collections::BTreeSet;

use super::*;
use crate::streets::street::Street;

fn street(name: &str, seed: u64) -> Street {
    let scenario = Scenario::parse(shipped(name).unwrap_or_default()).unwrap_or_else(|e| panic!("{name}: {e}"));
    Street::new(&scenario, seed).unwrap_or_else(|e| panic!("{name}: {e}"))
}

#[test]
fn every_file_of_the_folder_is_shipped() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
    let files: BTreeSet<_> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|e| e.ok()?.file_name().to_str()?.strip_suffix(".toml").map(str::to_owned))
        .collect();
    assert_eq!(files, SHIPPED.iter().map(|s| s.0.to_owned()).collect());
}

#[test]
fn every_scenario_names_its_violations() {
    let expected = |name: &str| -> Vec<&str> {
        match name {
            "parking" | "story-market" => vec!["no-parking"],
            "wrong-way" => vec!["wrong-way"],
            "littering" | "story-rubbish" => vec!["littering"],
            "obstruction" => vec!["road-obstruction"],
            "intrusion" | "story-school" => vec!["intrusion"],
            "story-gate" => vec!["wrong-way", "road-obstruction"],
            _ => vec![],
        }
    };
    for (name, _) in SHIPPED {
        for seed in [1, 2, 77] {
            let street = street(name, seed);
            let intents = street.intents();
            assert_eq!(intents.iter().map(|i| i.kind.as_str()).collect::<Vec<_>>(), expected(name), "{name}");
            for intent in intents {
                assert!(0.0 <= intent.from && intent.from < intent.to && intent.to <= street.seconds(), "{name}: {intent:?}");
                let there = street.things((intent.from + intent.to) / 2.0);
                assert!(there.iter().any(|t| t.track == intent.track), "{name}: {intent:?} is done by nobody");
            }
        }
    }
}

#[test]
fn a_round_follows_a_round_without_a_seam() {
    for name in ["morning", "parking", "fair"] {
        let street = street(name, 3);
        let places = |t: f64| -> Vec<_> { street.things(t).iter().map(|thing| (thing.at.x, thing.at.y)).collect() };
        let long = street.seconds();
        // From the second round on everybody who was under way at its end is still there.
        for t in [0.5, 7.0, long / 2.0, long - 0.5] {
            let mut second = places(long + t);
            let mut third = places(2.0 * long + t);
            second.sort_by(|a, b| a.0.total_cmp(&b.0));
            third.sort_by(|a, b| a.0.total_cmp(&b.0));
            assert_eq!(second.len(), third.len(), "{name} at {t}");
            for (a, b) in second.iter().zip(third) {
                assert!((a.0 - b.0).abs() + (a.1 - b.1).abs() < 0.01, "{name} at {t}: {a:?} {b:?}");
            }
        }
    }
}

#[test]
fn nobody_jumps() {
    for (name, _) in SHIPPED {
        let street = street(name, 5);
        let mut before: std::collections::BTreeMap<u32, glam::Vec2> = std::collections::BTreeMap::new();
        let steps = (street.seconds() * 10.0) as usize;
        for i in 0..steps {
            let things = street.things(i as f64 / 10.0);
            for thing in &things {
                if let Some(at) = before.get(&thing.track) {
                    assert!(at.distance(thing.at) < 2.5, "{name}: track {} jumps {} m", thing.track, at.distance(thing.at));
                }
            }
            before = things.iter().map(|t| (t.track, t.at)).collect();
        }
    }
}

#[test]
fn mistakes_say_where_what_and_how() {
    let with = |extra: &str| format!("title = \"x\"\nplace = \"gate\"\nhour = \"day\"\nseconds = 20\n{extra}");
    let told = |extra: &str| {
        let text = with(extra);
        match Scenario::parse(&text).and_then(|s| Street::new(&s, 1)) {
            Ok(_) => panic!("accepted: {extra}"),
            Err(mistake) => mistake.to_string(),
        }
    };
    for (extra, words) in [
        ("hours = 1", "line 5: unknown field `hours`"),
        ("[lights]\ngreen = 9", "line 5: missing field `amber`"),
        ("[weather]\nrain = 2", "weather, rain: 2 must be 0 to 1"),
        (
            "[[traffic]]\nway = \"up\"\nper_minute = 3\nclasses = { car = 1 }",
            "traffic on \"up\": \"up\" is no way of this place; there are in, out",
        ),
        ("[[traffic]]\nway = \"in\"\nper_minute = 3\nclasses = { boat = 1 }", "unknown variant `boat`"),
        ("[[traffic]]\nway = \"in\"\nper_minute = 99999\nclasses = { car = 1 }", "more than 2000"),
        ("[[actor]]\nname = \"a\"\nclass = \"car\"", "actor \"a\": needs either way or from"),
        ("[[actor]]\nname = \"a\"\nclass = \"car\"\nway = \"in\"\nsteps = [{ wait = 3, to = [1, 2] }]", "step 1: needs exactly one of"),
        (
            "[[actor]]\nname = \"a\"\nclass = \"car\"\nway = \"in\"\nsteps = [{ to = \"moon\" }]",
            "step 1: \"moon\" is no spot of this place; there are",
        ),
        (
            "[[actor]]\nname = \"a\"\nclass = \"car\"\nway = \"in\"\nsteps = [{ take = \"b\" }, { wait = 1 }]",
            "no such actor drops anything",
        ),
        ("[[actor]]\nname = \"a\"\nclass = \"car\"\nfrom = [0, 9]\nsteps = [{ to = [0, 9] }]", "is there already"),
        ("[[actor]]\nname = \"a\"\nclass = \"car\"\nfrom = [0, 9]\nat = 30", "at must be 0 or more and below 20"),
    ] {
        let mistake = told(extra);
        assert!(mistake.contains(words), "{extra}\nsays {mistake}\nnot {words}");
    }
}
