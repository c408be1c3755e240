//! `[wall]`: when the TVs of public places show nothing.

use crate::{
    needed::Wall,
    reader::Field,
    source::{Source, Wrong, show},
    written,
};

/// Nobody is in the hall, and whoever passes it by night needs no wall of the village.
const OFF: (u16, u16) = (22 * 60, 5 * 60);

/// `None` after noting a mistake.
pub(super) fn wall(field: Field<written::Wall>, source: &mut Source<'_>) -> Option<Wall> {
    let off = match field.optional()? {
        Some((w, _)) => w.off.then(source, |t| span(&t)).or(Some(OFF))?,
        None => Some(OFF),
    };
    Some(Wall { off })
}

fn span(text: &str) -> Result<Option<(u16, u16)>, Wrong> {
    if text == "never" {
        return Ok(None);
    }
    let minute = |t: &str| {
        let (hours, minutes) = t.split_once(':')?;
        let two = |t: &str| (t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit())).then(|| t.parse::<u16>().ok()).flatten();
        let (hours, minutes) = (two(hours)?, two(minutes)?);
        (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
    };
    let span = text.split_once('-').and_then(|(from, to)| Some((minute(from)?, minute(to)?)));
    let fix = "write from when to when, or \"never\": \"22:00-05:00\"";
    match span {
        Some((from, to)) if from != to => Ok(Some((from, to))),
        Some(_) => Err(Wrong::new(format!("{} has no length", show(text)), fix)),
        None => Err(Wrong::new(format!("{} is no time of day", show(text)), fix)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_over_midnight_too() {
        for (text, is) in [("22:00-05:00", Some((1320, 300))), ("00:30-23:59", Some((30, 1439))), ("never", None)] {
            assert_eq!(span(text).unwrap(), is, "{text}");
        }
        for text in ["22:00", "22:00-22:00", "24:00-05:00", "22:60-05:00", "2:00-05:00", "22:00–05:00", ""] {
            assert!(span(text).is_err(), "{text}");
        }
    }
}
