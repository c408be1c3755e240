//! What retina's errors mean. It types only the status of a response; the rest is text for people, whose first
//! words are fixed by the pinned version, and a look at the port tells the kinds of connect errors apart.

use crate::{Failure, Reason, StreamTarget};
use std::{io, time::Duration};
use tokio::{net::TcpStream, time::timeout};

/// How long a look at the port may take.
const LOOK: Duration = Duration::from_secs(2);
/// Most characters of a foreign text that are shown.
const SHOWN: usize = 240;

/// Names an error of a step of opening a session.
pub(crate) async fn opening(target: &StreamTarget, step: &str, error: &retina::Error) -> Failure {
    let text = clean(target, &error.to_string());
    if let Some(status) = error.status_code() {
        return status_failure(step, status, &text);
    }
    if text.starts_with("Unable to connect") {
        return match look(target).await {
            Looked::Refused => Failure::new(Reason::Refused, "nothing listens at this address and port"),
            Looked::Accepts | Looked::Nothing => Failure::new(Reason::Unreachable, text),
        };
    }
    playing(target, step, error)
}

/// Names the silence of a step of opening a session that lasted `waited`.
pub(crate) async fn silent(target: &StreamTarget, step: &str, waited: Duration) -> Failure {
    let seconds = waited.as_secs();
    match look(target).await {
        Looked::Accepts => Failure::new(Reason::Silent, format!("the port accepts, but {step} got no answer for {seconds} s")),
        Looked::Refused => Failure::new(Reason::Refused, "nothing listens at this address and port"),
        Looked::Nothing => Failure::new(Reason::Unreachable, format!("no answer from this address for {seconds} s")),
    }
}

/// Names an error of a session, or of a step after the connection stood.
pub(crate) fn playing(target: &StreamTarget, step: &str, error: &retina::Error) -> Failure {
    let text = clean(target, &error.to_string());
    let gone = ["Error reading from RTSP peer", "Error writing to RTSP peer"].iter().any(|start| text.starts_with(start));
    let reason = match (gone, text.as_str()) {
        (true, _) => Reason::Ended,
        (_, "Timeout") => Reason::Frozen,
        _ => Reason::Garbage,
    };
    Failure::new(reason, format!("{step}: {text}"))
}

fn status_failure(step: &str, status: u16, text: &str) -> Failure {
    match status {
        401 | 403 => Failure::new(Reason::Auth, format!("the camera refuses the name or password ({status} to {step})")),
        404 | 410 => Failure::new(Reason::NotFound, format!("the camera has nothing at this path ({status} to {step})")),
        453 | 503 | 500 => Failure::new(Reason::Busy, format!("the camera has no session to spare ({status} to {step})")),
        // A success whose content could not be read.
        200..=299 => Failure::new(Reason::Garbage, format!("{step}: {text}")),
        _ => Failure::new(Reason::Garbage, format!("the camera answers {status} to {step}")),
    }
}

enum Looked {
    Accepts,
    Refused,
    Nothing,
}

async fn look(target: &StreamTarget) -> Looked {
    let Some(host) = target.url.host_str() else { return Looked::Nothing };
    // Brackets belong to the URL, not to the address.
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match timeout(LOOK, TcpStream::connect((host, target.url.port().unwrap_or(554)))).await {
        Ok(Ok(_)) => Looked::Accepts,
        Ok(Err(e)) if e.kind() == io::ErrorKind::ConnectionRefused => Looked::Refused,
        Ok(Err(_)) | Err(_) => Looked::Nothing,
    }
}

/// The first line, without control characters, without secrets and not too long.
fn clean(target: &StreamTarget, text: &str) -> String {
    let mut line: String = text.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
    if let Some(password) = target.password.as_ref().map(domain::Secret::expose).filter(|p| !p.is_empty()) {
        line = line.replace(password, "***");
    }
    if line.contains("rtsp://") {
        line = line.split(' ').map(|word| if word.contains("rtsp://") { "(address)" } else { word }).collect::<Vec<_>>().join(" ");
    }
    line.chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{CameraId, Channel, Secret};

    #[test]
    fn no_secret_and_no_address_reaches_the_text() {
        let target = StreamTarget {
            camera: CameraId::new("c").unwrap(),
            channel: Channel::Main,
            url: url::Url::parse("rtsp://10.0.0.5/").unwrap(),
            username: Some("admin".into()),
            password: Some(Secret::new("s3cret".into())),
            audio: false,
        };
        let said = clean(&target, "bad s3cret at rtsp://admin:s3cret@10.0.0.5/x now\u{7}\nmsg: s3cret");
        assert_eq!(said, "bad *** at (address) now");
        assert!(clean(&target, &"x".repeat(10_000)).len() <= SHOWN);
    }
}
