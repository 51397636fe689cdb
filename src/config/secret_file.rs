//! Files that only their owner may read, and what is in them.

use std::fmt;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use http::HeaderValue;

use crate::file_error::advice;
use crate::root::Root;
use crate::text::{self, NotText};

/// The longest secret, in bytes: a PEM file with a long chain fits in it.
const MAX_BYTES: u64 = 64 * 1024;

/// A file that holds a password, a token or a private key. Read when it is needed, so that a new
/// one counts without a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFile {
    path: PathBuf,
}

/// A password, a token or a private key. Neither `Debug` nor `Display` shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Why a secret could not be read, with the file's name and without its content.
#[derive(Debug)]
pub struct SecretFileError {
    path: PathBuf,
    why: Why,
}

#[derive(Debug)]
enum Why {
    Unreadable(io::Error),
    ReadableByOthers {
        mode: u32,
    },
    TooLong,
    NotText(NotText),
    Empty,
    /// No header can have it.
    NoToken,
}

impl SecretFile {
    pub(super) fn new(path: PathBuf) -> Self {
        SecretFile { path }
    }

    /// The board's absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads it, without the line end that an editor leaves.
    ///
    /// # Errors
    /// When it cannot be read, when others than its owner may read or change it, and when there is
    /// nothing in it.
    pub fn read(&self, root: &Root) -> Result<Secret, SecretFileError> {
        let failed = |why| self.failed(root, why);
        let file =
            text::open_file(&root.path(&self.path)).map_err(|why| failed(Why::Unreadable(why)))?;
        // Asked of the open file, so that it is the one that is read.
        let mode = file.metadata().map_err(|why| failed(Why::Unreadable(why)))?.mode();
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY");
        if !is_private(mode, &self.path, credentials.as_deref().map(Path::new)) {
            let mode = mode & 0o7777;
            return Err(failed(Why::ReadableByOthers { mode }));
        }
        let mut bytes = Vec::new();
        file.take(MAX_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|why| failed(Why::Unreadable(why)))?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(failed(Why::TooLong));
        }
        let mut text = text::decode(&bytes).map_err(|why| failed(Why::NotText(why)))?;
        text.truncate(text.trim_end_matches(['\r', '\n']).len());
        if text.is_empty() {
            return Err(failed(Why::Empty));
        }
        Ok(Secret(text))
    }

    /// Reads a token as the value of the header that tells it to a service (RFC 6750, section 2.1).
    ///
    /// # Errors
    /// As [`read`](Self::read), and when no header can have it.
    pub fn read_authorization(&self, root: &Root) -> Result<HeaderValue, SecretFileError> {
        let token = self.read(root)?;
        let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose()))
            .map_err(|_| self.failed(root, Why::NoToken))?;
        value.set_sensitive(true);
        Ok(value)
    }

    fn failed(&self, root: &Root, why: Why) -> SecretFileError {
        let path = match may_be_secret(&self.path, root) {
            true => "...".into(),
            false => self.path.clone(),
        };
        SecretFileError { path, why }
    }
}

/// Whether what stands in place of a file's name may be the secret itself: there is no such file, and no
/// directory for it.
pub(super) fn may_be_secret(path: &Path, root: &Root) -> bool {
    let has_dir = |dir: &Path| dir != Path::new("/") && root.path(dir).is_dir();
    !root.path(path).exists() && !path.parent().is_some_and(has_dir)
}

/// Whether a file of this mode is its owner's alone. systemd gives a service its credentials by an
/// access list, which the mode shows as readable by the group.
pub(super) fn is_private(mode: u32, file: &Path, credentials: Option<&Path>) -> bool {
    let others = mode & 0o077;
    others == 0 || (others == 0o040 && credentials.is_some_and(|dir| file.starts_with(dir)))
}

impl Secret {
    /// The secret itself, for the library that sends it or computes with it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Text from outside with `…` wherever it quotes the secret.
    pub fn hide_in(&self, text: &str) -> String {
        text.replace(&self.0, "…")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl fmt::Display for SecretFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.why {
            Why::Unreadable(why) => {
                write!(f, "the secret file {path} cannot be read: {why}{}", advice(why))
            }
            Why::ReadableByOthers { mode } => write!(
                f,
                "the secret file {path} has mode {mode:04o}, so that others than its owner can use it: chmod 600 {path}"
            ),
            Why::TooLong => write!(
                f,
                "the secret file {path} is longer than {MAX_BYTES} bytes: is it the right file?"
            ),
            Why::NotText(why) => write!(f, "the secret file {path} cannot be read: {why}"),
            Why::NoToken => {
                write!(f, "the token in {path} has a line break or control character in it")
            }
            Why::Empty => write!(f, "the secret file {path} is empty"),
        }
    }
}

impl std::error::Error for SecretFileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.why {
            Why::Unreadable(why) => Some(why),
            _ => None,
        }
    }
}
