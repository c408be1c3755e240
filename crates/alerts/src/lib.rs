//! Delivers messages: takes them out of a durable outbox and hands them to channels, again and again until they arrive.
//!
//! Belongs here: channels (signed webhooks, phones by Web Push), when to try again, and when to stop trying. Does not belong here:
//! what is said and to whom (`cases`), how the outbox and the list of phones are kept (`store`).
//!
//! Every channel has its own task, its own connection and its own place in the outbox: a dead receiver delays nobody else.
//! Delivery is at least once: a box that goes down between sending and noting it sends again, under the same id.

mod channel;
mod client;
mod outbox;
pub mod push;
mod queue;
mod roster;
mod signature;
mod webhook;

pub use channel::{Channel, Sent};
pub use outbox::{Outbox, OutboxError, Outcome, Parcel};
pub use queue::run;
pub use roster::{Roster, follow};
pub use signature::sign;
pub use webhook::Webhook;
