//! Evidence on disk: `ID/small.jpg`, `ID/main.jpg`, `ID/clip.mp4`, each written beside its place, synced, and moved in.
//!
//! Belongs here: paths, modes and the order of syncs. Does not belong here: what is wanted when (`evidence`).

use domain::CaseId;
use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// A piece of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// The picture the detector saw.
    Small,
    /// The picture from the main stream.
    Main,
    /// The clip.
    Clip,
}

impl Piece {
    fn name(self) -> &'static str {
        match self {
            Self::Small => "small.jpg",
            Self::Main => "main.jpg",
            Self::Clip => "clip.mp4",
        }
    }
}

/// The folder of all evidence.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    root: PathBuf,
}

impl Files {
    /// Makes the folder when it is not there, and keeps others out of it.
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(root)?;
        fs::set_permissions(root, Permissions::from_mode(0o700))?;
        Ok(Self { root: root.to_owned() })
    }

    pub(crate) fn path(&self, case: CaseId, piece: Piece) -> PathBuf {
        self.root.join(case.to_string()).join(piece.name())
    }

    /// A place to write a piece to; nothing is there.
    pub(crate) fn part(&self, case: CaseId, piece: Piece) -> io::Result<PathBuf> {
        let folder = self.root.join(case.to_string());
        match DirBuilder::new().mode(0o700).create(&folder) {
            // Its name must survive a power cut, too.
            Ok(()) => File::open(&self.root)?.sync_all()?,
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
        }
        let part = folder.join(format!("{}.part", piece.name()));
        match fs::remove_file(&part) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(part),
        }
    }

    /// Moves a piece of `len` bytes that was written to its part's place in, durably.
    pub(crate) fn put_in(&self, case: CaseId, piece: Piece, len: u64) -> io::Result<()> {
        let path = self.path(case, piece);
        let folder = self.root.join(case.to_string());
        let part = folder.join(format!("{}.part", piece.name()));
        let file = File::open(&part)?;
        let found = file.metadata()?.len();
        if found != len || len == 0 {
            return Err(io::Error::other(format!("{} has {found} bytes on disk, {len} were written", part.display())));
        }
        file.set_permissions(Permissions::from_mode(0o600))?;
        file.sync_all()?;
        fs::rename(&part, &path)?;
        File::open(&folder)?.sync_all()
    }

    /// Bytes of all pieces of a case.
    pub(crate) fn bytes(&self, case: CaseId) -> io::Result<u64> {
        let mut all = 0;
        for piece in [Piece::Small, Piece::Main, Piece::Clip] {
            match fs::metadata(self.path(case, piece)) {
                Ok(about) => all += about.len(),
                Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
                Err(e) => return Err(e),
            }
        }
        Ok(all)
    }

    /// Deletes all pieces of a case; nothing is there afterwards, also after a power cut.
    pub(crate) fn remove(&self, case: CaseId) -> io::Result<()> {
        match fs::remove_dir_all(self.root.join(case.to_string())) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => File::open(&self.root)?.sync_all(),
        }
    }

    /// Writes a whole piece.
    pub(crate) fn write(&self, case: CaseId, piece: Piece, bytes: &[u8]) -> io::Result<()> {
        let part = self.part(case, piece)?;
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?.write_all(bytes)?;
        self.put_in(case, piece, bytes.len() as u64)
    }
}
