//! The file with the key that signs the requests to panels.

use std::path::Path;

use anyhow::{Context, Result};
use intercom_wire::signature::SigningKey;

use crate::secret_file;

/// Reads a key file that only its owner may use: PKCS#8 as PEM or DER, or the 32-byte seed.
///
/// # Errors
/// The file cannot be read, others may use it, or it holds no such key. Does not show its content.
pub fn read_key(file: &Path) -> Result<SigningKey> {
    let bytes = secret_file::read("signing key", file)?;
    SigningKey::new(&bytes)
        .with_context(|| format!("the signing key {} cannot be used", file.display()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_that_others_can_use_is_refused() {
        let dir = tempfile::TempDir::new().expect("a directory");
        let file = dir.path().join("key");
        fs::write(&file, [7; 32]).expect("written");
        for (mode, good) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("set");
            let read = read_key(&file);
            assert_eq!(read.is_ok(), good, "{mode:o}");
            if let Err(why) = read {
                assert!(why.to_string().contains("chmod 600"), "{why}");
            }
        }
        let why = read_key(&dir.path().join("absent")).err().expect("absent");
        assert!(why.to_string().contains("absent"), "{why}");
    }

    #[test]
    fn a_file_without_a_key_is_refused_without_being_shown() {
        let dir = tempfile::TempDir::new().expect("a directory");
        let file = dir.path().join("key.pem");
        fs::write(&file, "hunter2").expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("set");
        let why = format!("{:#}", read_key(&file).err().expect("refused"));
        assert!(why.contains("openssl genpkey") && !why.contains("hunter2"), "{why}");
    }
}
