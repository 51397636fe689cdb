//! How the daemon's earlier runs ended.

/// The runs since the last boot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PastRuns {
    /// How many ended without having been asked to.
    pub unclean_ends: u64,
    /// Where the last of them crashed: signal, address and build ID; `None` if it was killed.
    pub last_crash: Option<String>,
}
