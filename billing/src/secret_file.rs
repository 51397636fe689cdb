//! Files with secrets, which only their owner may read.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// A key or a password is far shorter.
const MAX_BYTES: u64 = 64 * 1024;

/// Reads a file that only its owner may use; `what` is what it holds.
///
/// # Errors
/// The file cannot be read, or others may use it. Does not show its content.
pub(crate) fn read(what: &str, file: &Path) -> Result<Vec<u8>> {
    let name = file.display();
    let open = File::open(file).with_context(|| format!("cannot read the {what} {name}"))?;
    // The mode of the open file: the same file is read below.
    let mode = open.metadata().with_context(|| format!("cannot look at {name}"))?.mode();
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY");
    if !is_private(mode, file, credentials.as_deref().map(Path::new)) {
        bail!(
            "the {what} {name} has mode {:04o}: others than its owner can use it; chmod 600 {name}",
            mode & 0o7777
        );
    }
    let mut bytes = Vec::new();
    open.take(MAX_BYTES)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read the {what} {name}"))?;
    Ok(bytes)
}

/// Whether a file of this mode is its owner's alone. systemd gives a service its credentials by an
/// access list, which the mode shows as readable by the group.
fn is_private(mode: u32, file: &Path, credentials: Option<&Path>) -> bool {
    let others = mode & 0o077;
    others == 0 || (others == 0o040 && credentials.is_some_and(|dir| file.starts_with(dir)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_of_systemd_is_private_although_its_mode_shows_a_group() {
        let credentials = Some(Path::new("/run/credentials/billing.service"));
        let file = Path::new("/run/credentials/billing.service/key");
        assert!(is_private(0o440, file, credentials));
        assert!(!is_private(0o444, file, credentials));
        assert!(!is_private(0o440, file, None));
        assert!(!is_private(0o440, Path::new("/etc/key"), credentials));
    }
}
