//! The box's keys: one signs what it records, one vouches for what it sends to phones. Made at first start, readable by the daemon alone.

use alerts::push::Vapid;
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
    let Some(pem) = read_pem(&path)? else { return Ok(None) };
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
    write_pem(dir, path, &pem)?;
    Ok(Ed25519Signer::from_secret(&seed))
}

/// Reads `DATA/keys/push.pem`, or makes it when phones are told of cases for the first time. With another key no phone that signed up
/// takes a message any more.
///
/// # Errors
/// When the file cannot be read or written, is not a key, or others may read it.
pub(crate) fn vapid(data: &Path) -> Result<Vapid> {
    let path = data.join("keys").join("push.pem");
    if let Some(pem) = read_pem(&path)? {
        return Vapid::from_pem(&pem).with_context(|| format!("{} cannot be used", path.display()));
    }
    let key = Vapid::generate();
    write_pem(&data.join("keys"), &path, key.to_pem().context("cannot encode the new key")?.expose())?;
    Ok(key)
}

/// `None`: there is no such file.
fn read_pem(path: &Path) -> Result<Option<String>> {
    let pem = match fs::read_to_string(path) {
        Ok(pem) => pem,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e).with_context(|| format!("cannot read {}", path.display())),
    };
    let mode = fs::metadata(path)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        bail!("{} may be read by others (mode {mode:o}): run `chmod 600` on it, and think about who has read it", path.display());
    }
    Ok(Some(pem))
}

fn write_pem(dir: &Path, path: &Path, pem: &str) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
    // Written whole under another name first: a power cut must not leave half a key.
    let part = path.with_extension("part");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
    file.write_all(pem.as_bytes())?;
    file.sync_all()?;
    fs::rename(&part, path)?;
    fs::File::open(dir)?.sync_all()?;
    Ok(())
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

    #[test]
    fn the_key_that_vouches_for_pushes_is_made_once_and_kept_to_oneself() {
        let dir = tempfile::tempdir().unwrap();
        let first = vapid(dir.path()).unwrap().public_key().to_owned();
        assert_eq!(vapid(dir.path()).unwrap().public_key(), first);
        let path = dir.path().join("keys/push.pem");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&path, "no key").unwrap();
        let error = format!("{:#}", vapid(dir.path()).unwrap_err());
        assert!(error.contains("push.pem") && error.contains("P-256"), "{error}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(vapid(dir.path()).unwrap_err().to_string().contains("chmod 600"));
    }
}
