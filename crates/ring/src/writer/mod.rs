//! The writing side: samples become records ([`builder`]), records become batches in blocks ([`core`]), and one thread
//! lets time pass for it all (`thread`).

mod backoff;
pub(crate) mod builder;
pub(crate) mod core;
mod expire;
pub(crate) mod layout;
pub(crate) mod mend;
mod place;
mod recovery;
mod release;
mod report;
mod seal;
pub(crate) mod start;
pub(crate) mod thread;
