//! The key that the intercoms' `onvif_credentials` are encrypted with in the database, by
//! ChaCha20-Poly1305.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};

use crate::secret_file;

/// What is encrypted for another purpose is not taken for credentials.
const PURPOSE: &[u8] = b"intercom-billing onvif_credentials 1";

/// The key. Cheap to clone.
#[derive(Clone)]
pub struct CredentialKey(Arc<LessSafeKey>);

/// Why a text cannot be encrypted, or be read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialError {
    /// A key has 32 bytes.
    NoKey,
    /// The system has no random bytes.
    NoRandomBytes,
    /// It is too long to be encrypted.
    TooLong,
    /// It was encrypted with another key, or was changed since.
    NotReadable,
}

impl CredentialKey {
    /// A key of 32 bytes.
    ///
    /// # Errors
    /// They are not 32.
    pub fn new(bytes: &[u8]) -> Result<Self, CredentialError> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, bytes).map_err(|_| CredentialError::NoKey)?;
        Ok(CredentialKey(Arc::new(LessSafeKey::new(key))))
    }

    /// Reads a file with the 32 bytes that only its owner may use.
    ///
    /// # Errors
    /// The file cannot be read, others may use it, or it has not 32 bytes. Does not show its content.
    pub fn read(file: &Path) -> Result<Self> {
        let bytes = secret_file::read("key of the credentials", file)?;
        CredentialKey::new(&bytes).with_context(|| {
            let name = file.display();
            format!("the key of the credentials {name} cannot be used: openssl rand -out {name} 32")
        })
    }

    /// A nonce of its own, then the encrypted text and its tag.
    pub(crate) fn seal(&self, text: &str) -> Result<Vec<u8>, CredentialError> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| CredentialError::NoRandomBytes)?;
        let mut sealed = text.as_bytes().to_vec();
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(PURPOSE),
                &mut sealed,
            )
            .map_err(|_| CredentialError::TooLong)?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// The text again.
    pub(crate) fn open(&self, sealed: &[u8]) -> Result<String, CredentialError> {
        let (nonce, text) =
            sealed.split_first_chunk::<NONCE_LEN>().ok_or(CredentialError::NotReadable)?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let mut text = text.to_vec();
        let opened = self
            .0
            .open_in_place(nonce, Aad::from(PURPOSE), &mut text)
            .map_err(|_| CredentialError::NotReadable)?;
        String::from_utf8(opened.to_vec()).map_err(|_| CredentialError::NotReadable)
    }
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CredentialError::NoKey => "a key has 32 bytes",
            CredentialError::NoRandomBytes => "the system has no random bytes",
            CredentialError::TooLong => "the credentials are too long",
            CredentialError::NotReadable => {
                "the credentials in the database were encrypted with another key, or were changed"
            }
        })
    }
}

impl std::error::Error for CredentialError {}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn key(byte: u8) -> CredentialKey {
        CredentialKey::new(&[byte; 32]).expect("a key")
    }

    #[test]
    fn only_the_key_reads_what_it_has_encrypted() {
        let sealed = key(1).seal("hunter2").expect("encrypted");
        assert!(!sealed.windows(7).any(|window| window == b"hunter2"));
        assert_eq!(key(1).open(&sealed).as_deref(), Ok("hunter2"));
        assert_eq!(key(2).open(&sealed), Err(CredentialError::NotReadable));
        assert_ne!(key(1).seal("hunter2"), Ok(sealed), "each time with another nonce");
    }

    #[test]
    fn what_was_changed_is_not_read() {
        let sealed = key(1).seal("hunter2").expect("encrypted");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(key(1).open(&changed), Err(CredentialError::NotReadable), "byte {at}");
        }
        for length in 0..sealed.len() {
            assert_eq!(key(1).open(&sealed[..length]), Err(CredentialError::NotReadable));
        }
    }

    #[test]
    fn a_key_file_has_32_bytes_and_is_its_owners_alone() {
        let dir = tempfile::TempDir::new().expect("a directory");
        let file = dir.path().join("key");
        for (length, mode, good) in
            [(32, 0o600, true), (31, 0o600, false), (33, 0o600, false), (32, 0o644, false)]
        {
            fs::write(&file, vec![7; length]).expect("written");
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("set");
            assert_eq!(CredentialKey::read(&file).is_ok(), good, "{length} bytes, {mode:o}");
        }
    }
}
