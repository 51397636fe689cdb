//! How a request ended.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The `status` of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outcome::Installed => "installed",
            Outcome::Rejected => "rejected",
            Outcome::RolledBack => "rolled_back",
            Outcome::Failed => "failed",
        })
    }
}
