//! The targets, by what they read.

pub mod block;
pub(crate) mod codec;
pub(crate) mod mp4;
pub(crate) mod package;
pub(crate) mod requests;
pub(crate) mod ring;
pub(crate) mod web;
pub(crate) mod words;
