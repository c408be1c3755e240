//! Answers and undo: every sequence of taps leaves a history that explains the state.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fall like the tests")]

use domain::{Answer, CaseState, WallTime};
use matthon_cases::life::{Refused, Step, UNDO, answer, standing, state, undo};
use proptest::prelude::*;

/// A tap: who (0..3), what (undo, confirm, false alarm), and how long after the tap before, ms.
type Tap = (usize, u8, i64);

fn taps() -> impl Strategy<Value = Vec<Tap>> {
    proptest::collection::vec((0..3_usize, 0..3_u8, prop_oneof![0..3_000_i64, 9_990..10_010_i64, 0..100_000_i64]), 0..40)
}

const PEOPLE: [&str; 3] = ["Lan", "Mai", "Sơn"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_history_only_grows_and_explains_the_state(taps in taps()) {
        let mut now = WallTime::from_secs(1_795_430_520);
        let mut history = vec![Step::Other];
        // A second account of the same: the answers that stand, kept by hand.
        let mut model: Vec<(CaseState, &str, WallTime)> = Vec::new();
        for (who, what, later) in taps {
            now = now.plus_micros(later * 1000);
            let (by, before) = (PEOPLE[who], history.clone());
            match what {
                0 => match undo(&history, by, now) {
                    Ok((taken, left)) => {
                        let (s, who, at) = model.pop().unwrap();
                        prop_assert_eq!((taken.answer.state(), taken.by.as_str(), taken.at), (s, who, at));
                        prop_assert!(who == by && now.micros_since(at) <= UNDO.as_micros() as i64, "own and fresh only");
                        prop_assert_eq!(left.map(|l| l.answer.state()), model.last().map(|m| m.0));
                        history.push(Step::Undone);
                    }
                    Err(Refused::NothingToUndo) => prop_assert!(model.is_empty()),
                    Err(Refused::NotYours { by: theirs }) => prop_assert!(model.last().unwrap().1 == theirs && theirs != by),
                    Err(Refused::TooLate) => prop_assert!(now.micros_since(model.last().unwrap().2) > UNDO.as_micros() as i64),
                },
                _ => {
                    let wanted = if what == 1 { Answer::Confirm } else { Answer::FalseAlarm };
                    match answer(&history, wanted, by, now) {
                        Some(step) => {
                            history.push(step);
                            model.push((wanted.state(), by, now));
                        }
                        None => prop_assert_eq!(model.last().unwrap().0, wanted.state(), "only what stands already is no step"),
                    }
                    // Whatever was, whenever: the answer that was given last stands.
                    prop_assert_eq!(state(&history), wanted.state());
                }
            }
            prop_assert_eq!(&history[..before.len()], &before[..], "nothing is ever taken out");
            prop_assert!(history.len() <= before.len() + 1);
            prop_assert_eq!(state(&history), model.last().map_or(CaseState::Raised, |m| m.0));
            prop_assert_eq!(standing(&history).len(), model.len());
        }
    }

    #[test]
    fn any_history_can_be_read(words in proptest::collection::vec("(confirmed|false-alarm|undone|ended|raised|[a-z]{0,9})", 0..30)) {
        let steps: Vec<_> = words.iter().map(|w| Step::read(w, "Lan", WallTime::default())).collect();
        prop_assert!(standing(&steps).len() <= steps.len());
    }
}

#[test]
fn a_false_alarm_is_corrected_a_day_later() {
    let t = WallTime::from_secs(1_795_430_520);
    let mut history = vec![Step::Other];
    history.push(answer(&history, Answer::FalseAlarm, "Lan", t).unwrap());
    let tomorrow = t.plus_micros(86_400_000_000);
    assert_eq!(undo(&history, "Lan", tomorrow), Err(Refused::TooLate));
    history.push(answer(&history, Answer::Confirm, "Mai", tomorrow).unwrap());
    assert_eq!(state(&history), CaseState::Confirmed);
    assert_eq!(undo(&history, "Lan", tomorrow), Err(Refused::NotYours { by: "Mai".to_owned() }));
    let (_, left) = undo(&history, "Mai", tomorrow.plus_micros(1)).unwrap();
    assert_eq!(left.unwrap().by, "Lan", "what stood before stands again");
}
