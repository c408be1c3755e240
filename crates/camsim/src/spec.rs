//! What a camera is told to be: parsing `key=value,…` into a [`CameraSpec`], every mistake named.
//!
//! Nothing here opens a file or starts anything.

use std::fmt;
use std::path::PathBuf;

/// Village places that `--cameras N` names its cameras after; further ones are `cam-05`, `cam-06` ….
pub(crate) const PLACES: [&str; 4] = ["cong-lang", "cho", "truong-hoc", "nha-van-hoa"];

/// How many different moving scenes there are; `variant` beyond it wraps.
pub(crate) const VARIANTS: u32 = 4;

/// A mistake in a camera spec.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum SpecError {
    /// A part that is not `key=value`.
    #[error("camera spec `{spec}`: `{part}` is not key=value")]
    NotPair { spec: String, part: String },
    /// A key we do not know.
    #[error("camera spec `{spec}`: unknown key `{key}` (known: {})", KEYS.join(", "))]
    UnknownKey { spec: String, key: String },
    /// A key given twice.
    #[error("camera spec `{spec}`: `{key}` is given twice")]
    Twice { spec: String, key: String },
    /// A value that the key cannot have.
    #[error("camera spec `{spec}`: {key}={value}: {wanted}")]
    Value { spec: String, key: String, value: String, wanted: &'static str },
    /// A key that must be there.
    #[error("camera spec `{spec}`: {missing}")]
    Missing { spec: String, missing: &'static str },
    /// Two cameras that cannot live together.
    #[error("cameras `{first}` and `{second}`: {why}")]
    Clash { first: String, second: String, why: &'static str },
}

const KEYS: [&str; 22] = [
    "id",
    "source",
    "variant",
    "seed",
    "codec",
    "sub-codec",
    "size",
    "sub-size",
    "fps",
    "sub-fps",
    "gop",
    "bframes",
    "open-gop",
    "vui",
    "bitrate",
    "sub-bitrate",
    "sub",
    "audio",
    "user",
    "password",
    "join",
    "phase",
];

/// A video codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Codec {
    /// H.264 / AVC.
    H264,
    /// H.265 / HEVC.
    H265,
}

/// An audio codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Audio {
    /// AAC-LC, 16 kHz mono.
    Aac,
    /// G.711 A-law, 8 kHz mono.
    Pcma,
    /// G.711 µ-law, 8 kHz mono.
    Pcmu,
}

/// Width and height in pixels: width a multiple of 8, height of 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Size {
    /// Pixels across.
    pub(crate) width: u32,
    /// Pixels down.
    pub(crate) height: u32,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// Where the pictures come from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    /// The drawn scene of this variant, 0-based.
    Scene(u32),
    /// A drawn street: a scenario's name or file, and its seed; it begins again when it is over.
    Street(String, u64),
    /// A video file, looped.
    File(PathBuf),
}

/// With which access unit a client's PLAY begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Join {
    /// A key frame made for it.
    Force,
    /// The encoder's own next random access point.
    Gop,
    /// Whatever comes next.
    Middle,
}

/// Everything that tells one encoder from another: equal profiles share one encoder.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Profile {
    pub(crate) source: Source,
    pub(crate) codec: Codec,
    pub(crate) size: Size,
    /// Frames a second.
    pub(crate) fps: u32,
    /// Frames from one random access point to the next.
    pub(crate) gop: u32,
    /// B-frames between two references; 0 for none.
    pub(crate) bframes: u32,
    pub(crate) open_gop: bool,
    /// Whether the H.264 SPS has a VUI, which tells how deep pictures are reordered.
    pub(crate) vui: bool,
    /// Bits a second.
    pub(crate) bitrate: u32,
}

/// One simulated camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CameraSpec {
    /// a-z, 0-9 and `-`.
    pub(crate) id: String,
    pub(crate) main: Profile,
    /// None when the camera has one stream only.
    pub(crate) sub: Option<Profile>,
    pub(crate) audio: Option<Audio>,
    pub(crate) login: Option<Login>,
    pub(crate) join: Join,
    /// How long after the shared encoder this camera sends, in ms; None spreads the cameras evenly.
    pub(crate) phase: Option<u64>,
}

/// Name and password of a camera. The password is not in the `Debug` form.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({})", self.user)
    }
}

/// The keys and values of one spec, as written.
struct Pairs {
    spec: String,
    pairs: Vec<(String, String)>,
}

