//! Stills of a package: cut from the ring by the worker. Used by `matthon export` and by the daemon.

use super::{Picture, Progress, Sources, parts};
use anyhow::Result;
use domain::{StreamId, StreamKind};
use evidence::ExportRequest;
use vision::Vision;

/// Pictures a camera: at the start, in the middle and at the end.
const PICTURES: i64 = 3;
/// Wider is no evidence on paper, and the master has it.
const WIDTH: u32 = 1920;

/// All that can be had; where there is a gap, or no worker, there is none: the film is what counts.
pub(crate) async fn pictures(vision: &Vision, sources: &Sources, request: &ExportRequest, progress: &Progress) -> Result<Vec<Picture>> {
    let mut out = Vec::new();
    let length = request.to.micros_since(request.from);
    for part in parts(sources, request)? {
        let camera = &part.camera.id;
        for n in 0..PICTURES {
            if progress.called_off() {
                return Ok(out);
            }
            // Just inside both ends.
            let at = request.from.plus_micros(length / 20 + length * 9 / 10 * n / (PICTURES - 1));
            let (reader, stream) = (part.reader.clone(), StreamId::new(camera.clone(), request.stream, StreamKind::Video));
            let looked = tokio::task::spawn_blocking(move || reader.picture(&stream, at)).await?;
            let made = match looked {
                Ok(Some(picture)) => vision.still(picture.samples, picture.pts, WIDTH, &[]).await.map_err(|e| format!("{e:?}")),
                Ok(None) => Err("nothing was recorded there".to_owned()),
                Err(error) => Err(error.to_string()),
            };
            match made {
                Ok(still) => out.push(Picture { name: format!("anh/{camera}-{}.jpg", n + 1), jpeg: still.jpeg.to_vec() }),
                Err(error) => tracing::info!(%camera, %at, error, "a package gets one still less"),
            }
        }
    }
    Ok(out)
}
