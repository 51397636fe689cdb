//! What each kind of value may be.

use std::path::PathBuf;
use std::time::Duration;

use super::SecretFile;

/// Puts the value before a parser's words, which say only what is wrong with it.
pub(super) fn told<T, E: std::fmt::Display>(
    read: impl Fn(&str) -> Result<T, E>,
) -> impl Fn(&str) -> Result<T, String> {
    move |text| read(text).map_err(|why| format!("`{text}` {why}"))
}

/// The error does not show the text, which may be what belongs in the file.
pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    match text.starts_with('/') && !text.contains('\0') {
        true => Ok(text.into()),
        false => Err("it must be an absolute path: begin it with a slash".to_owned()),
    }
}

pub(super) fn secret(text: &str) -> Result<SecretFile, String> {
    match path(text) {
        Ok(path) => Ok(SecretFile::new(path)),
        Err(_) => Err(
            "it must be the absolute path of a file that holds the secret, not the secret itself"
                .to_owned(),
        ),
    }
}

pub(super) fn not_empty(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("it is empty: leave it out instead".to_owned());
    }
    if text.contains('\0') {
        return Err("it has a NUL character in it".to_owned());
    }
    Ok(text.to_owned())
}

pub(super) fn seconds(number: u32) -> Duration {
    Duration::from_secs(number.into())
}
