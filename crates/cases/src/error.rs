//! Why something could not be done with a case: kinds for code, sentences for people.

use crate::life::Refused;
use domain::{CameraId, CaseId};
use std::{io, path::PathBuf};
use store::StoreError;

/// Why not.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaseError {
    /// There is no case of that number.
    #[error("there is no case {0}")]
    NoSuchCase(CaseId),
    /// There is no camera of that name.
    #[error("there is no camera `{0}`")]
    NoSuchCamera(CameraId),
    /// The step does not fit the case as it is.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Its time was over: there is nothing left to hold.
    #[error("the pictures of this case were deleted when their time was over: there is nothing left to hold")]
    EvidenceGone,
    /// The note is too long or has control characters.
    #[error("that is not a note: use at most {max} characters and no control characters")]
    BadNote {
        /// Most characters.
        max: usize,
    },
    /// The evidence folder cannot be used.
    #[error("evidence folder {}: {source}; make sure that this user may write there and that the disk is not full", path.display())]
    Evidence {
        /// Which folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The site's time zone is not known.
    #[error("`{0}` is not a time zone: write an IANA name such as Asia/Ho_Chi_Minh under [site] timezone")]
    TimeZone(String),
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for CaseError {
    fn from(e: StoreError) -> Self {
        match e {
            StoreError::NoSuchCase { id } => Self::NoSuchCase(id),
            other => Self::Store(other),
        }
    }
}
