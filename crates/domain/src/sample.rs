//! The currency of the house: one access unit with its times.

use crate::{Format, StreamId, WallTime};
use bytes::Bytes;
use std::sync::Arc;

/// One access unit of one stream. Cheap to clone; the bytes are never copied on the way.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Whose it is.
    pub stream: Arc<StreamId>,
    /// Parameters it was coded with; the same `Arc` until they change.
    pub format: Arc<Format>,
    /// Counts the stream's samples since the core started, from 0, without holes except where samples were lost.
    pub seq: u64,
    /// The box's clock at the moment the sample was captured, as near as arrival times tell; never goes back within a session.
    pub capture: WallTime,
    /// Presentation time, 90 kHz. Its zero is the session's; it never wraps.
    pub pts: i64,
    /// Decoding time, 90 kHz, strictly rising within a session; `dts <= pts`.
    pub dts: i64,
    /// Decoding may start here: IDR, or CRA/BLA whose leading pictures were dropped. Audio and observations: always.
    pub random_access: bool,
    /// Something between the previous sample and this one was lost (a new session, lost packets, dropped leading pictures).
    pub loss_before: bool,
    /// Video: NAL units, each behind a 4-byte big-endian length, without parameter sets of the format. Audio: one raw frame.
    pub data: Bytes,
}
