//! Makes the link and the runtime files say one identity.

use super::rules::Rules;
use crate::board::{Board, RuntimeFiles};
use crate::contract::Identity;
use crate::record::Record;

/// Sets what differs; writes nothing that is so already.
///
/// # Errors
/// What the board would not take, in words.
pub(super) fn set_board(
    board: &mut impl Board,
    rules: &Rules,
    record: &Record,
    identity: &Identity,
) -> Result<(), String> {
    let mac = board.link_mac().map_err(|why| format!("the link cannot be read: {why}"))?;
    if mac != identity.mac {
        board
            .set_link_mac(identity.mac)
            .map_err(|why| format!("the link would not take {}: {why}", identity.mac))?;
    }
    let files = RuntimeFiles {
        identity: identity.clone(),
        id: rules.configured_id.or(record.learnt_id),
        interface: rules.interface.clone(),
        model: rules.models.first().cloned(),
        board: record.board.clone(),
        factory: record.factory.clone(),
    };
    board
        .write_runtime_files(&files)
        .map_err(|why| format!("the runtime files cannot be written: {why}"))
}
