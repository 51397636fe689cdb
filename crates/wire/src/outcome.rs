//! How a request ended.

use std::fmt;

use crate::json::words;

/// The `status` of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The panel carries the identity and was reached under it.
    Installed,
    /// The request was refused; nothing on the board was touched.
    Rejected,
    /// The identity was changed, could not be confirmed, and the old one was put back.
    RolledBack,
    /// The change could not be begun: the board or its storage would not have it.
    Failed,
}

words!(Outcome { Installed = "installed", Rejected = "rejected", RolledBack = "rolled_back", Failed = "failed" });

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
