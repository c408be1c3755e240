//! From the TOML tree to the types of [`crate::written`]: TOML types, unknown keys, positions.
//! What a value means is not decided here.

use crate::{
    source::{Place, Source, Wrong, nearest, show},
    written,
};
use domain::Secret;
use toml::de::{DeTable, DeValue};

/// One key of a table.
#[derive(Debug)]
pub(crate) enum Field<T> {
    /// Not there; the place is where it would be.
    Missing(Place),
    /// There, but a mistake was noted already.
    Wrong,
    /// There.
    Is(T, Place),
}

impl<T> Field<T> {
    /// The value; notes a mistake when the key is not there.
    pub(crate) fn needed(self, source: &mut Source<'_>) -> Option<(T, Place)> {
        match self {
            Self::Is(value, place) => Some((value, place)),
            Self::Wrong => None,
            Self::Missing(place) => {
                source.missing(&place, Wrong::new("is missing", format!("write {}", place.example)));
                None
            }
        }
    }

    /// `Some(None)` when the key is not there, `None` when a mistake was noted.
    pub(crate) fn optional(self) -> Option<Option<(T, Place)>> {
        match self {
            Self::Is(value, place) => Some(Some((value, place))),
            Self::Wrong => None,
            Self::Missing(_) => Some(None),
        }
    }

    /// The value, or another when the key is not there; `None` when a mistake was noted.
    pub(crate) fn or(self, default: T) -> Option<T> {
        match self {
            Self::Is(value, _) => Some(value),
            Self::Wrong => None,
            Self::Missing(_) => Some(default),
        }
    }

    /// Reads the value further.
    pub(crate) fn then<U>(self, source: &mut Source<'_>, read: impl FnOnce(T) -> Result<U, Wrong>) -> Field<U> {
        match self {
            Self::Is(value, place) => match read(value) {
                Ok(value) => Field::Is(value, place),
                Err(wrong) => {
                    source.mistake(&place, wrong);
                    Field::Wrong
                }
            },
            Self::Wrong => Field::Wrong,
            Self::Missing(place) => Field::Missing(place),
        }
    }

    /// Whether something was written there.
    pub(crate) fn there(&self) -> bool {
        !matches!(self, Self::Missing(_))
    }

    /// Where it was written, if it can be pointed at.
    pub(crate) fn place(&self) -> Option<&Place> {
        match self {
            Self::Is(_, place) => Some(place),
            _ => None,
        }
    }
}

/// A type of the file as written.
pub(crate) trait Read: Sized {
    /// How it is written where no example of the key says so.
    fn form() -> String;
    /// `None` after noting what is wrong.
    fn read(value: &DeValue<'_>, place: &Place, source: &mut Source<'_>) -> Option<Self>;
}

/// A table whose keys are known.
pub(crate) trait Keys {
    /// How its header is written: `[[camera.zone]]`.
    const HEADER: &'static str;
    /// Its keys, in the order of the documentation.
    const KEYS: &'static [&'static str];
}

fn wrong_type<T: Read>(value: &DeValue<'_>, place: &Place, source: &mut Source<'_>) -> Option<T> {
    let is = match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    let fix = if place.example.is_empty() { T::form() } else { format!("write {}", place.example) };
    source.mistake(place, Wrong::new(format!("is {is} here"), fix));
    None
}

impl Read for String {
    fn form() -> String {
        "write a text in quotes".to_owned()
    }
    fn read(value: &DeValue<'_>, place: &Place, source: &mut Source<'_>) -> Option<Self> {
        value.as_str().map(str::to_owned).or_else(|| wrong_type(value, place, source))
    }
}

impl Read for Secret {
    fn form() -> String {
        String::form()
    }
    fn read(value: &DeValue<'_>, place: &Place, source: &mut Source<'_>) -> Option<Self> {
        value.as_str().map(|s| Self::new(s.to_owned())).or_else(|| wrong_type(value, place, source))
    }
}

