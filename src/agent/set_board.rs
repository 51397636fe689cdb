//! Makes the link and the runtime files say one identity.

use intercom_wire::{Identity, Mac};

use super::rules::Rules;
use crate::board::{Board, RuntimeFiles};
use crate::record::Record;

/// Gives the link its MAC address, if it has another.
///
/// # Errors
/// What the link would not take, in words.
pub(super) fn set_link(board: &mut impl Board, wanted: Mac) -> Result<(), String> {
    let mac = board.link_mac().map_err(|why| format!("the link cannot be read: {why}"))?;
    if mac == wanted {
        return Ok(());
    }
    board.set_link_mac(wanted).map_err(|why| format!("the link would not take {wanted}: {why}"))
}

/// Tells the panel's other software who the panel is; writes nothing that is so already.
///
/// # Errors
/// Why they cannot be written, in words.
pub(super) fn write_runtime_files(
    board: &mut impl Board,
    rules: &Rules,
    record: &Record,
    identity: &Identity,
) -> Result<(), String> {
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
