//! A model's manifest: `models/NAME.toml`.
//!
//! Belongs here: its keys, their bounds, and what the worker must know of them. Does not belong here: where weights lie.

use super::{ModelError, coco::COCO_80};
use crate::protocol::{ChannelOrder, Layout, ModelSpec};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Largest weights that are read into memory, bytes.
pub(crate) const WEIGHTS_MAX: u64 = 512 << 20;
/// Longest manifest, bytes.
pub(crate) const MANIFEST_MAX: u64 = 256 << 10;
/// Most output classes of a model.
const CLASSES_MAX: usize = 1024;

/// What a model is, as its author wrote it down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// `yolox-nano`: `a-z 0-9 -`, 1 to 48 bytes.
    pub name: String,
    /// SPDX name of the weights' licence.
    pub licence: String,
    /// Where the weights can be fetched, `https://…`; none for weights that come with the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// How its output is read.
    pub layout: Layout,
    /// Input width and height, pixels.
    pub input: [u32; 2],
    /// Order of the input's planes.
    pub channels: ChannelOrder,
    /// Subtracted from each plane, in the input's order, 0 to 255.
    pub mean: [f32; 3],
    /// Divides each plane afterwards.
    pub scale: [f32; 3],
    /// Fills what the picture does not cover, 0 to 255.
    pub pad: u8,
    /// Detections below this are not told, 0 to 1.
    pub threshold: f32,
    /// Overlap (IoU) above which the weaker of two boxes of one class is dropped, 0 to 1.
    pub nms: f32,
    /// The model's own words, in the order of its output; or the name of a list (`coco-80`).
    pub classes: Classes,
    /// Whether it knows drawn pictures only: it must not be trusted with a real camera.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub demo_only: bool,
    /// What it is good for, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
    /// The bytes it may have: several exports of the same weights are one model.
    pub weights: Vec<Weights>,
    /// The model's word → ours. What is not listed is not told.
    pub labels: BTreeMap<String, String>,
}

/// A sentence in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Tiếng Việt.
    pub vi: String,
    /// English.
    pub en: String,
}

/// One file that is this model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// Lower-case hex.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
    /// Which export it is.
    #[serde(default)]
    pub note: String,
}

/// A model's own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Classes {
    /// A list everybody knows.
    Named(String),
    /// The words themselves.
    Words(Vec<String>),
}

impl Manifest {
    /// Reads and checks a manifest. `place` names it in messages.
    ///
    /// # Errors
    /// A sentence that names the key and what it may be.
    pub fn parse(place: &str, text: &str) -> Result<Self, ModelError> {
        let bad = |reason: String| ModelError::Manifest { place: place.to_owned(), reason };
        let manifest: Self = toml::from_str(text).map_err(|e| bad(e.to_string().trim_end().to_owned()))?;
        manifest.check().map_err(bad)?;
        Ok(manifest)
    }

    /// The file its weights are in.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}.onnx", self.name)
    }

    /// The largest of its weights, bytes.
    #[must_use]
    pub fn largest(&self) -> u64 {
        self.weights.iter().map(|w| w.bytes).max().unwrap_or(0)
    }

    /// What the worker must know.
    #[must_use]
    pub fn spec(&self) -> ModelSpec {
        ModelSpec {
            name: self.name.clone(),
            layout: self.layout,
            input: self.input.into(),
            channels: self.channels,
            mean: self.mean,
            scale: self.scale,
            pad: self.pad,
            labels: self.words().iter().map(|word| self.labels.get(*word).cloned()).collect(),
            threshold: self.threshold,
            nms: self.nms,
        }
    }

    /// Our words for what it can tell, sorted, each once.
    #[must_use]
    pub fn tells(&self) -> Vec<&str> {
        let mut words: Vec<_> = self.labels.values().map(String::as_str).collect();
        words.sort_unstable();
        words.dedup();
        words
    }

    fn words(&self) -> Vec<&str> {
        match &self.classes {
            Classes::Named(_) => COCO_80.to_vec(),
            Classes::Words(words) => words.iter().map(String::as_str).collect(),
        }
    }

    fn check(&self) -> Result<(), String> {
        let ensure = |good: bool, what: &str| if good { Ok(()) } else { Err(what.to_owned()) };
        ensure(is_word(&self.name, 48), "name must be 1 to 48 of a-z, 0-9 and -")?;
        ensure(self.source.as_ref().is_none_or(|s| s.starts_with("https://")), "source must begin with https://")?;
        ensure(self.input.iter().all(|n| (32..=2048).contains(n) && n % 32 == 0), "input must be two multiples of 32 from 32 to 2048")?;
        ensure(self.mean.iter().all(|v| v.is_finite()), "mean must be three numbers")?;
        ensure(self.scale.iter().all(|v| v.is_normal()), "scale must be three numbers other than 0")?;
        ensure((0.0..1.0).contains(&self.threshold), "threshold must be at least 0 and below 1")?;
        ensure((0.0..=1.0).contains(&self.nms), "nms must be 0 to 1")?;
        if let Classes::Named(list) = &self.classes {
            ensure(list == "coco-80", "classes must be coco-80 or a list of words")?;
        }
        let words = self.words();
        ensure((1..=CLASSES_MAX).contains(&words.len()), "classes must be 1 to 1024 words")?;
        ensure(!self.labels.is_empty(), "labels must name at least one class")?;
        for (word, ours) in &self.labels {
            ensure(words.contains(&word.as_str()), &format!("labels: `{word}` is none of the model's classes"))?;
            ensure(is_word(ours, 32), &format!("labels: `{ours}` must be 1 to 32 of a-z, 0-9 and -"))?;
        }
        ensure(!self.weights.is_empty(), "there must be at least one [[weights]]")?;
        for weights in &self.weights {
            let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
            ensure(weights.sha256.len() == 64 && weights.sha256.bytes().all(hex), "weights: sha256 must be 64 of 0-9 and a-f")?;
            ensure((1..=WEIGHTS_MAX).contains(&weights.bytes), "weights: bytes must be 1 to 536870912")?;
        }
        Ok(())
    }
}

pub(crate) fn is_word(text: &str, max: usize) -> bool {
    (1..=max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}