impl Read for bool {
    fn form() -> String {
        "write true or false, without quotes".to_owned()
    }
    fn read(value: &DeValue<'_>, place: &Place, source: &mut Source<'_>) -> Option<Self> {
        value.as_bool().or_else(|| wrong_type(value, place, source))
    }
}

impl Read for f64 {
    fn form() -> String {
        "write a number, without quotes".to_owned()
    }
    fn read(value: &DeValue<'_>, place: &Place, source: &mut Source<'_>) -> Option<Self> {
        let number = match value {
            // Integers of TOML are 64-bit; as a fraction of a picture or a rate they lose nothing that matters.
            DeValue::Integer(i) => i64::from_str_radix(i.as_str(), i.radix()).ok().map(|i| i as Self),
            DeValue::Float(f) => f.as_str().parse().ok(),
            _ => return wrong_type(value, place, source),
        };
        let finite = number.filter(|n| n.is_finite());
        if finite.is_none() {
            source.mistake(place, Wrong::new("is not a usable number", "write a finite number like 5 or 0.25"));
        }
        finite
    }
}

impl<const N: usize> Read for [f64; N] {
    fn form() -> String {
        let numbers: Vec<_> = (1..=N).map(|i| format!("0.{i}")).collect();
        format!("write {N} numbers: [{}]", numbers.join(", "))
    }
    fn read(value: &DeValue<'_>, place: &Place, source: &mut Source<'_>) -> Option<Self> {
        let list = match value.as_array() {
            Some(list) => list,
            None => return wrong_type(value, place, source),
        };
        if list.len() != N {
            source.mistake(place, Wrong::new(format!("has {} numbers", list.len()), Self::form()));
            return None;
        }
        let mut all = [0.0; N];
        let mut good = true;
        for (i, (slot, item)) in all.iter_mut().zip(list.iter()).enumerate() {
            match f64::read(item.get_ref(), &place.element(i, item.span().start), source) {
                Some(number) => *slot = number,
                None => good = false,
            }
        }
        good.then_some(all)
    }
}

/// A list. Elements that are wrong were noted; then the whole list counts as wrong, except for a list of tables,
/// whose good members are still worth reading for more mistakes.
impl<T: Read + Element> Read for Vec<T> {
    fn form() -> String {
        T::list_form()
    }
    fn read(value: &DeValue<'_>, place: &Place, source: &mut Source<'_>) -> Option<Self> {
        let list = match value.as_array() {
            Some(list) => list,
            None => return wrong_type(value, place, source),
        };
        let items: Vec<_> =
            list.iter().enumerate().filter_map(|(i, item)| T::read(item.get_ref(), &place.element(i, item.span().start), source)).collect();
        (T::TABLE || items.len() == list.len()).then_some(items)
    }
}

/// One text or a list of texts.
#[derive(Debug)]
pub(crate) struct Texts(pub(crate) Vec<String>);

impl Read for Texts {
    fn form() -> String {
        "write a text in quotes, or a list of texts".to_owned()
    }
    fn read(value: &DeValue<'_>, place: &Place, source: &mut Source<'_>) -> Option<Self> {
        match value {
            DeValue::Array(_) => Vec::read(value, place, source).map(Self),
            DeValue::String(text) => Some(Self(vec![text.clone().into_owned()])),
            _ => wrong_type(value, place, source),
        }
    }
}

/// Outlines of areas.
#[derive(Debug)]
pub(crate) struct Areas(pub(crate) Vec<Vec<[f64; 2]>>);

impl Read for Areas {
    fn form() -> String {
        Vec::<Vec<[f64; 2]>>::form()
    }
    fn read(value: &DeValue<'_>, place: &Place, source: &mut Source<'_>) -> Option<Self> {
        let first = value.as_array().and_then(|areas| areas.iter().next()?.get_ref().as_array()?.iter().next());
        if first.is_some_and(|first| matches!(first.get_ref(), DeValue::Integer(_) | DeValue::Float(_))) {
            let fix = format!("write one pair of brackets more around it: {}", place.example);
            source.mistake(place, Wrong::new("is one area here, not a list of areas", fix));
            return None;
        }
        Vec::read(value, place, source).map(Self)
    }
}

