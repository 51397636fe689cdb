//! Printing an answer: as JSON, or in words that fit the terminal.

use std::io::{self, Write};
use std::os::fd::AsFd;

use serde::Serialize;

use super::exit::Failure;
use super::wrap::wrap;
use crate::control::Told;
use crate::file_error::of_file;
use crate::sys::terminal;

/// The width of help where nobody says how wide it is shown.
const USUAL: usize = 80;

/// Prints one JSON document on a line of its own, or what `in_words` says.
pub(super) fn print<T: Serialize>(
    json: bool,
    value: &T,
    in_words: impl FnOnce(&T) -> String,
) -> Result<(), Failure> {
    match json {
        true => self::json(value),
        false => words(&in_words(value)),
    }
}

/// Prints one JSON document on a line of its own.
pub(super) fn json<T: Serialize>(value: &T) -> Result<(), Failure> {
    line(&serde_json::to_string(value).map_err(Failure::new)?)
}

/// Prints what the daemon has told.
pub(super) fn told(json: bool, told: &Told) -> Result<(), Failure> {
    let print = if json { line } else { words };
    print(told.text(json))
}

/// Prints words, broken to fit a terminal. Elsewhere lines stay whole, since programs look for them.
pub(super) fn words(text: &str) -> Result<(), Failure> {
    match width(io::stdout()) {
        Some(width) => line(&wrap(text, width)),
        None => line(text),
    }
}

/// Prints help, which nobody but people reads.
pub(super) fn help(text: &str) -> Result<(), Failure> {
    line(&wrap(text, width(io::stdout()).unwrap_or(USUAL)))
}

/// Tells on stderr what is wrong. The exit code tells it where nobody reads that.
pub(super) fn complain(text: &str) {
    let text = format!("intercom-agent: {}", text.trim_end());
    let _ = match width(io::stderr()) {
        Some(width) => write!(io::stderr(), "{}", wrap(&text, width)),
        None => writeln!(io::stderr(), "{text}"),
    };
}

/// As POSIX has it, `COLUMNS` counts before what the terminal says.
fn width(stream: impl AsFd) -> Option<usize> {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    columns.filter(|columns| *columns > 0).or_else(|| terminal::columns(stream))
}

/// Prints a line at once: somebody may be following. A reader that has seen enough and went away
/// (`| head`) is no failure.
fn line(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush()) {
        Err(why) if why.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(of_file("standard output", why)))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
