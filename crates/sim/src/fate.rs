//! What befalls a village, drawn from its seed before it begins.

use crate::dice::Dice;
use ring::Fault;
use std::time::Duration;

/// Something that befalls it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Happening {
    /// The power goes, and comes back after a while. `wrong`: what the clock then says beside the truth; synchronised or not.
    Cut { off: Duration, wrong: i64, synchronised: bool },
    /// An orderly restart, with another number of blocks.
    Restart { blocks: Option<u64> },
    /// The wall clock is set to so much beside the truth (µs).
    Clock { wrong: i64, synchronised: bool },
    /// A path of the ring begins to do this wrong, or is well again.
    Disk { path: usize, fault: Option<Fault> },
}

const HOUR: i64 = 3_600_000_000;
/// 1970 and 2099, seen from the beginning of the village.
const LONG_AGO: i64 = -1_795_430_400_000_000;
const FAR_AHEAD: i64 = 2_275_000_000_000_000;

/// Everything that happens, in order.
pub(crate) fn draw(seed: u64, length: Duration) -> Vec<(Duration, Happening)> {
    let mut dice = Dice::new(seed, 1);
    let end = length.as_secs();
    // Some villages have it calm, some are in a storm.
    let pace = [400, 1200, 3600][usize::try_from(dice.below(3)).unwrap_or(0)];
    let mut all = Vec::new();
    let at = |seconds: u64, dice: &mut Dice| Duration::from_millis(seconds * 1000 + dice.below(1000));
    let mut t = 60;
    while t < end {
        let happening = match dice.below(4) {
            0 => Happening::Restart { blocks: dice.once_in(2).then(|| dice.between(48, 96)) },
            _ => {
                let off = Duration::from_secs(if dice.once_in(6) { dice.wait(600) } else { dice.between(1, 20) });
                // A box whose battery is empty wakes up in 1970.
                let (wrong, synchronised) = if dice.once_in(4) { (LONG_AGO, false) } else { (0, dice.once_in(2)) };
                if !synchronised {
                    let later = t + off.as_secs() + dice.between(5, 600);
                    all.push((at(later, &mut dice), Happening::Clock { wrong: 0, synchronised: true }));
                }
                Happening::Cut { off, wrong, synchronised }
            }
        };
        all.push((at(t, &mut dice), happening));
        t += dice.wait(pace);
    }
    let mut t = dice.wait(pace * 2);
    while t < end {
        let wrong = [HOUR, -HOUR, LONG_AGO, FAR_AHEAD, 3_000_000, -3_000_000][usize::try_from(dice.below(6)).unwrap_or(0)];
        all.push((at(t, &mut dice), Happening::Clock { wrong, synchronised: dice.once_in(2) }));
        t += dice.between(1, 1500);
        all.push((at(t, &mut dice), Happening::Clock { wrong: 0, synchronised: true }));
        t += dice.wait(pace * 2);
    }
    for path in 0..2 {
        let mut t = dice.wait(pace * 3);
        while t < end {
            let slow = Fault::Slow(Duration::from_millis(dice.between(20, 3_000)));
            let fault = [Fault::Write, Fault::Sync, Fault::NoSpace, Fault::Gone, slow][usize::try_from(dice.below(5)).unwrap_or(0)];
            all.push((at(t, &mut dice), Happening::Disk { path, fault: Some(fault) }));
            t += if dice.once_in(4) { dice.wait(600) } else { dice.between(1, 30) };
            all.push((at(t, &mut dice), Happening::Disk { path, fault: None }));
            t += dice.wait(pace * 3);
        }
    }
    all.sort_by_key(|(t, _)| *t);
    all
}
