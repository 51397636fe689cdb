//! The doctor: looks at everything that a change rests on, says what to do about it, and changes
//! nothing.

mod agreement;
mod clock;
pub mod daemon;
mod duplicates;
mod environment;
pub mod files;
mod finding;
mod firmware;
mod hooks;
mod identity;
mod link;
pub mod netcheck;
mod other_software;
mod outgoing_link;
mod record;
mod secrets;
mod state_dir;
mod uplink;
mod watchdog;

use serde::Serialize;

use crate::panel::Panel;
use daemon::Asked;
pub use finding::{Finding, State};

/// One thing to look at.
pub struct Check {
    /// Its name, which never changes.
    pub id: &'static str,
    /// What has to be so.
    pub description: &'static str,
    look: Look,
}

/// How it is looked at.
enum Look {
    /// On the board.
    Board(fn(&Panel) -> Finding),
    /// In what the running daemon says, which is asked once: one that hangs takes its time.
    Daemon(fn(&Panel, &Asked) -> Finding),
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// The check's name.
    pub id: &'static str,
    /// What has to be so.
    pub description: &'static str,
    /// What was found.
    #[serde(flatten)]
    pub finding: Finding,
}

/// All checks, from the board outwards.
pub const CHECKS: [Check; 29] = [
    state_dir::DURABLE,
    state_dir::ROOM,
    record::GOOD,
    environment::GOOD,
    environment::WRITING,
    environment::BACKUP,
    link::UP,
    link::TAKES_MAC,
    identity::MAC,
    identity::SERIAL_NUMBER,
    identity::MODEL,
    agreement::ENVIRONMENT,
    agreement::LINK,
    other_software::LEAVES_LINK,
    firmware::ASKS,
    agreement::RUNTIME_FILES,
    agreement::FACTORY,
    clock::PLAUSIBLE,
    files::USABLE,
    secrets::PRIVATE,
    hooks::RUNNABLE,
    watchdog::LEFT_ALONE,
    duplicates::NONE,
    outgoing_link::BEARS_MAC,
    uplink::CHECKED,
    daemon::RUNS,
    daemon::CRASHES,
    uplink::REACHED,
    uplink::BILLING,
];

/// Makes all checks.
pub fn examine(panel: &Panel) -> Vec<Checked> {
    let daemon = daemon::state(panel);
    let made = |check: Check| Checked {
        id: check.id,
        description: check.description,
        finding: match check.look {
            Look::Board(look) => look(panel),
            Look::Daemon(look) => look(panel, &daemon),
        },
    };
    CHECKS.into_iter().map(made).collect()
}

#[cfg(test)]
#[cfg(all(feature = "http", feature = "mqtt"))]
mod tests;