impl Pairs {
    fn read(spec: &str) -> Result<Self, SpecError> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        // A password must not come back in an error message.
        let shown =
            spec.split(',').map(|p| if p.trim_start().starts_with("password=") { "password=…" } else { p }).collect::<Vec<_>>().join(",");
        for part in spec.split(',').filter(|p| !p.trim().is_empty()) {
            let Some((key, value)) = part.split_once('=') else {
                return Err(SpecError::NotPair { spec: shown, part: part.into() });
            };
            let key = key.trim();
            if !KEYS.contains(&key) {
                return Err(SpecError::UnknownKey { spec: shown, key: key.into() });
            }
            if pairs.iter().any(|(k, _)| k == key) {
                return Err(SpecError::Twice { spec: shown, key: key.into() });
            }
            pairs.push((key.into(), value.trim().into()));
        }
        Ok(Self { spec: shown, pairs })
    }

    fn raw(&self, key: &str) -> Option<&str> {
        self.pairs.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
    }

    fn get<T>(&self, key: &str, default: T, wanted: &'static str, parse: impl Fn(&str) -> Option<T>) -> Result<T, SpecError> {
        match self.raw(key) {
            None => Ok(default),
            Some(value) => {
                parse(value).ok_or_else(|| SpecError::Value { spec: self.spec.clone(), key: key.into(), value: value.into(), wanted })
            }
        }
    }

    fn missing(&self, missing: &'static str) -> SpecError {
        SpecError::Missing { spec: self.spec.clone(), missing }
    }
}

/// Reads one `--camera` spec.
pub(crate) fn camera(spec: &str) -> Result<CameraSpec, SpecError> {
    let pairs = Pairs::read(spec)?;
    let id = pairs.raw("id").ok_or_else(|| pairs.missing("id=… is missing"))?;
    build(&pairs, id, 0)
}

/// The cameras of `--cameras count`: places of a village, each with the options of `each`, scenes taking turns over `variants`.
pub(crate) fn village(count: u32, each: &str, variants: u32) -> Result<Vec<CameraSpec>, SpecError> {
    let pairs = Pairs::read(each)?;
    if pairs.raw("id").is_some() {
        return Err(pairs.missing("--each is for many cameras and cannot carry id="));
    }
    (0..count)
        .map(|i| {
            let id = PLACES.get(i as usize).map_or_else(|| format!("cam-{:02}", i + 1), |p| (*p).to_owned());
            build(&pairs, &id, i % variants.clamp(1, VARIANTS))
        })
        .collect()
}

/// Refuses cameras that cannot live on one server.
pub(crate) fn together(cameras: &[CameraSpec]) -> Result<(), SpecError> {
    let clash = |a: &CameraSpec, b: &CameraSpec, why| SpecError::Clash { first: a.id.clone(), second: b.id.clone(), why };
    for (i, b) in cameras.iter().enumerate() {
        for a in &cameras[..i] {
            if a.id == b.id {
                return Err(clash(a, b, "two cameras with one id"));
            }
            if let (Some(x), Some(y)) = (&a.login, &b.login)
                && x.user == y.user
                && x.password != y.password
            {
                return Err(clash(
                    a,
                    b,
                    "one user name with two passwords (one RTSP server keeps one password a user: give them other names)",
                ));
            }
        }
    }
    Ok(())
}

fn build(pairs: &Pairs, id: &str, variant: u32) -> Result<CameraSpec, SpecError> {
    if id.is_empty() || id.len() > 64 || !id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        return Err(SpecError::Value { spec: pairs.spec.clone(), key: "id".into(), value: id.into(), wanted: "1 to 64 of a-z, 0-9 and -" });
    }
    let variant = pairs.get("variant", variant, "a number from 1", |v| number(v, 1, 1000).map(|n| (n - 1) % VARIANTS))?;
    let seed = pairs.get("seed", 1, "a whole number", |v| v.parse().ok())?;
    let source = pairs.get("source", Source::Scene(variant), "scene, scene2 … scene4, street:SCENARIO, or a file's path", |v| {
        source(v, variant, seed)
    })?;
    let fps = pairs.get("fps", 15, "1 to 60", |v| number(v, 1, 60))?;
    let sub_fps = pairs.get("sub-fps", 10, "1 to 60", |v| number(v, 1, 60))?;
    let gop = pairs.get("gop", 2000, "a time up to 60s, like 2s or 500ms", |v| millis(v).filter(|ms| (1..=60_000).contains(ms)))?;
    let codec = pairs.get("codec", Codec::H264, "h264 or h265", video)?;
    let open_gop = pairs.get("open-gop", false, "yes or no", yes)?;
    let bframes = pairs.get("bframes", if open_gop { 2 } else { 0 }, "0 to 4", |v| number(v, 0, 4))?;
    if open_gop && bframes == 0 {
        return Err(pairs.missing("open-gop needs bframes of 1 or more (without them no picture reaches over a key frame)"));
    }
    let vui = pairs.get("vui", true, "yes or no", yes)?;
    let main = Profile {
        source,
        codec,
        size: pairs.get("size", Size { width: 1280, height: 720 }, SIZE, size)?,
        fps,
        gop: frames(gop, fps),
        bframes,
        open_gop,
        vui,
        bitrate: pairs.get("bitrate", 2_000_000, BITRATE, bitrate)?,
    };
    let sub = Profile {
        codec: pairs.get("sub-codec", Codec::H264, "h264 or h265", video)?,
        size: pairs.get("sub-size", Size { width: 640, height: 360 }, SIZE, size)?,
        fps: sub_fps,
        gop: frames(gop, sub_fps),
        bitrate: pairs.get("sub-bitrate", 300_000, BITRATE, bitrate)?,
        ..main.clone()
    };
    let login = match (pairs.raw("user"), pairs.raw("password")) {
        (None, None) => None,
        (Some(user), Some(password)) if !user.is_empty() => Some(Login { user: user.into(), password: password.into() }),
        _ => return Err(pairs.missing("user= and password= go together")),
    };
    let natural = if open_gop { Join::Gop } else { Join::Force };
    Ok(CameraSpec {
        id: id.into(),
        main,
        sub: pairs.get("sub", true, "yes or no", yes)?.then_some(sub),
        audio: pairs.get("audio", None, "none, aac, pcma or pcmu", audio)?,
        login,
        join: pairs.get("join", natural, "force, gop or middle", join)?,
        phase: pairs.get("phase", None, "a time shorter than that of one picture, like 20ms", |v| {
            millis(v).filter(|ms| ms * u64::from(fps.max(sub_fps)) < 1000).map(Some)
        })?,
    })
}

