//! Pictures on demand, and the memory they cross the border in.
//!
//! Belongs here: laying out a job's samples, taking over a finished JPEG. Does not belong here: who waits for which job (`supervisor`).

use crate::{
    memory,
    protocol::{Codec, Down, SAMPLE_MAX, STILL_MAX, STILL_SAMPLES_MAX, SampleHead, StillDone, StillError, stream},
};
use bytes::Bytes;
use domain::{Format, Sample};
use std::{
    fs::File,
    io::{self, IoSlice, Write},
    os::unix::fs::FileExt,
    sync::Arc,
};

/// A JPEG.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Still {
    /// The file's bytes.
    pub jpeg: Bytes,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// A sample's header on the border.
pub(crate) fn head(sample: &Sample, loss_before: bool) -> Option<SampleHead> {
    let len = u32::try_from(sample.data.len()).ok().filter(|n| *n as usize <= SAMPLE_MAX)?;
    let Sample { capture, pts, dts, random_access, .. } = *sample;
    Some(SampleHead { capture, pts, dts, random_access, loss_before, len })
}

/// Where the worker writes a JPEG.
pub(crate) fn room() -> io::Result<File> {
    memory::fixed("matthon-still", STILL_MAX as u64)
}

/// Takes a finished JPEG over; `None` when what was written cannot be one.
pub(crate) fn collect(room: &File, done: StillDone) -> Option<Still> {
    let len = done.len as usize;
    if !(4..=STILL_MAX).contains(&len) || !(1..=16_384).contains(&done.width) || !(1..=16_384).contains(&done.height) {
        return None;
    }
    let mut jpeg = vec![0; len];
    room.read_exact_at(&mut jpeg, 0).ok()?;
    // Start and end of image: the worker is not trusted to have written a picture.
    let whole = jpeg.starts_with(&[0xFF, 0xD8]) && jpeg.ends_with(&[0xFF, 0xD9]);
    whole.then(|| Still { jpeg: jpeg.into(), width: done.width, height: done.height })
}

/// Lays a job's samples out in sealed memory, without those that cannot be needed for the picture at `pts`.
///
/// # Errors
/// [`StillError::Gone`] when nothing can be decoded from them; [`StillError::Busy`] when they are too many or there is no memory.
pub(crate) fn samples(samples: &[Sample], pts: i64) -> Result<File, StillError> {
    let file = memory::anonymous("matthon-samples").map_err(|e| no_memory(&e))?;
    let (mut format, mut total): (Option<Arc<Format>>, usize) = (None, 0);
    // A picture's dts is never later than its pts.
    let needed = samples.iter().skip_while(|s| !s.random_access).take_while(|s| s.dts <= pts);
    for sample in needed {
        let Some(video) = sample.format.video() else { continue };
        let Some(head) = head(sample, false) else { return Err(StillError::Undecodable) };
        let mut bytes = Vec::new();
        if format.as_ref().is_none_or(|f| !Arc::ptr_eq(f, &sample.format) && **f != *sample.format) {
            bytes = stream::encode(&Down::Format(Codec::from(video))).map_err(|e| no_memory(&e))?;
        }
        format = Some(sample.format.clone());
        bytes.extend(stream::encode(&Down::Sample(head)).map_err(|e| no_memory(&e))?);
        total += bytes.len() + sample.data.len();
        if total > STILL_SAMPLES_MAX {
            return Err(StillError::Busy);
        }
        write_both(&file, &bytes, &sample.data).map_err(|e| no_memory(&e))?;
    }
    if format.is_none() {
        return Err(StillError::Gone);
    }
    memory::seal(&file).map_err(|e| no_memory(&e))?;
    Ok(file)
}

fn write_both(mut file: &File, head: &[u8], data: &[u8]) -> io::Result<()> {
    let mut slices = [IoSlice::new(head), IoSlice::new(data)];
    let mut rest: &mut [IoSlice<'_>] = &mut slices;
    while !rest.is_empty() {
        match file.write_vectored(rest)? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            n => IoSlice::advance_slices(&mut rest, n),
        }
    }
    Ok(())
}

fn no_memory(e: &io::Error) -> StillError {
    tracing::warn!(error = %e, "samples for a still could not be laid out");
    StillError::Busy
}
