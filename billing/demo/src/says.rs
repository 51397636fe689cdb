//! What the parts of the demo have to say, on its way to the screen.

use tokio::sync::mpsc;

/// Who speaks, and what.
pub(crate) type Says = mpsc::Sender<(&'static str, String)>;
