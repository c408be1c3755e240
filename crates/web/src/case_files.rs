//! A case's picture and clip, sent from the evidence folder with a tag and ranges.

use crate::{
    app::App,
    cases::{ask, seen},
    clip,
    guard::{Caller, blocking},
    problem::Problem,
    range::{self, Part},
};
use axum::{
    Extension,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use cases::Case;
use std::{
    fs::File,
    io::{self, Seek, SeekFrom},
    path::PathBuf,
    sync::Arc,
    time::UNIX_EPOCH,
};
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

/// Bytes read and sent at a time.
const PIECE: usize = 128 << 10;

/// Which file.
#[derive(Clone, Copy)]
enum Piece {
    Still,
    Clip,
}

impl Piece {
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Still => ("picture", "image/jpeg", "jpg"),
            Self::Clip => ("clip", "video/mp4", "mp4"),
        }
    }
}

/// `GET cases/{id}/still.jpg`: the best picture there is.
pub(crate) async fn still(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let case = seen(&app, caller.clone(), &id).await?;
    whole(&app, &caller, &case)?;
    let id = case.id;
    let path = ask(&app, move |cases| cases.still_path(id)).await?;
    send(&app, &case, Piece::Still, path, &headers).await
}

/// `GET cases/{id}/clip.mp4`: the clip as far as it is there.
pub(crate) async fn clip(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let case = seen(&app, caller.clone(), &id).await?;
    whole(&app, &caller, &case)?;
    let id = case.id;
    let path = ask(&app, move |cases| cases.clip_path(id)).await?;
    send(&app, &case, Piece::Clip, path, &headers).await
}

/// What a rule saw is judged by what it saw. But anybody may make a case by hand, of any moment: it must be no way round the masks.
fn whole(app: &App, caller: &Caller, case: &Case) -> Result<(), Problem> {
    if case.by_hand() { caller.must_see_all_of_id(&app.context, &case.camera) } else { Ok(()) }
}

async fn send(app: &App, case: &Case, piece: Piece, path: Option<PathBuf>, headers: &HeaderMap) -> Result<Response, Problem> {
    let (word, media, ending) = piece.words();
    let when = clip::stamp(case.raised, &app.context.site.timezone);
    let name = format!("{}_{when}_vu-{}.{ending}", case.camera, case.id);
    send_file(&Sent { word, media, name, inline: true }, path, headers).await
}

/// A file that is sent: what it is called when it is missing, its type, its name for whoever saves it.
pub(crate) struct Sent {
    pub(crate) word: &'static str,
    pub(crate) media: &'static str,
    pub(crate) name: String,
    /// Shown where it is asked for, or saved.
    pub(crate) inline: bool,
}

/// Sends a file that is never changed, with a tag and ranges.
pub(crate) async fn send_file(sent: &Sent, path: Option<PathBuf>, headers: &HeaderMap) -> Result<Response, Problem> {
    let Sent { word, media, name, inline } = sent;
    let path = path.ok_or(Problem::NoEvidence(word))?;
    let opened = blocking(move || open(&path)).await?;
    let (mut file, length, etag) = match opened {
        Ok(opened) => opened,
        // Taken away between the question and now; a lost file is also the log's business.
        Err(error) => {
            tracing::warn!(name, word, %error, "evidence cannot be read");
            return Err(if error.kind() == io::ErrorKind::NotFound { Problem::NoEvidence(word) } else { Problem::internal(error) });
        }
    };
    let (status, bytes) = match range::of(headers, length, &etag) {
        _ if range::unchanged(headers, &etag) => (StatusCode::NOT_MODIFIED, 0..0),
        Part::Whole => (StatusCode::OK, 0..length),
        Part::Bytes(first, end) => (StatusCode::PARTIAL_CONTENT, first..end),
        Part::Outside => return Err(Problem::Range { length }),
    };
    let shown = if *inline { "inline" } else { "attachment" };
    let mut fields = vec![
        (header::ETAG, etag),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::CONTENT_DISPOSITION, format!("{shown}; filename=\"{name}\"")),
        // Kept by the browser only to be asked about again: who signs out must not leave pictures usable.
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
    ];
    if status == StatusCode::NOT_MODIFIED {
        return clip::answer(status, fields, Body::empty());
    }
    fields.push((header::CONTENT_TYPE, (*media).to_owned()));
    fields.push((header::CONTENT_LENGTH, (bytes.end - bytes.start).to_string()));
    if status == StatusCode::PARTIAL_CONTENT {
        fields.push((header::CONTENT_RANGE, format!("bytes {}-{}/{length}", bytes.start, bytes.end.saturating_sub(1))));
    }
    let first = bytes.start;
    let file = blocking(move || file.seek(SeekFrom::Start(first)).map(|_| file)).await?.map_err(Problem::internal)?;
    let part = tokio::fs::File::from_std(file).take(bytes.end - bytes.start);
    clip::answer(status, fields, Body::from_stream(ReaderStream::with_capacity(part, PIECE)))
}

/// The file, its length, and a tag that changes with it: a file here is replaced, never changed.
fn open(path: &std::path::Path) -> io::Result<(File, u64, String)> {
    let file = File::open(path)?;
    let about = file.metadata()?;
    let changed = about.modified()?.duration_since(UNIX_EPOCH).map_or(0, |age| age.as_micros());
    let etag = format!("\"{:x}-{changed:x}\"", about.len());
    Ok((file, about.len(), etag))
}
