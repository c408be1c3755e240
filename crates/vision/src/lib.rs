//! The worker's border, seen from the core: what is said over it, who keeps the worker alive, and which models there are.
//!
//! Belongs here: the protocol (also spoken by the worker's side), the supervisor, the feeding of streams, stills on demand,
//! model manifests. Does not belong here: decoding or inference (the worker), what follows from an observation (`analytics`).

pub mod protocol;
