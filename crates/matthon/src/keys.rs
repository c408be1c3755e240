//! The box's signing key: made at first start, readable by the daemon alone.

use anyhow::{Context, Result, bail};
use ed25519_dalek::{
    SigningKey,
    pkcs8::{DecodePrivateKey, EncodePrivateKey, spki::der::pem::LineEnding},
};
use ring::Ed25519Signer;
use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Reads `DATA/keys/box.pem`, or makes it when this is the box's first start.
///
/// # Errors
/// When the file cannot be read or written, is not a key, or others may read it.
pub(crate) fn open(data: &Path) -> Result<Ed25519Signer> {
    match read(data)? {
        Some(signer) => Ok(signer),
        None => make(&data.join("keys"), &path(data)),
    }
}

fn path(data: &Path) -> PathBuf {
    data.join("keys").join("box.pem")
}

/// The box's key; `None` before its first start.
///
/// # Errors
/// When the file cannot be read, is not a key, or others may read it.
pub(crate) fn read(data: &Path) -> Result<Option<Ed25519Signer>> {
    let path = path(data);
    let pem = match fs::read_to_string(&path) {
        Ok(pem) => pem,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e).with_context(|| format!("cannot read {}", path.display())),
    };
    let mode = fs::metadata(&path)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        bail!("{} may be read by others (mode {mode:o}): run `chmod 600` on it, and think about who has read it", path.display());
    }
    let key =
        SigningKey::from_pkcs8_pem(&pem).map_err(|e| anyhow::anyhow!("{} is not an Ed25519 key in PKCS#8 PEM: {e}", path.display()))?;
    Ok(Some(Ed25519Signer::from_secret(&key.to_bytes())))
}

fn make(dir: &Path, path: &Path) -> Result<Ed25519Signer> {
    use rand::TryRngCore;
    let mut seed = [0; 32];
    rand::rngs::OsRng.try_fill_bytes(&mut seed).context("the kernel gave no random bytes")?;
    let key = SigningKey::from_bytes(&seed);
    let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(|e| anyhow::anyhow!("cannot encode the new key: {e}"))?;
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
    // Written whole under another name first: a power cut must not leave half a key.
    let part = path.with_extension("part");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
    file.write_all(pem.as_bytes())?;
    file.sync_all()?;
    fs::rename(&part, path)?;
    fs::File::open(dir)?.sync_all()?;
    Ok(Ed25519Signer::from_secret(&seed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::Signer;

    #[test]
    fn the_key_is_made_once_and_kept_to_oneself() {
        let dir = tempfile::tempdir().unwrap();
        let first = open(dir.path()).unwrap().public_key();
        assert_eq!(open(dir.path()).unwrap().public_key(), first);
        let path = dir.path().join("keys/box.pem");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(open(dir.path()).err().unwrap().to_string().contains("chmod 600"));
    }
}
