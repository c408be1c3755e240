//! Why something cannot be looked at, in words that name the place, the reason and the fix.
//!
//! Belongs here: the crate's one error type. Does not belong here: what the worker does about it.

use std::{fmt::Display, path::PathBuf};

/// What went wrong between a picture and its detections.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DetectError {
    /// The library is not there or is none.
    #[error("ONNX Runtime cannot be loaded from {path}: {reason}; run `tools/ort`, or set the path of libonnxruntime.so in MATTHON_ORT")]
    NoRuntime {
        /// Where it was looked for.
        path: PathBuf,
        /// What the loader said.
        reason: String,
    },
    /// The library is too old for this program.
    #[error("{path} is ONNX Runtime {found}, this program needs {needed} or newer: run `tools/ort`")]
    OldRuntime {
        /// Which file.
        path: PathBuf,
        /// Its version.
        found: String,
        /// The oldest that is accepted, `1.24`.
        needed: String,
    },
    /// The library was loaded and does not work.
    #[error("ONNX Runtime does not start: {reason}; a process can start it once")]
    Runtime {
        /// What it said.
        reason: String,
    },
    /// The specification says what cannot be.
    #[error("model {model}: its manifest says {what}")]
    Spec {
        /// The manifest's name.
        model: String,
        /// What is wrong, with what would be right.
        what: String,
    },
    /// The bytes are no model that the runtime can load.
    #[error("model {model} cannot be loaded: {reason}; get the file again with `matthon models pull {model}`")]
    Model {
        /// The manifest's name.
        model: String,
        /// What the runtime said.
        reason: String,
    },
    /// The model is a good one, but not the one that its manifest describes.
    #[error("model {model}: {what}; the manifest and the file do not belong together")]
    Shape {
        /// The manifest's name.
        model: String,
        /// Which input or output differs, and how.
        what: String,
    },
    /// The picture is none: its bytes do not fit its size, or it is larger than the model's input.
    #[error("a picture of {width}×{height} with {len} bytes cannot be laid into a model's input of {input_width}×{input_height}")]
    Picture {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
        /// Bytes it has.
        len: usize,
        /// Pixels.
        input_width: u32,
        /// Pixels.
        input_height: u32,
    },
    /// The runtime failed while looking at a picture.
    #[error("model {model} failed on a picture: {reason}")]
    Inference {
        /// The manifest's name.
        model: String,
        /// What it said.
        reason: String,
    },
    /// The detector itself broke off; the panic's own words are on standard error.
    #[error("the detector panicked while looking at a picture; the lines before say where")]
    Panicked,
}

impl DetectError {
    pub(crate) fn model(model: &str, reason: impl Display) -> Self {
        Self::Model { model: model.to_owned(), reason: one_line(reason) }
    }

    pub(crate) fn inference(model: &str, reason: impl Display) -> Self {
        Self::Inference { model: model.to_owned(), reason: one_line(reason) }
    }
}

/// What C++ code says, cut to one line of a bearable length: it comes from a model's file and goes into a log.
pub(crate) fn one_line(text: impl Display) -> String {
    let mut line: String = text.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).take(400).collect();
    line.truncate(line.trim_end().len());
    line
}
