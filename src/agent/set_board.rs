//! Makes the link and the runtime files say one identity.

use std::fmt;
use std::io;

use intercom_wire::Mac;

use super::rules::Rules;
use crate::board::{Board, LinkError, RuntimeFiles};
use crate::record::{Current, Record};

/// Why the board does not say an identity everywhere.
#[derive(Debug)]
pub(super) enum SetBoardError {
    /// The link cannot be read.
    LinkUnreadable(LinkError),
    /// The link did not take this MAC address.
    LinkRefused(Mac, LinkError),
    /// The runtime files cannot be written.
    RuntimeFiles(io::Error),
}

/// Gives the link its MAC address, if it has another.
///
/// # Errors
/// When the link cannot be read, or did not take the address.
pub(super) fn set_link(board: &mut impl Board, wanted: Mac) -> Result<(), SetBoardError> {
    let mac = board.link_mac().map_err(SetBoardError::LinkUnreadable)?;
    if mac == wanted {
        return Ok(());
    }
    board.set_link_mac(wanted).map_err(|why| SetBoardError::LinkRefused(wanted, why))
}

/// Tells the panel's other software who the panel is; writes nothing that is so already.
///
/// # Errors
/// When the files cannot be written.
pub(super) fn write_runtime_files(
    board: &mut impl Board,
    rules: &Rules,
    record: &Record,
    identity: &Current,
) -> Result<(), SetBoardError> {
    let files = runtime_files(rules, record, identity);
    board.write_runtime_files(&files).map_err(SetBoardError::RuntimeFiles)
}

/// What the panel's other software is told while the board carries `identity`.
pub fn runtime_files(rules: &Rules, record: &Record, identity: &Current) -> RuntimeFiles {
    RuntimeFiles {
        // Boot scripts set the link by these files: what is not known to be the board's own must not
        // go before what its environment has.
        mac: identity.has_mac().then_some(identity.identity.mac),
        serial_number: identity.identity.serial_number.clone(),
        id: rules.configured_id.or(record.learnt_id),
        interface: rules.interface.clone(),
        model: rules.models.first().cloned(),
        board: record.board.clone(),
        factory: record.factory(),
    }
}

impl fmt::Display for SetBoardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SetBoardError::LinkUnreadable(why) => write!(f, "the link cannot be read: {why}"),
            SetBoardError::LinkRefused(mac, why) => {
                write!(f, "the link would not take {mac}: {why}")
            }
            SetBoardError::RuntimeFiles(why) => {
                write!(f, "the runtime files cannot be written: {why}")
            }
        }
    }
}
