//! The secret of a cache directory: names of files and the keys that seal them are derived from it.

use super::identity::Identity;
use ring::aead::{CHACHA20_POLY1305, LessSafeKey, UnboundKey};
use ring::hmac::{self, HMAC_SHA256};
use ring::rand::{SecureRandom, SystemRandom};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const LENGTH: usize = 32;

/// Bytes that make the key of a file its own.
pub(super) const SALT: usize = 16;

/// A random number beside the responses. Without it, nobody can tell from a file's name or contents whether a guess at
/// a secret is right. With another one, all files are strangers.
#[derive(Clone)]
pub(super) struct DirectoryKey(hmac::Key);

impl DirectoryKey {
    /// The key in `file`, which is made where there is none.
    pub(super) fn open(file: &Path, temporary: &Path) -> io::Result<DirectoryKey> {
        let bytes = match fs::read(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create(file, temporary)?;
                fs::read(file)?
            }
            other => other?,
        };
        if bytes.len() != LENGTH {
            return Err(io::Error::other("the key of the cache is damaged"));
        }
        Ok(DirectoryKey(hmac::Key::new(HMAC_SHA256, &bytes)))
    }

    /// The name of the file that answers a request.
    pub(super) fn name(&self, request: Identity) -> String {
        let tag = self.derive("name", request, &[]);
        tag.as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// The key that seals such a file.
    pub(super) fn sealing(&self, request: Identity, salt: &[u8; SALT]) -> io::Result<LessSafeKey> {
        let tag = self.derive("contents", request, salt);
        let key = UnboundKey::new(&CHACHA20_POLY1305, tag.as_ref());
        let key = key.map_err(|_| io::Error::other("the key has another length"))?;
        Ok(LessSafeKey::new(key))
    }

    fn derive(&self, purpose: &str, request: Identity, salt: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.0);
        // Both have a length of their own, so that the parts cannot be taken for each other.
        context.update(request.as_bytes());
        context.update(purpose.as_bytes());
        context.update(salt);
        context.sign()
    }
}

/// Of several that do this at once, one wins.
fn create(file: &Path, temporary: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut made = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(temporary)?;
    let linked = made
        .write_all(&random::<LENGTH>()?)
        .and_then(|()| fs::hard_link(temporary, file));
    fs::remove_file(temporary)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

pub(super) fn random<const BYTES: usize>() -> io::Result<[u8; BYTES]> {
    let mut bytes = [0; BYTES];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| io::Error::other("the system gives no random numbers"))?;
    Ok(bytes)
}
