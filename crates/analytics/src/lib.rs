//! Observations to tracks, tracks to violations.
