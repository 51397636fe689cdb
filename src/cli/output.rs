//! Printing an answer: as JSON, or in words.

use std::io::{self, Write};

use serde::Serialize;

use super::exit::Failure;

/// Prints one JSON document on a line of its own, or what `in_words` says.
pub(super) fn print<T: Serialize>(
    json: bool,
    value: &T,
    in_words: impl FnOnce(&T) -> String,
) -> Result<(), Failure> {
    let text =
        if json { serde_json::to_string(value).map_err(Failure::new)? } else { in_words(value) };
    line(&text)
}

/// Prints a line at once: somebody may be following. A reader that has seen enough and went away
/// (`| head`) is no failure.
pub(super) fn line(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush()) {
        Err(why) if why.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(why)),
        Ok(()) | Err(_) => Ok(()),
    }
}
