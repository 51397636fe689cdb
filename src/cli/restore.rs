//! `restore`: at boot, before the network comes up.

use std::io::ErrorKind;

use intercom_wire::Identity;
use serde::Serialize;
use tokio::sync::mpsc;

use super::args::Restore;
use super::exit::{Exit, Failure};
use super::output;
use crate::agent::{Restorer, restore as make_agree};
use crate::daemon::RealSeams;
use crate::storage::StateDirLock;
use crate::upstream::Routes;

#[derive(Serialize)]
struct Answer {
    identity: Identity,
    change_in_progress: bool,
    /// What could not be read of the board, and why; empty if nothing is missing.
    not_read: Vec<String>,
    remarks: Vec<String>,
}

pub(super) fn restore(restore: &Restore) -> Result<Exit, Failure> {
    let common = restore.common();
    let panel = super::panel(&common)?;
    let _lock = match StateDirLock::take(&panel.state_dir()) {
        Ok(lock) => Some(lock),
        Err(why) if why.kind() == ErrorKind::WouldBlock => {
            return Err(Failure::new(format!("{why}; the daemon keeps the board right itself")));
        }
        // The MAC must be right all the same: the record can still be read.
        Err(why) => {
            log::warn!("the state directory cannot be locked: {why}");
            None
        }
    };
    // No hook runs before the network is there, and the board is read once; nobody listens.
    let (hooks, _) = mpsc::channel(1);
    let (readings, _) = mpsc::channel(1);
    let mut seams =
        RealSeams::new(&panel, Routes::default(), hooks, readings).map_err(Failure::new)?;
    let reading = panel.board_reading();
    let restored =
        make_agree(&mut seams, &panel.rules(), Restorer::Boot, reading).map_err(Failure::new)?;
    let change = restored.record.change.as_ref();
    let not_read = match restored.record.wants_reading() {
        true => restored.reading.warnings,
        false => Vec::new(),
    };
    let exit = if restored.record.has_unread() { Exit::Unread } else { Exit::Done };
    let answer = Answer {
        identity: change.map_or(&restored.record.current, |change| &change.to).identity.clone(),
        change_in_progress: change.is_some(),
        not_read,
        remarks: restored.remarks,
    };
    output::print(common.json, &answer, |answer| {
        let mut text = format!("the board carries {}", answer.identity);
        for why in &answer.not_read {
            text.push_str("\n  not known yet: ");
            text.push_str(why);
        }
        for remark in &answer.remarks {
            text.push_str("\n  ");
            text.push_str(remark);
        }
        text
    })?;
    Ok(exit)
}
