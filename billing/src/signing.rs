//! The file with the key that signs the requests to panels.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result, bail};
use intercom_wire::signature::SigningKey;

/// A key file is far shorter.
const MAX_BYTES: u64 = 4096;

/// Reads a key file that only its owner may use: PKCS#8 as PEM or DER, or the 32-byte seed.
///
/// # Errors
/// The file cannot be read, others may use it, or it holds no such key. Does not show its content.
pub fn read_key(file: &Path) -> Result<SigningKey> {
    let name = file.display();
    let open = File::open(file).with_context(|| format!("cannot read the signing key {name}"))?;
    // The mode of the open file: the same file is read below.
    let mode = open.metadata().with_context(|| format!("cannot look at {name}"))?.mode();
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY");
    if !is_private(mode, file, credentials.as_deref().map(Path::new)) {
        bail!(
            "the signing key {name} has mode {:04o}: others than its owner can use it; chmod 600 {name}",
            mode & 0o7777
        );
    }
    let mut bytes = Vec::new();
    open.take(MAX_BYTES)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read the signing key {name}"))?;
    SigningKey::new(&bytes).with_context(|| format!("the signing key {name} cannot be used"))
}

/// Whether a file of this mode is its owner's alone. systemd gives a service its credentials by an
/// access list, which the mode shows as readable by the group.
fn is_private(mode: u32, file: &Path, credentials: Option<&Path>) -> bool {
    let others = mode & 0o077;
    others == 0 || (others == 0o040 && credentials.is_some_and(|dir| file.starts_with(dir)))
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
    fn a_credential_of_systemd_is_private_although_its_mode_shows_a_group() {
        let credentials = Some(Path::new("/run/credentials/billing.service"));
        let file = Path::new("/run/credentials/billing.service/key");
        assert!(is_private(0o440, file, credentials));
        assert!(!is_private(0o444, file, credentials));
        assert!(!is_private(0o440, file, None));
        assert!(!is_private(0o440, Path::new("/etc/key"), credentials));
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
