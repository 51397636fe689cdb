//! The lines of the demo's parts, on their way to the screen.

use tokio::sync::mpsc;

/// Who a line is from, and the line.
pub(crate) type Says = mpsc::Sender<(&'static str, String)>;
