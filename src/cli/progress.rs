//! What a command waits for, while nothing happens.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::output;
use crate::agent::Step;
use crate::control::Told;
use crate::sys::terminal;

/// Before the first step. The agent does not wait longer for an answer.
const LOOK_UP: &str = "whether another board has the new MAC address is looked up, 15 s at most";

/// Shows the steps, and between two of them what is waited for.
pub(super) struct Progress {
    /// What is waited for.
    what: String,
    since: Instant,
    /// The width of the terminal on which one line is rewritten; elsewhere each is a line of its own.
    terminal: Option<usize>,
}

impl Progress {
    pub(super) fn new() -> Self {
        let terminal = terminal::columns(io::stderr());
        Progress { what: LOOK_UP.to_owned(), since: Instant::now(), terminal }
    }

    /// How long nothing may be shown.
    pub(super) fn patience(&self) -> Duration {
        Duration::from_secs(if self.terminal.is_some() { 1 } else { 2 })
    }

    /// Something happened.
    pub(super) fn step(&mut self, step: &Step) {
        self.erase();
        // A reader that went away misses the steps and nothing else.
        let _ = output::words(&step.to_string());
        self.what.clone_from(&step.text);
        self.since = Instant::now();
    }

    /// Nothing happened for a while; this is how it stands.
    pub(super) fn still(&mut self, state: &Told) {
        let state: Value = serde_json::from_slice(state.text(true).as_bytes()).unwrap_or_default();
        let change = &state["change"];
        if let Some(stage) = change["stage"].as_str() {
            stage.clone_into(&mut self.what);
        }
        let left = match &change["seconds_left"] {
            Value::Null => String::new(),
            left => format!("; rolled back in {left} s unless it is confirmed"),
        };
        self.show(&format!("  {}: {} s{left}", self.what, self.since.elapsed().as_secs()));
    }

    /// Takes the line away that would be rewritten next.
    pub(super) fn erase(&self) {
        if self.terminal.is_some() {
            eprint!("\r\x1b[K");
        }
    }

    fn show(&self, line: &str) {
        // A stderr that nobody reads ends nothing.
        let _ = match self.terminal {
            // In the last column some terminals begin a new line.
            Some(width) => {
                write!(io::stderr(), "\r\x1b[K{line:.0$}", width.saturating_sub(1))
            }
            None => writeln!(io::stderr(), "{line}"),
        };
    }
}
