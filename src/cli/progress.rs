//! What a command waits for, while nothing happens.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::output;
use crate::agent::Step;
use crate::control::Told;
use crate::sys::terminal;

/// Before the first step. The agent does not wait longer for another board's answer.
const BEGINNING: &str =
    "asking who else has the new MAC address (15 s at most), and the hooks whether it may begin";
/// Between two changes.
const IDLE: &str = "waiting for a request";

/// How often it is shown that something is done. The next thing may be silent for as long again.
const TICK: Duration = Duration::from_secs(1);

/// So much of what is waited for is shown on the narrowest terminal.
const LEAST: usize = 12;

/// Shows the steps, and between two of them what is waited for.
pub(super) struct Progress {
    /// What is waited for.
    what: String,
    /// Whether to go on when a change has ended.
    follows: bool,
    since: Instant,
    /// When it was shown last.
    shown: Instant,
    /// The width of the terminal on which one line is rewritten; elsewhere each is a line of its own.
    terminal: Option<usize>,
}

impl Progress {
    /// Of one change.
    pub(super) fn of_change() -> Self {
        Self::new(BEGINNING, false)
    }

    /// Of everything that the daemon does.
    pub(super) fn of_daemon() -> Self {
        Self::new(IDLE, true)
    }

    /// Of the way upstream, leg by leg.
    pub(super) fn of_legs() -> Self {
        Self::new("", false)
    }

    fn new(what: &str, follows: bool) -> Self {
        let (what, since) = (what.to_owned(), Instant::now());
        Progress { what, follows, since, shown: since, terminal: terminal::columns(io::stderr()) }
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
        } else if self.follows {
            // Nobody wants a line every two seconds in a file for as long as nothing happens.
            if self.terminal.is_none() {
                return;
            }
            IDLE.clone_into(&mut self.what);
        }
        let left = match &change["seconds_left"] {
            Value::Null => String::new(),
            left => format!("; rolled back in {left} s unless it is confirmed"),
        };
        self.show(&left);
    }

    /// This is waited for, since it was said first; shown where nothing was for long enough.
    pub(super) fn still_for(&mut self, what: &str) {
        if self.what != what {
            what.clone_into(&mut self.what);
            self.since = Instant::now();
            self.shown = self.since;
        }
        if self.shown.elapsed() >= self.patience() {
            self.shown = Instant::now();
            self.show("");
        }
    }

    /// Takes the line away that would be rewritten next.
    pub(super) fn erase(&self) {
        if self.terminal.is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }

    fn tick(&self, done: &AtomicBool) {
        loop {
            // To the whole second, so that none is left out.
            let part = Duration::from_nanos(self.since.elapsed().subsec_nanos().into());
            thread::park_timeout(TICK.saturating_sub(part));
            if done.load(Ordering::Acquire) {
                break self.erase();
            }
            self.show("");
        }
    }

    /// What is waited for, since when, and until when.
    fn show(&self, until: &str) {
        let (what, since) = (&self.what, self.since.elapsed().as_secs());
        let times = format!(": {since} s{until}");
        // A stderr that nobody reads ends nothing.
        let _ = match self.terminal {
            // The times are what changes. In the last column some terminals begin a new line.
            Some(width) => {
                let width = width.saturating_sub(1);
                let room = width.saturating_sub(times.len() + 2).max(LEAST);
                let line = format!("  {what:.room$}{times}");
                // A line of the log takes its place.
                write!(io::stderr(), "\r\x1b[K{line:.width$}\r")
            }
            None => writeln!(io::stderr(), "  {what}{times}"),
        };
    }
}

/// Does something that may take its time, and shows that it does.
pub(super) fn while_working<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let ticker = Ticker::start(what);
    let result = work();
    ticker.end();
    result
}

/// Shows each second that something is done. Not generic, as what is done is: a thread for each kind of work
/// would be 1 KB of code each time.
struct Ticker {
    done: Arc<AtomicBool>,
    /// Where there can be no other thread, the work is done without a word.
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    fn start(what: &str) -> Self {
        let progress = Progress::new(what, false);
        let done = Arc::new(AtomicBool::new(false));
        let ends = done.clone();
        let thread = thread::Builder::new().spawn(move || progress.tick(&ends)).ok();
        Ticker { done, thread }
    }

    fn end(self) {
        self.done.store(true, Ordering::Release);
        if let Some(thread) = self.thread {
            thread.thread().unpark();
            // It has taken its line away by then.
            let _ = thread.join();
        }
    }
}
