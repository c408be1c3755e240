//! A model with its session: picture in, detections out.
//!
//! Belongs here: checking that specification, model and runtime agree; running the model; boxes back to fractions of the
//! picture. Does not belong here: how a layout's rows are read ([`crate::yolox`]), threads ([`crate::pool`]).

use crate::{
    DetectError, Picture, Runtime, colour,
    nms::{self, Candidate},
    tensor::Input,
    yolox,
};
use domain::{BBox, Class, Detection};
use ort::{
    session::{Session, builder::GraphOptimizationLevel, builder::SessionBuilder},
    value::{Outlet, TensorElementType, TensorRef, ValueType},
};
use std::time::{Duration, Instant};
use vision::protocol::{Layout, ModelSpec};

/// Longest side of a model's input, pixels: what is allocated follows from it.
pub const INPUT_MAX: u32 = 4096;
/// Most classes of a model.
pub const CLASSES_MAX: usize = 4096;

/// Where the time of the last picture went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Filling the input.
    pub prepare: Duration,
    /// In the runtime.
    pub infer: Duration,
    /// Reading the output.
    pub read: Duration,
}

/// One session of one model. It computes on the calling thread only.
#[derive(Debug)]
pub struct Detector {
    spec: ModelSpec,
    session: Session,
    input: Input,
    /// Our words, each once.
    words: Vec<Class>,
    /// For each class of the model the index of its word.
    word_of: Vec<Option<usize>>,
    candidates: Vec<Candidate>,
    spent: Spent,
}

impl Detector {
    /// Loads a model and checks it against its specification.
    ///
    /// # Errors
    /// [`DetectError::Spec`] when the specification cannot be, [`DetectError::Model`] when the bytes are no model,
    /// [`DetectError::Shape`] when the model is not what the specification says.
    pub fn new(runtime: &Runtime, spec: &ModelSpec, model: &[u8]) -> Result<Self, DetectError> {
        check_spec(spec).map_err(|what| DetectError::Spec { model: spec.name.clone(), what })?;
        let session = configure(runtime)
            .and_then(|mut builder| builder.commit_from_memory(model))
            .map_err(|e| DetectError::model(&spec.name, e.message()))?;
        check_model(spec, &session).map_err(|what| DetectError::Shape { model: spec.name.clone(), what })?;
        let mut words: Vec<Class> = Vec::new();
        let mut index = |word: &str| {
            words.iter().position(|w| w.as_str() == word).unwrap_or_else(|| {
                words.push(Class::from(word));
                words.len() - 1
            })
        };
        let word_of = spec.labels.iter().map(|label| label.as_deref().map(&mut index)).collect();
        Ok(Self { input: Input::new(spec), spec: spec.clone(), session, words, word_of, candidates: Vec::new(), spent: Spent::default() })
    }

    /// Looks at a picture, which must fit into the model's input (see [`crate::fit`]). Boxes are fractions of the picture, the
    /// surest first, equal ones by box; the same picture gives the same answer.
    ///
    /// # Errors
    /// [`DetectError::Picture`] when it does not fit, [`DetectError::Inference`] when the runtime fails. The detector stays usable.
    pub fn detect(&mut self, picture: &Picture) -> Result<Vec<Detection>, DetectError> {
        let begin = Instant::now();
        self.input.fill(picture)?;
        let filled = Instant::now();
        let failed = |reason: &str| DetectError::inference(&self.spec.name, reason);
        let tensor = TensorRef::from_array_view((self.input.shape(), self.input.values())).map_err(|e| failed(e.message()))?;
        let outputs = self.session.run(ort::inputs![tensor]).map_err(|e| failed(e.message()))?;
        let inferred = Instant::now();
        let (shape, values) = outputs[0].try_extract_tensor::<f32>().map_err(|e| failed(e.message()))?;
        let wanted = output_shape(&self.spec);
        if **shape != wanted {
            return Err(failed(&format!("its output has the shape {:?} instead of {wanted:?}", &**shape)));
        }
        match self.spec.layout {
            Layout::Yolox => yolox::read(values, self.spec.input, &self.word_of, self.spec.threshold, &mut self.candidates),
        }
        nms::suppress(&mut self.candidates, self.spec.nms);
        let mut detections: Vec<Detection> = self.candidates.iter().filter_map(|c| detection(c, &self.words, picture)).collect();
        detections.sort_by(order);
        self.spent = Spent { prepare: filled - begin, infer: inferred - filled, read: inferred.elapsed() };
        Ok(detections)
    }

