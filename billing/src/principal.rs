//! Who speaks: the holder of a token, or anybody where there are no tokens.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use intercom_wire::BoardName;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

/// A secret has this many random bytes.
const SECRET_BYTES: usize = 32;

/// What the holder of a token may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// The documented API and the page.
    Operator,
    /// The documented API and the page, to read.
    Viewer,
    /// The routes for panels, as this board alone.
    Panel(BoardName),
    /// The credentials of the cameras, and nothing else.
    Camera,
}

/// Who makes a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// No token has ever been made: everybody may do everything.
    Anybody,
    /// The holder of a token.
    Holder {
        /// The token's number.
        token: i64,
        /// What it allows.
        role: Role,
        /// What its maker called it.
        name: Option<String>,
    },
}

/// A secret that has just been made. It is shown once, and only its digest is kept.
pub struct Secret(String);

/// The system has no random bytes, so no secret can be made.
#[derive(Debug, Clone, Copy)]
pub struct NoRandomBytes;

/// The SHA-256 of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretDigest([u8; 32]);

/// The name has characters that change a line or a terminal.
#[derive(Debug, Clone, Copy)]
pub struct InvalidName;

/// What a token's maker calls its holder: one line of text.
///
/// # Errors
/// It has control characters.
pub fn holder_name(text: &str) -> Result<String, InvalidName> {
    match text.contains(char::is_control) {
        true => Err(InvalidName),
        false => Ok(text.to_owned()),
    }
}

impl Secret {
    /// A new one from the system's random source.
    ///
    /// # Errors
    /// The system has no random bytes.
    pub fn random() -> Result<Self, NoRandomBytes> {
        let mut bytes = [0; SECRET_BYTES];
        SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomBytes)?;
        Ok(Secret(BASE64_URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The secret itself, for its holder.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl SecretDigest {
    /// Of a secret as its holder sends it. A fast digest is enough: a secret has 256 random bits,
    /// which nobody can guess one by one.
    pub fn of(secret: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, secret).as_ref());
        SecretDigest(bytes)
    }

    /// The digest as the database keeps it.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Role {
    /// The word that stands in the database and on the command line.
    pub fn word(&self) -> &'static str {
        match self {
            Role::Operator => "operator",
            Role::Viewer => "viewer",
            Role::Panel(_) => "panel",
            Role::Camera => "camera",
        }
    }

    /// The board that it is bound to.
    pub fn board(&self) -> Option<&BoardName> {
        match self {
            Role::Operator | Role::Viewer | Role::Camera => None,
            Role::Panel(board) => Some(board),
        }
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Principal::Anybody => f.write_str("anybody"),
            Principal::Holder { token, role, name } => {
                write!(f, "token {token} ({}", role.word())?;
                if let Some(board) = role.board() {
                    write!(f, " {board}")?;
                }
                match name {
                    Some(name) => write!(f, ", {name:?})"),
                    None => f.write_str(")"),
                }
            }
        }
    }
}

impl fmt::Display for NoRandomBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the system has no random bytes")
    }
}

impl std::error::Error for NoRandomBytes {}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("A name must not have control characters.")
    }
}

impl std::error::Error for InvalidName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_long_random_and_safe_in_a_header_and_a_file() {
        let (first, second) = (Secret::random().expect("bytes"), Secret::random().expect("bytes"));
        assert_ne!(first.expose(), second.expose());
        assert_eq!(first.expose().len(), 43);
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        assert!(first.expose().chars().all(plain), "{}", first.expose());
    }
}