/// What may stand in a list.
pub(crate) trait Element {
    /// It is a table of its own.
    const TABLE: bool = false;
    /// How the list is written.
    fn list_form() -> String;
}

impl Element for String {
    fn list_form() -> String {
        "write a list of texts: [\"a\", \"b\"]".to_owned()
    }
}

impl<const N: usize> Element for [f64; N] {
    fn list_form() -> String {
        "write a list of points: [[0.1, 0.2], [0.3, 0.4]]".to_owned()
    }
}

impl<const N: usize> Element for Vec<[f64; N]> {
    fn list_form() -> String {
        "write a list of areas, each a list of points: [[[0.1, 0.1], [0.3, 0.1], [0.2, 0.4]]]".to_owned()
    }
}

/// A table opened for reading: unknown keys are noted, and what was probably meant is not called missing as well.
pub(crate) struct Open<'t, 'i> {
    table: &'t DeTable<'i>,
    place: Place,
    meant: Vec<&'static str>,
}

impl<'t, 'i> Open<'t, 'i> {
    pub(crate) fn new<T: Keys + Read>(value: &'t DeValue<'i>, place: &Place, source: &mut Source<'_>) -> Option<Self> {
        let Some(table) = value.as_table() else {
            let _: Option<T> = wrong_type(value, place, source);
            return None;
        };
        let mut meant = Vec::new();
        for key in table.keys() {
            let name = key.get_ref().as_ref();
            if !T::KEYS.contains(&name) {
                let (wrong, probably) = unknown(name, T::HEADER, T::KEYS, |k| table.contains_key(k));
                source.mistake(&place.child(name, key.span().start, ""), wrong);
                meant.extend(probably);
            }
        }
        Some(Self { table, place: place.clone(), meant })
    }

    pub(crate) fn field<T: Read>(&self, key: &'static str, example: &'static str, source: &mut Source<'_>) -> Field<T> {
        match self.table.get_key_value(key) {
            Some((_, value)) => {
                let place = self.place.child(key, value.span().start, example);
                T::read(value.get_ref(), &place, source).map_or(Field::Wrong, |v| Field::Is(v, place))
            }
            None if self.meant.contains(&key) => Field::Wrong,
            None => Field::Missing(self.place.child(key, self.place.offset, example)),
        }
    }
}

/// The answer to a key that does not exist, and the key that was probably meant.
fn unknown(name: &str, header: &str, keys: &'static [&'static str], there: impl Fn(&str) -> bool) -> (Wrong, Option<&'static str>) {
    if let Some((_, old, new)) = written::RENAMED.iter().find(|(h, old, _)| *h == header && *old == name) {
        return (Wrong::new(format!("`{old}` is called `{new}` now"), format!("write {new}")), Some(new));
    }
    // A key of the table that is not written yet is a better guess than one that is.
    let free = nearest(name, keys.iter().copied().filter(|k| !there(k)));
    let problem = match header {
        "" => format!("there is no table or key {}", show(name)),
        _ => format!("{header} has no key {}", show(name)),
    };
    if let Some(key) = free.or_else(|| nearest(name, keys.iter().copied())) {
        let path = format!("{}.{key}", header.trim_matches(['[', ']']));
        let is_path = |h: &str| h.starts_with('[') && h.trim_matches(['[', ']']) == path.trim_start_matches('.');
        let table = written::TABLES.iter().find(|(h, _)| is_path(h)).map(|(h, _)| *h);
        return (Wrong::new(problem, format!("write {}", table.unwrap_or(key))), Some(key));
    }
    let elsewhere = written::TABLES.iter().find(|(_, keys)| keys.contains(&name));
    let fix = match elsewhere {
        Some(("", _)) => "move it to the top of the file, before the first [table]".to_owned(),
        Some((other, _)) => format!("move it to {other}"),
        None => format!("remove it; known here: {}", keys.join(", ")),
    };
    (Wrong::new(problem, fix), None)
}
