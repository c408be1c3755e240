//! ISO base media file format boxes (ISO 14496-12), below the level of files.

pub(crate) mod read;
pub(crate) mod sample_entry;
pub(crate) mod write;