pub(crate) const SIZE: &str = "WIDTHxHEIGHT, width a multiple of 8 and height of 2, 64x64 to 3840x2160";
const BITRATE: &str = "bits a second from 32k to 50M, like 2M or 300k";

fn number(text: &str, low: u32, high: u32) -> Option<u32> {
    text.parse().ok().filter(|n| (low..=high).contains(n))
}

fn yes(text: &str) -> Option<bool> {
    match text {
        "yes" | "true" | "1" | "on" => Some(true),
        "no" | "false" | "0" | "off" => Some(false),
        _ => None,
    }
}

fn video(text: &str) -> Option<Codec> {
    match text {
        "h264" => Some(Codec::H264),
        "h265" => Some(Codec::H265),
        _ => None,
    }
}

fn audio(text: &str) -> Option<Option<Audio>> {
    match text {
        "none" => Some(None),
        "aac" => Some(Some(Audio::Aac)),
        "pcma" => Some(Some(Audio::Pcma)),
        "pcmu" => Some(Some(Audio::Pcmu)),
        _ => None,
    }
}

fn join(text: &str) -> Option<Join> {
    match text {
        "force" => Some(Join::Force),
        "gop" => Some(Join::Gop),
        "middle" => Some(Join::Middle),
        _ => None,
    }
}

fn source(text: &str, variant: u32, seed: u64) -> Option<Source> {
    if let Some(scenario) = text.strip_prefix("street:") {
        return (!scenario.is_empty()).then(|| Source::Street(scenario.into(), seed));
    }
    if let Some(rest) = text.strip_prefix("scene") {
        return match rest {
            "" => Some(Source::Scene(variant)),
            _ => number(rest, 1, VARIANTS).map(|n| Source::Scene(n - 1)),
        };
    }
    (!text.is_empty()).then(|| Source::File(text.into()))
}

/// `WIDTHxHEIGHT`; also what the `resize` switch takes.
pub(crate) fn size(text: &str) -> Option<Size> {
    let (width, height) = text.split_once('x')?;
    let size = Size { width: number(width, 64, 3840)?, height: number(height, 64, 2160)? };
    (size.width.is_multiple_of(8) && size.height.is_multiple_of(2)).then_some(size)
}

fn bitrate(text: &str) -> Option<u32> {
    let (digits, unit) = match text.strip_suffix(['M', 'm']) {
        Some(digits) => (digits, 1_000_000),
        None => text.strip_suffix(['K', 'k']).map_or((text, 1), |digits| (digits, 1000)),
    };
    let bits = digits.parse::<f64>().ok()? * f64::from(unit);
    (32_000.0..=50_000_000.0).contains(&bits).then_some(bits as u32)
}

fn millis(text: &str) -> Option<u64> {
    if let Some(ms) = text.strip_suffix("ms") {
        return ms.parse().ok();
    }
    let seconds: f64 = text.strip_suffix('s')?.parse().ok()?;
    (0.0..=3600.0).contains(&seconds).then_some((seconds * 1000.0).round() as u64)
}

fn frames(gop_ms: u64, fps: u32) -> u32 {
    u32::try_from((gop_ms * u64::from(fps) + 500) / 1000).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
#[path = "spec_tests.rs"]
mod tests;
