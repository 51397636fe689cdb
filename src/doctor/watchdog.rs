//! The watchdog: whoever feeds it, the agent does not.

use std::fs;
use std::io;
use std::path::Path;

use super::{Check, Finding, Look};
use crate::panel::Panel;

const AGENT: &str = "intercom-agent";

pub(super) const LEFT_ALONE: Check = Check {
    id: "watchdog",
    description: "the agent leaves the watchdog alone",
    look: Look::Board(look),
};

/// A process that holds the watchdog.
struct Process {
    name: String,
    pid: String,
}

fn look(panel: &Panel) -> Finding {
    let (holders, hidden) = holders(&panel.root.path("/proc"));
    let names: Vec<_> =
        holders.iter().map(|holder| format!("{} (process {})", holder.name, holder.pid)).collect();
    if holders.iter().any(|holder| holder.name == AGENT) {
        return Finding::failed(
            format!("held by {}", names.join(" and ")),
            "whatever starts the agent hands its open watchdog on: close it there, or the panel \
             restarts when the agent does",
        );
    }
    match (names.as_slice(), hidden) {
        ([], true) => Finding::warning(
            "not known: other users' processes cannot be looked at",
            "run this as root",
        ),
        ([], false) => Finding::ok("nobody holds it"),
        (names, _) => Finding::ok(format!("held by {}", names.join(" and "))),
    }
}

/// Who has a `/dev/watchdog*` open, and whether some processes could not be looked at.
fn holders(proc: &Path) -> (Vec<Process>, bool) {
    let (mut holders, mut hidden) = (Vec::new(), false);
    for entry in fs::read_dir(proc).into_iter().flatten().flatten() {
        let pid = entry.file_name().to_string_lossy().into_owned();
        if !pid.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        match holds_watchdog(&entry.path()) {
            Ok(true) => {
                let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
                holders.push(Process { name: name.trim_end().to_owned(), pid });
            }
            Ok(false) => {}
            Err(why) => hidden |= why.kind() == io::ErrorKind::PermissionDenied,
        }
    }
    (holders, hidden)
}

fn holds_watchdog(process: &Path) -> io::Result<bool> {
    let is_watchdog = |target: &Path| target.to_string_lossy().starts_with("/dev/watchdog");
    let mut open = fs::read_dir(process.join("fd"))?.flatten();
    Ok(open.any(|open| fs::read_link(open.path()).is_ok_and(|target| is_watchdog(&target))))
}