    /// Where the time of the last picture went.
    #[must_use]
    pub fn spent(&self) -> Spent {
        self.spent
    }

    /// What it was made from.
    #[must_use]
    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }
}

/// One thread a session: two intra-op threads gain little and burn a core by spinning; the pool has one session a core.
fn configure(runtime: &Runtime) -> ort::Result<SessionBuilder> {
    Ok(Session::builder(runtime.environment())?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?
        .with_inter_op_spinning(false)?
        .with_optimization_level(GraphOptimizationLevel::Level3)?)
}

fn check_spec(spec: &ModelSpec) -> Result<(), String> {
    let (width, height) = spec.input;
    let step = yolox::STRIDES[2];
    if [width, height].iter().any(|side| *side == 0 || *side > INPUT_MAX || side % step != 0) {
        return Err(format!("input {width}×{height}; a side is a multiple of {step}, at most {INPUT_MAX}"));
    }
    if spec.scale.iter().any(|s| !s.is_normal()) || spec.mean.iter().any(|m| !m.is_finite()) {
        return Err("mean or scale that are no usable numbers; scale divides and is not 0".to_owned());
    }
    if !(0.0..=1.0).contains(&spec.threshold) || !(0.0..=1.0).contains(&spec.nms) {
        return Err(format!("threshold {} and nms {}; both are from 0 to 1", spec.threshold, spec.nms));
    }
    if spec.labels.len() > CLASSES_MAX || spec.labels.iter().all(Option::is_none) {
        return Err(format!("{} classes, none of them wanted or too many; at most {CLASSES_MAX}", spec.labels.len()));
    }
    Ok(())
}

/// Each difference is told with the name the model itself gives the tensor.
fn check_model(spec: &ModelSpec, session: &Session) -> Result<(), String> {
    let input = [1, 3, i64::from(spec.input.1), i64::from(spec.input.0)];
    for (what, outlets, wanted) in [("input", session.inputs(), &input[..]), ("output", session.outputs(), &output_shape(spec)[..])] {
        let [outlet] = outlets else {
            return Err(format!("the model has {} {what}s, the layout {:?} has one", outlets.len(), spec.layout));
        };
        check_outlet(outlet, wanted).map_err(|is| format!("its {what} {:?} {is}, the manifest says {wanted:?} of f32", outlet.name()))?;
    }
    Ok(())
}

/// A dimension of -1 is decided by the input.
fn check_outlet(outlet: &Outlet, wanted: &[i64]) -> Result<(), String> {
    match outlet.dtype() {
        ValueType::Tensor { ty: TensorElementType::Float32, shape, .. }
            if shape.len() == wanted.len() && shape.iter().zip(wanted).all(|(is, wanted)| *is == -1 || is == wanted) =>
        {
            Ok(())
        }
        ValueType::Tensor { ty, shape, .. } => Err(format!("is {:?} of {ty}", &**shape)),
        _ => Err("is no tensor".to_owned()),
    }
}

fn output_shape(spec: &ModelSpec) -> [i64; 3] {
    let whole = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    match spec.layout {
        Layout::Yolox => [1, whole(yolox::rows(spec.input)), whole(yolox::HEAD + spec.labels.len())],
    }
}

/// The picture lies at the input's upper left, unscaled: fractions of the picture are pixels by its size.
/// A box that lies in the padding is none.
fn detection(candidate: &Candidate, words: &[Class], picture: &Picture) -> Option<Detection> {
    let [x1, y1, x2, y2] = candidate.edges.map(f64::from);
    let (width, height) = (f64::from(picture.width), f64::from(picture.height));
    let within = |v: f64| v.clamp(0.0, 1.0);
    let bbox = BBox { x1: within(x1 / width), y1: within(y1 / height), x2: within(x2 / width), y2: within(y2 / height) };
    let class = words.get(candidate.word)?.clone();
    bbox.is_sound().then(|| {
        let colour = (class.as_str() != domain::sighting::PERSON).then(|| colour::of(picture, &bbox)).flatten();
        Detection { class, score: f64::from(candidate.score), bbox, colour }
    })
}

fn order(a: &Detection, b: &Detection) -> std::cmp::Ordering {
    let boxes = <[f64; 4]>::from(a.bbox).into_iter().zip(<[f64; 4]>::from(b.bbox));
    let by_box = boxes.map(|(a, b)| a.total_cmp(&b)).find(|o| o.is_ne()).unwrap_or(std::cmp::Ordering::Equal);
    b.score.total_cmp(&a.score).then(by_box).then_with(|| a.class.cmp(&b.class))
}
