//! Whether it helps to ask a service again.

/// Whether asking again helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It may pass at any moment: the line, the load, a restart.
    Passing,
    /// Somebody has to correct something, here or there.
    Lasting,
    /// The service understood what it was sent, and does not want it.
    Refused,
}
