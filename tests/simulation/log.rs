//! What happens in a world, line by line, for whoever replays a seed.

use std::fmt::{Display, Write};

/// Off unless it is asked for: nearly all worlds are lived in for their rules alone.
#[derive(Debug, Clone, Default)]
pub struct Log(Option<String>);

impl Log {
    pub fn kept() -> Self {
        Log(Some(String::new()))
    }

    pub fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    /// `line` is made only where it is kept.
    pub fn tell<L: Display>(&mut self, now: u64, line: impl FnOnce() -> L) {
        if let Some(text) = &mut self.0 {
            writeln!(text, "{now:>9} {}", line()).expect("a String takes everything");
        }
    }

    /// What was told so far; nothing where it is not kept.
    pub fn text(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}
