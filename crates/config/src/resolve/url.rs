//! Addresses of cameras. They are never shown: cheap cameras carry the password in the path or the query.

use crate::source::Wrong;
use domain::Secret;
use url::Url;

const EXAMPLE: &str = "write \"rtsp://192.168.1.20:554/Streaming/Channels/101\"";

pub(super) fn rtsp(text: &Secret) -> Result<Url, Wrong> {
    let text = text.expose();
    let Ok(url) = Url::parse(text) else {
        // `192.168.1.20/stream` and `admin:pass@…` are the usual ways to get here.
        let problem = if text.contains("://") { "is not an address" } else { "has no rtsp:// in front" };
        return Err(Wrong::new(problem, EXAMPLE));
    };
    if !url.username().is_empty() || url.password().is_some() {
        let fix = "take name and password out of the address and write username = \"…\" and password_file = \"secrets/…\"";
        return Err(Wrong::new("the address holds a user name or password", fix));
    }
    match url.scheme() {
        "rtsp" => {}
        "rtsps" => return Err(Wrong::new("rtsps:// is not supported by this version, rtsp:// expected", EXAMPLE)),
        "http" | "https" => {
            return Err(Wrong::new(format!("begins with {}://, rtsp:// expected", url.scheme()), EXAMPLE));
        }
        _ => return Err(Wrong::new("does not begin with rtsp://", EXAMPLE)),
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(Wrong::new("the address names no host", EXAMPLE));
    }
    if url.port() == Some(0) {
        return Err(Wrong::new("port 0 is no port", EXAMPLE));
    }
    Ok(url)
}
