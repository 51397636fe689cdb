//! The agent killed at every system call that matters, and failed by every one of them, by strace.
//! After a restart the board has exactly the old identity or exactly the new one, and knows which.

mod commands;
mod daemon;
mod steps;
mod veth_panel;

pub use veth_panel::{CHANGES_PER_HOUR, Site};

/// Whatever changes a file or makes it durable.
const FILE_CALLS: [&str; 6] = ["openat", "write", "fsync", "rename", "linkat", "unlink"];
/// How each of them can fail.
const FAULTS: [&str; 3] = ["ENOSPC", "EIO", "EROFS"];
