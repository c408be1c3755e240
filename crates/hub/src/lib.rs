//! One stream's fan-out: many consumers, one publisher, the current GOP kept for joiners.
//!
//! Belongs here: who gets which item, what a slow consumer loses, and how much may wait in memory.
//! Does not belong here: what an item is beyond four questions ([`Item`]), sockets, files, clocks or tasks.
//! Consumers wait on [`tokio::sync::Notify`], which needs no runtime of its own.
//!
//! The bargain with a consumer, whatever the interleaving: what it receives starts at a random access
//! point, is contiguous except at a [`Delivery::Skipped`], and goes on at a random access point after one.

mod fanout;
mod gop;
mod haste;
mod item;
mod queue;

pub use fanout::{Consumer, Fanout, Join};
pub use gop::{GOP_BYTES, GOP_MICROS};
pub use haste::{Haste, Hurry};
pub use item::Item;
pub use queue::{Capacity, Delivery};
