//! What a crash leaves behind: where the program was, and that the last run did not end cleanly.
//!
//! ```text
//! run starts ──► runs.json: running ──► run ends cleanly ──► runs.json: not running
//!                                  └──► fatal signal ──► the log, `crash` ──► the next start
//! ```
//!
//! Both files are in the runtime directory, which is in memory: flash is not written, and the count
//! begins anew with each boot.

mod build_id;
mod runs;

use std::io;
use std::path::Path;

pub use build_id::build_id;
pub use runs::{Run, past_runs};

/// The file with the place of a crash that no start has seen yet.
pub const CRASH_FILE: &str = "crash";

/// From now on a fatal signal leaves its place in the log and in [`CRASH_FILE`] of `runtime_dir`.
///
/// # Errors
/// The directory cannot be made or its name has a NUL byte, or the kernel takes no signal handler.
pub fn trace_fatal_signals(runtime_dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(runtime_dir)?;
    crate::sys::fatal_signal::trace(&runtime_dir.join(CRASH_FILE), build_id())
}
