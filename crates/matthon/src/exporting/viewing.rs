//! Viewing copies of a package's films: time and place burnt in, by a worker of their own.
//!
//! Belongs here: which film gets which words, and what a package says when there is no copy. Does not belong here: pictures (the
//! worker), their file (`evidence::view`). Whatever happens to a copy, the package is made.

use super::{Job, Progress, Sources, words};
use anyhow::Result;
use evidence::{EvidenceError, Package, Recorded, View, manifest::Place};
use std::{
    cell::RefCell,
    collections::VecDeque,
    fs::File,
    io::{self, BufWriter},
};
use vision::{Copied, CopyError, Made, Wanted, protocol::copy::Spec};

/// What a copy is at most, pixels.
const FIT: (u32, u32) = (1920, 1080);
/// And kilobits a second: twice what a camera of that size sends.
const KBIT: u32 = 4000;
/// Encoding a byte of film takes so much longer than writing it: what makes a bar of progress even.
pub(super) const EFFORT: u64 = 30;
/// Upright letters without serifs, which stay legible when they are small. Debian's packages fonts-dejavu-core and fonts-liberation.
const LETTERS: &[&str] = &[
    "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf",
    "/usr/share/fonts/truetype/liberation/LiberationSans-Bold.ttf",
    "/usr/share/fonts/truetype/liberation2/LiberationSans-Bold.ttf",
];

/// The bytes of the first of these fonts that is there.
pub(crate) fn letters() -> Option<Vec<u8>> {
    LETTERS.iter().find_map(|path| std::fs::read(path).ok())
}

/// Bytes the copy of so many bytes and so long a film has at most, about.
pub(super) fn most(video: u64, micros: i64) -> u64 {
    let capped = u64::try_from(micros).unwrap_or(0) / 8000 * u64::from(KBIT);
    // Of H.265, H.264 of the same quality is about twice as large.
    video.saturating_mul(2).min(capped)
}

/// Adds a copy of each film, and tells of each what it is or why it is not there.
///
/// # Errors
/// When the package itself cannot be written, or somebody called it off.
pub(super) fn add(
    sources: &Sources,
    job: &Job<'_>,
    films: &[(&config::Camera, Recorded)],
    written: &File,
    package: &mut Package<BufWriter<File>>,
    progress: &Progress,
) -> Result<Vec<String>> {
    if !job.request.viewing_copy {
        return Ok(vec![words::NO_VIEWING_COPY.into()]);
    }
    package.flush()?;
    let Some(font) = letters() else {
        return Ok(films.iter().map(|(camera, _)| words::not_viewed(&camera.name, words::NO_LETTERS)).collect());
    };
    let mut notes = Vec::new();
    for (camera, recorded) in films {
        let film = format!("{}-{}", camera.id, job.request.stream);
        let name = if films.len() == 1 { "ban-xem.mp4".to_owned() } else { format!("ban-xem/{film}-ban-xem.mp4") };
        let added = match copy(sources, job, camera, recorded, written, &font, progress) {
            Ok((view, copied)) => match package.add_view(&name, view) {
                Ok(()) => Ok(copied),
                // Refused before anything of it was written.
                Err(EvidenceError::View(error)) => Err((error.to_string(), "không ghi được ra tệp MP4".to_owned())),
                Err(error) => return Err(error.into()),
            },
            Err(CopyError::Cancelled) => return Err(EvidenceError::Cancelled.into()),
            Err(error) => Err((error.to_string(), words::why(&error))),
        };
        notes.push(match added {
            Ok(copied) => words::viewed(&name, &format!("goc/{film}.mp4"), copied),
            Err((error, why)) => {
                tracing::warn!(camera = %camera.id, error, "a package gets no viewing copy");
                words::not_viewed(&camera.name, &why)
            }
        });
    }
    Ok(notes)
}

fn copy(
    sources: &Sources,
    job: &Job<'_>,
    camera: &config::Camera,
    recorded: &Recorded,
    written: &File,
    font: &[u8],
    progress: &Progress,
) -> Result<(View, Copied), CopyError> {
    let place = Place::named(&sources.config.site.timezone);
    let spot = [&camera.name, &camera.about.place].into_iter().filter(|t| !t.is_empty()).cloned().collect::<Vec<_>>().join(", ");
    let request = job.request;
    let wanted = Wanted {
        spec: Spec { from: request.from, to: request.to, title: words::VIEWING_TITLE.into(), fit: FIT, kbit: KBIT, masks: Vec::new() },
        font,
        words: &|at| format!("{spot} – {}", place.stamp(at)),
        go_on: &|| !progress.called_off(),
    };
    let mut view = View::new(tempfile::tempfile_in(job.scratch).map_err(CopyError::Sink)?);
    // Where recording was interrupted, until the picture behind it comes back.
    let holes = RefCell::new(VecDeque::new());
    let samples = recorded.pictures(written).inspect(|sample| {
        if let Ok(sample) = sample {
            if sample.loss_before {
                holes.borrow_mut().push_back(sample.capture);
            }
            progress.advance((sample.data.len() as u64).saturating_mul(EFFORT));
        }
    });
    let made = |made: Made| -> io::Result<()> {
        match made {
            Made::Format(format) => view.format(format),
            Made::Picture { capture, pts, random_access, data } => {
                let mut holes = holes.borrow_mut();
                let mut hole = false;
                while holes.front().is_some_and(|h| *h <= capture) {
                    holes.pop_front();
                    hole = true;
                }
                view.picture(pts, hole, random_access, &data)?;
            }
        }
        Ok(())
    };
    let copied = vision::copy(&*sources.worker, &wanted, samples, made)?;
    Ok((view, copied))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_bounded_by_its_film_and_by_its_length() {
        // An hour at 1 Mbit/s: twice that; an hour at 8 Mbit/s: 4 Mbit/s.
        assert_eq!(most(450_000_000, 3_600_000_000), 900_000_000);
        assert_eq!(most(3_600_000_000, 3_600_000_000), 1_800_000_000);
        assert_eq!(most(0, -1), 0);
    }
}
