//! Which classes a detector may confuse, which of them drive, and what people call them.
//!
//! Belongs here: the table. Does not belong here: the mapping from a model's labels (its manifest has that).

use domain::Class;

/// Things a detector confuses from picture to picture; a track stays within one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// Cars, vans, trucks, buses.
    FourWheels,
    /// Motorcycles and bicycles.
    TwoWheels,
    /// Any other class is a group of its own.
    Other(Class),
}

/// class, group, Vietnamese, English.
const TABLE: &[(&str, Group, &str, &str)] = &[
    ("car", Group::FourWheels, "ô tô", "car"),
    ("van", Group::FourWheels, "xe van", "van"),
    ("truck", Group::FourWheels, "xe tải", "truck"),
    ("bus", Group::FourWheels, "xe khách", "bus"),
    ("motorcycle", Group::TwoWheels, "xe máy", "motorcycle"),
    ("bicycle", Group::TwoWheels, "xe đạp", "bicycle"),
];

fn row(class: &Class) -> Option<&'static (&'static str, Group, &'static str, &'static str)> {
    TABLE.iter().find(|r| r.0 == class.as_str())
}

pub(crate) fn group(class: &Class) -> Group {
    row(class).map_or_else(|| Group::Other(class.clone()), |r| r.1.clone())
}

/// Whether it is a vehicle.
pub(crate) fn drives(class: &Class) -> bool {
    row(class).is_some()
}

/// What people call it: Vietnamese, English. An unknown class keeps its own word.
pub(crate) fn names(class: &Class) -> (&str, &str) {
    match row(class) {
        Some(r) => (r.2, r.3),
        None if class.as_str() == "person" => ("người", "person"),
        None => (class.as_str(), class.as_str()),
    }
}
