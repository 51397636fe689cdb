//! How the daemon's earlier runs ended.

use std::fmt;

/// The runs since the last boot. Its `Display` is for the log and for `status`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PastRuns {
    /// How many ended without having been asked to.
    pub unclean_ends: u64,
    /// Where the last of them crashed: signal, address and build ID; `None` if it was killed.
    pub last_crash: Option<String>,
}

impl fmt::Display for PastRuns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.last_crash.as_deref().unwrap_or("killed");
        write!(f, "{} runs since boot did not end cleanly; the last one: {last}", self.unclean_ends)
    }
}
