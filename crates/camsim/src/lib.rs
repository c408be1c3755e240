//! The drawn village of `camsim`, for those who want its pictures and their truth without an RTSP server.
//!
//! Belongs here: what programs, benches and tests may use. The server itself is in the binary.

pub mod streets;
