//! The switches as lines on standard input, and the one JSON line that answers each.
//!
//! Words only; what a switch does is in `village`.

use std::io::{BufRead, Write};
use std::time::Duration;

use serde_json::json;

use crate::spec::{self, Size};

/// What `camsim --help` says about the lines.
pub(crate) const HELP: &str = "\
  drop ID               close its RTSP connections and refuse new ones (503, connection closed) until `up ID`
  up ID                 the end of `drop`
  kick ID               close its RTSP connections once
  freeze ID SECONDS|on|off
                        connections stay, nothing is sent (no RTP, no RTCP); goes on at a random access point
  corrupt ID P          damage the payload of each RTP packet with probability P (0 to 1; 0 = off)
  lose ID P             leave each RTP packet out with probability P; sequence numbers count on
  swell ID BYTES        the next access unit sent carries so many bytes of filler, 1 to 64000000
  key ID                the next picture of each of its encoders is a key frame (for all cameras of that encoder)
  resize ID WxH         the main stream comes back in another size: connections closed, new SDP
  resize ID/sub WxH     the same for the sub stream
  refuse ID CODE        answer DESCRIBE, SETUP and PLAY with this RTSP status (404, 453, 503 …; 0 = off)
  quit                  end the server";

/// A switch of one camera.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Switch {
    Drop(String),
    Up(String),
    Kick(String),
    /// For a time, or until thawed.
    Freeze(String, Option<Duration>),
    Thaw(String),
    Corrupt(String, f64),
    Lose(String, f64),
    /// Bytes of filler.
    Swell(String, u32),
    Key(String),
    /// Camera, `main` or `sub`, size.
    Resize(String, &'static str, Size),
    /// RTSP status, 0 for none.
    Refuse(String, u16),
}

impl Switch {
    /// Whose switch it is.
    pub(crate) fn camera(&self) -> &str {
        match self {
            Self::Drop(id)
            | Self::Up(id)
            | Self::Kick(id)
            | Self::Freeze(id, _)
            | Self::Thaw(id)
            | Self::Corrupt(id, _)
            | Self::Lose(id, _)
            | Self::Swell(id, _)
            | Self::Key(id)
            | Self::Resize(id, ..)
            | Self::Refuse(id, _) => id,
        }
    }
}

/// One line understood.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Command {
    Switch(Switch),
    Quit,
}

/// Understands one line, or says what is wrong with it.
pub(crate) fn parse(line: &str) -> Result<Command, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let switch = match words[..] {
        ["quit"] => return Ok(Command::Quit),
        ["drop", id] => Switch::Drop(id.into()),
        ["up", id] => Switch::Up(id.into()),
        ["kick", id] => Switch::Kick(id.into()),
        ["freeze", id, "on"] => Switch::Freeze(id.into(), None),
        ["freeze", id, "off"] => Switch::Thaw(id.into()),
        ["freeze", id, seconds] => {
            let seconds: f64 = seconds.parse().map_err(|_| format!("freeze: `{seconds}` is not seconds, on or off"))?;
            let time = Duration::try_from_secs_f64(seconds).ok().filter(|t| *t <= Duration::from_secs(86_400));
            Switch::Freeze(id.into(), Some(time.ok_or("freeze: seconds from 0 to 86400")?))
        }
        ["corrupt", id, p] => Switch::Corrupt(id.into(), probability("corrupt", p)?),
        ["lose", id, p] => Switch::Lose(id.into(), probability("lose", p)?),
        ["swell", id, bytes] => {
            let bytes = bytes.parse().ok().filter(|n| (1..=64_000_000).contains(n));
            Switch::Swell(id.into(), bytes.ok_or("swell: bytes from 1 to 64000000")?)
        }
        ["key", id] => Switch::Key(id.into()),
        ["resize", whom, size] => {
            let (id, stream) = match whom.split_once('/') {
                None | Some((_, "main")) => (whom.trim_end_matches("/main"), "main"),
                Some((id, "sub")) => (id, "sub"),
                Some((_, other)) => return Err(format!("resize: `{other}` is neither main nor sub")),
            };
            let size = spec::size(size).ok_or_else(|| format!("resize: `{size}` is not {}", spec::SIZE))?;
            Switch::Resize(id.into(), stream, size)
        }
        ["refuse", id, code] => {
            let code = code.parse().ok().filter(|c| *c == 0 || (400..=599).contains(c));
            Switch::Refuse(id.into(), code.ok_or("refuse: an RTSP status from 400 to 599, or 0")?)
        }
        _ => return Err(format!("`{line}` is not understood (see camsim --help)")),
    };
    Ok(Command::Switch(switch))
}

fn probability(word: &str, text: &str) -> Result<f64, String> {
    let p = text.parse().ok().filter(|p| (0.0..=1.0).contains(p));
    p.ok_or_else(|| format!("{word}: `{text}` is not a probability from 0 to 1"))
}

/// Reads lines until the end of standard input, giving each to `obey`.
pub(crate) fn listen(mut obey: impl FnMut(Result<Command, String>)) {
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        if !line.trim().is_empty() {
            obey(parse(line.trim()));
        }
    }
}

/// Answers a line.
pub(crate) fn answer(outcome: &Result<String, String>) {
    say(&match outcome {
        Ok(did) => json!({"ok": true, "did": did}),
        Err(error) => json!({"ok": false, "error": error}),
    });
}

/// Prints one JSON line. Nobody reading any more is no reason to stop the cameras.
pub(crate) fn say(value: &serde_json::Value) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{value}").and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_understood() {
        let switch = |line: &str| match parse(line) {
            Ok(Command::Switch(switch)) => switch,
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(parse("quit"), Ok(Command::Quit));
        assert_eq!(switch("drop cho"), Switch::Drop("cho".into()));
        assert_eq!(switch("  freeze   cho 1.5 "), Switch::Freeze("cho".into(), Some(Duration::from_millis(1500))));
        assert_eq!(switch("freeze cho on"), Switch::Freeze("cho".into(), None));
        assert_eq!(switch("freeze cho off"), Switch::Thaw("cho".into()));
        assert_eq!(switch("lose cho 0.5"), Switch::Lose("cho".into(), 0.5));
        assert_eq!(switch("swell cho 9000000"), Switch::Swell("cho".into(), 9_000_000));
        assert_eq!(switch("key cho"), Switch::Key("cho".into()));
        assert_eq!(switch("resize cho 640x480"), Switch::Resize("cho".into(), "main", Size { width: 640, height: 480 }));
        assert_eq!(switch("resize cho/main 640x480"), switch("resize cho 640x480"));
        assert_eq!(switch("resize cho/sub 320x240"), Switch::Resize("cho".into(), "sub", Size { width: 320, height: 240 }));
        assert_eq!(switch("refuse cho 453"), Switch::Refuse("cho".into(), 453));
        assert_eq!(switch("refuse cho 0").camera(), "cho");
    }

    #[test]
    fn mistakes_are_answered() {
        for line in
            ["", "drop", "fly cho", "freeze cho soon", "freeze cho -1", "freeze cho NaN", "lose cho 2", "corrupt cho x", "resize cho 3x3"]
        {
            assert!(parse(line).is_err(), "{line}");
        }
        for line in ["swell cho 0", "swell cho -1", "swell cho 64000001", "key", "key cho 1"] {
            assert!(parse(line).is_err(), "{line}");
        }
        for line in ["refuse cho 200", "refuse cho 70000", "resize cho/third 640x480", "kick a b"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
