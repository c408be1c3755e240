//! The sound of a clip: as it was recorded, in step with the pictures.

use super::{
    super::fronts::{Formats, Fronts},
    Gathered, Run, Shown,
    building::Building,
    from_key, shown_at,
};
use crate::{error::RingError, reader::Reader};
use domain::StreamId;
use media::progressive::{ClipSample, ClipTrack, TrackKind};

/// How far sound may run ahead or behind before it is corrected, 90 kHz: 50 ms.
const STEP: i64 = 4_500;

/// The sound of what is shown.
pub(crate) fn audio(reader: &Reader, stream: &StreamId, runs: &[Run], shown: &Shown, base: usize) -> Result<Option<Gathered>, RingError> {
    let mut b = Building::new(1, base);
    let (mut fronts, mut formats) = (Fronts::new(reader), Formats::default());
    let (mut end, mut start_offset) = (0i64, 0i64);
    // A record may reach over the end of a run into the next one, and is one record nevertheless.
    let mut last: Option<((u64, u64), u32)> = None;
    for run in runs {
        let (from, to) = (run.wall.max(shown.from), run.wall_end);
        // A run that lies before what is shown.
        if from >= to {
            continue;
        }
        from_key(
            reader,
            stream,
            from,
            to,
            |_| {},
            |r, table| {
                let Some(t) = fronts.of(&r, table)? else { return Ok(()) };
                let Some(format) = formats.index(reader, &r, t.format)? else { return Ok(()) };
                let here = (r.block, r.entry.seq);
                // Sound goes on as it was recorded: what lies before what was taken already belongs to a clock that was set back.
                if last.is_some_and(|(taken, _)| here < taken) {
                    return Ok(());
                }
                // Only once something of it is heard: a package must not hold sound of before.
                let mut number = None;
                let (mut pts, mut at) = (0i64, t.front);
                for p in &t.pieces {
                    let (wall, offset) = (shown_at(&r, 0, pts), at);
                    pts += i64::from(p.duration);
                    at += p.size;
                    if wall < from || wall >= to {
                        continue;
                    }
                    let due = run.media + wall.micros_since(run.wall).saturating_mul(9) / 100 - shown.skip;
                    match b.samples.last_mut() {
                        None => (start_offset, end) = (due, due),
                        // A hole in the sound: the sample before it lasts until it ends.
                        Some(previous) if due - end > STEP => {
                            let more = u32::try_from(due - end).unwrap_or(u32::MAX);
                            previous.duration = previous.duration.saturating_add(more);
                            end = due;
                        }
                        Some(_) if end - due > STEP => continue,
                        Some(_) => {}
                    }
                    let number = *number.get_or_insert_with(|| match last {
                        Some((key, number)) if key == here => number,
                        _ => b.begin(&r),
                    });
                    last = Some((here, number));
                    b.push(
                        ClipSample { format, duration: p.duration, cts_offset: 0, size: p.size, random_access: true },
                        number,
                        offset,
                        end,
                    );
                    end += i64::from(p.duration);
                }
                Ok(())
            },
        )?;
    }
    if b.samples.is_empty() {
        return Ok(None);
    }
    let track = ClipTrack { kind: TrackKind::Media(formats.list), samples: b.samples, start_offset, shown: None };
    Ok(Some(Gathered { track, stretches: b.stretches, records: b.records, runs: Vec::new() }))
}
