//! The writing side: samples become records ([`builder`]), records become batches in blocks ([`core`]), and one thread
//! lets time pass for it all (`thread`).

pub(crate) mod builder;
pub(crate) mod core;
mod expire;
mod place;
pub(crate) mod start;
pub(crate) mod thread;
