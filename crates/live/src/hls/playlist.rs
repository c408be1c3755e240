//! A window spelled as a media playlist (RFC 8216bis).

use super::{
    address::File,
    window::{SECOND, Segment, Window, count},
};
use domain::WallTime;
use std::fmt::Write as _;

impl Window {
    /// The playlist as it is now. `query` follows each address: `?stream=sub`, or nothing.
    pub(crate) fn playlist(&self, query: &str) -> String {
        let mut out = String::with_capacity(8 << 10);
        // Writing into a String cannot fail.
        let _ = self.write(&mut out, query);
        out
    }

    fn write(&self, out: &mut String, query: &str) -> std::fmt::Result {
        let listed = || self.segments.iter().skip(self.unlisted);
        let part_target = self.part_longest.div_ceil(SECOND / 1000).max(1);
        writeln!(out, "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:{}", self.target)?;
        writeln!(out, "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={}", millis(3 * part_target))?;
        writeln!(out, "#EXT-X-PART-INF:PART-TARGET={}", millis(part_target))?;
        writeln!(out, "#EXT-X-MEDIA-SEQUENCE:{}", listed().next().map_or(0, |segment| segment.number))?;
        if self.discontinuities > 0 {
            writeln!(out, "#EXT-X-DISCONTINUITY-SEQUENCE:{}", self.discontinuities)?;
        }
        // Only near the edge is a part of use: three target durations, says the RFC.
        let total: u64 = listed().map(Segment::ticks).sum();
        let (near, mut at, mut init) = (total.saturating_sub(3 * SECOND * self.target), 0, None);
        for segment in listed() {
            if segment.discontinuity {
                writeln!(out, "#EXT-X-DISCONTINUITY")?;
            }
            if init != Some(segment.init) {
                init = Some(segment.init);
                writeln!(out, "#EXT-X-MAP:URI=\"{}{query}\"", File::Init(segment.init))?;
            }
            if segment.whole || !segment.parts.is_empty() {
                let millis = WallTime(segment.capture.0 - segment.capture.0.rem_euclid(1000));
                writeln!(out, "#EXT-X-PROGRAM-DATE-TIME:{millis}")?;
            }
            at += segment.ticks();
            if at >= near {
                for (part, number) in segment.parts.iter().zip(0..) {
                    let independent = if part.independent { ",INDEPENDENT=YES" } else { "" };
                    let name = File::Part(segment.number, number);
                    writeln!(out, "#EXT-X-PART:DURATION={},URI=\"{name}{query}\"{independent}", seconds(part.ticks))?;
                }
            }
            if segment.whole {
                writeln!(out, "#EXTINF:{},\n{}{query}", seconds(segment.ticks()), File::Segment(segment.number))?;
            }
        }
        if let Some(open) = self.open() {
            let next = File::Part(open.number, count(open.parts.len()));
            writeln!(out, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{next}{query}\"")?;
        }
        Ok(())
    }
}

fn millis(n: u64) -> String {
    format!("{}.{:03}", n / 1000, n % 1000)
}

/// Ticks as seconds, to a hundred-thousandth: finer than a tick.
fn seconds(ticks: u64) -> String {
    let fine = (ticks * 100_000 + SECOND / 2) / SECOND;
    format!("{}.{:05}", fine / 100_000, fine % 100_000)
}
