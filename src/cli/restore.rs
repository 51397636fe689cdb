//! `restore`: at boot, before the network comes up. While a daemon runs, it is asked to do it.

use std::io::ErrorKind;
use std::path::Path;

use nix::unistd::geteuid;
use tokio::sync::mpsc;

use super::args::Restore;
use super::exit::{Exit, Failure};
use super::output;
use super::progress::while_working;
use crate::agent::{Restorer, restore as make_agree};
use crate::clock::RealClock;
use crate::control::{self, Answer, Ask, BoardState, Told};
use crate::daemon::RealSeams;
use crate::panel::Panel;
use crate::storage::StateDirLock;
use crate::upstream::Routes;

/// What to print, and how it went.
type Ended = (Told, Exit);

pub(super) fn restore(restore: &Restore) -> Result<Exit, Failure> {
    let common = restore.common();
    let panel = super::panel(&common)?;
    let (told, exit) = while_working("making the board agree with the record", || agree(&panel))?;
    output::told(common.json, &told)?;
    Ok(exit)
}

/// Here, or by the daemon that runs.
fn agree(panel: &Panel) -> Result<Ended, Failure> {
    match StateDirLock::take(&panel.state_dir()) {
        Ok(_lock) => put_right(panel),
        Err(why) if why.kind() == ErrorKind::WouldBlock => {
            ask_daemon(&panel.runtime_dir().join(control::SOCKET))
                .map_err(|failed| Failure::new(format!("{why}; {}", failed.message)))
        }
        // What this user may not read is not damaged, and what he may not write is not put right.
        Err(why) if why.kind() == ErrorKind::PermissionDenied && !geteuid().is_root() => {
            Err(Failure::new(why))
        }
        // The MAC must be right all the same: the record can still be read.
        Err(why) => {
            log::warn!("the state directory cannot be locked: {why}");
            put_right(panel)
        }
    }
}

fn put_right(panel: &Panel) -> Result<Ended, Failure> {
    // No hook runs before the network is there, and the board is read once; nobody listens.
    let (hooks, _) = mpsc::channel(1);
    let (readings, _) = mpsc::channel(1);
    let clock = RealClock::start(&panel.root).or_else(|why| {
        log::warn!("{why} This counts as a new boot");
        RealClock::of_unknown_boot()
    });
    let clock = clock.map_err(Failure::new)?;
    let mut seams = RealSeams::new(panel, clock, Routes::default(), hooks, readings);
    let reading = panel.board_reading();
    let restored =
        make_agree(&mut seams, &panel.rules(), Restorer::Boot, reading).map_err(Failure::new)?;
    let is_locked = restored.environment_is_locked();
    let record = restored.record;
    let not_read = match record.wants_reading() {
        true => restored.reading.warnings,
        false => Vec::new(),
    };
    let is_put_right = restored.agreement.is_put_right();
    let link = restored.agreement.link;
    let exit = exit(is_put_right, record.has_unread() || link.is_err(), is_locked);
    let board = BoardState::new(&record, link, not_read, restored.remarks);
    Ok((Told::restored(&board).map_err(Failure::new)?, exit))
}

/// The daemon keeps the board right itself; this has it look at once.
fn ask_daemon(socket: &Path) -> Result<Ended, Failure> {
    let mut ended = Err(Failure::new("the daemon ended before it answered"));
    control::ask(socket, &Ask::Restore, |answer| match answer {
        Answer::Restored { is_put_right, has_unread, environment_is_locked, told } => {
            ended = Ok((told, exit(is_put_right, has_unread, environment_is_locked)));
        }
        Answer::Refused(why) => ended = Err(Failure::new(why)),
        Answer::State { .. }
        | Answer::Step(_)
        | Answer::Ended { .. }
        | Answer::Back(_)
        | Answer::Forgotten(_) => {}
    })
    .map_err(|why| Failure::new(format!("the daemon cannot be asked: {why}")))?;
    ended
}

fn exit(is_put_right: bool, has_unread: bool, environment_is_locked: bool) -> Exit {
    match (is_put_right, has_unread, environment_is_locked) {
        (false, ..) => Exit::CouldNot,
        (true, true, _) => Exit::Unread,
        (true, false, true) => Exit::Locked,
        (true, false, false) => Exit::Done,
    }
}
