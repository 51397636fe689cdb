//! How a request ended.

use crate::string_enum;

string_enum! {
    /// The `status` of a report.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Outcome {
        /// The panel carries the identity and was reached under it.
        Installed = "installed",
        /// The request was refused; nothing on the board was touched.
        Rejected = "rejected",
        /// The identity was changed, could not be confirmed, and the old one was put back.
        RolledBack = "rolled_back",
        /// The change could not be begun: the board or its storage would not have it.
        Failed = "failed",
    }
}
