//! The state directory: it survives a power cut, and has room for a change.

use std::io;
use std::path::Path;

use nix::sys::statvfs::statvfs;
use nix::unistd::{AccessFlags, access, geteuid};

use super::{Check, Finding, Look};
use crate::environment::{LookedAt, Policy};
use crate::panel::Panel;
use crate::record_store::{RecordStore, room_for_a_change};
use crate::storage::Disk;

pub(super) const DURABLE: Check = Check {
    id: "state-durable",
    description: "the state directory survives a power cut",
    look: Look::Board(durable),
};

pub(super) const ROOM: Check = Check {
    id: "state-room",
    description: "the state directory has room for a change",
    look: Look::Board(room),
};

fn durable(panel: &Panel) -> Finding {
    match panel.state().is_durable() {
        Ok(()) => {
            Finding::ok(format!("{} survives a power cut", panel.settings.state_dir.display()))
        }
        Err(why) => Finding::failed(
            format!("{why}; every change would be refused"),
            "set `state_dir` to a directory on flash; if this one should be, its file system was \
             not mounted: look at `mount` and `dmesg`",
        ),
    }
}

fn room(panel: &Panel) -> Finding {
    let asked = needed(panel).and_then(|needed| Ok((needed, free(panel.state().path())?)));
    let (needed, free) = match asked {
        Ok(asked) => asked,
        Err(why) => {
            let found = format!("{}: {why}", panel.settings.state_dir.display());
            return Finding::failed(found, mend(&why, geteuid().is_root()));
        }
    };
    judge(needed, free)
}

/// Another directory would have another record, or none: the identity would be lost. So that is only
/// advised where this one is past mending.
fn mend(why: &io::Error, is_root: bool) -> &'static str {
    match why.kind() {
        io::ErrorKind::PermissionDenied if !is_root => "run this as root",
        io::ErrorKind::ReadOnlyFilesystem => {
            "every change would be refused: `dmesg` says why it is mounted read-only; mount it for writing"
        }
        _ => "mend the file system; if it cannot be mended, set `state_dir` to another one",
    }
}

fn judge(needed: u64, free: u64) -> Finding {
    let found = format!("{} KiB free, {} KiB needed", free / 1024, needed.div_ceil(1024));
    let advice = "remove what is not needed on that file system (logs, old firmware)";
    if free < needed {
        Finding::failed(format!("{found}; every change would be refused"), advice)
    } else if free < 2 * needed {
        Finding::warning(found, advice)
    } else {
        Finding::ok(found)
    }
}

/// Bytes for the end of a change and for the environment's backup, written as hexadecimal digits.
fn needed(panel: &Panel) -> io::Result<u64> {
    let record = RecordStore::new(panel.state()).peek()?;
    let record = record.map(|record| room_for_a_change(&record)).transpose()?.unwrap_or(16 * 1024);
    let backup = match (panel.settings.environment, &*panel.environment) {
        (Policy::RedundantOnly | Policy::Always, LookedAt::Found { layout, .. }) => {
            layout.copies().first().map_or(0, |copy| 2 * copy.size as u64)
        }
        _ => 0,
    };
    Ok(record as u64 + backup)
}

/// Bytes that are free in a directory, or where it is to be made; none if no file can be made.
///
/// # Errors
/// When nothing can be written there.
fn free(dir: &Path) -> io::Result<u64> {
    let there = dir.ancestors().find(|dir| dir.exists()).unwrap_or(dir);
    // Also a file system that is mounted read-only says no to this.
    access(there, AccessFlags::W_OK)?;
    let stat = statvfs(there)?;
    // jffs2 and others without a table of files say 0 of 0.
    if stat.files() > 0 && stat.files_available() == 0 {
        return Ok(0);
    }
    // Both are narrower on a panel.
    Ok(stat.blocks_available() as u64 * stat.fragment_size() as u64)
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn less_than_what_is_needed_fails_and_less_than_twice_that_warns() {
        let state = |free| judge(10_240, free).state;
        assert_eq!(
            [10_239, 10_240, 20_479, 20_480].map(state),
            [State::Failed, State::Warning, State::Warning, State::Ok]
        );
        assert_eq!(judge(10_240, 20_480).found, "20 KiB free, 10 KiB needed");
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_told_with_what_helps_and_never_with_another_one() {
        // Nobody writes in the kernel's own tree, root is only told otherwise on a read-only mount.
        let kernels_own = Path::new("/proc/sys/kernel/random");
        assert!(geteuid().is_root() || free(kernels_own).is_err());
        let advice = |kind: io::ErrorKind, is_root| mend(&kind.into(), is_root);
        assert_eq!(advice(io::ErrorKind::PermissionDenied, false), "run this as root");
        let read_only = advice(io::ErrorKind::ReadOnlyFilesystem, true);
        assert!(read_only.contains("mount it for writing") && !read_only.contains("state_dir"));
    }

    #[test]
    fn a_directory_that_is_still_to_be_made_has_the_room_above_it() {
        let dir = std::env::temp_dir();
        assert!(free(&dir.join("not/there/yet")).expect("a file system") > 0);
    }
}
