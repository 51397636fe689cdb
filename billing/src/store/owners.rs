//! Which door has an identity that another one asks for.

use intercom_wire::{Mac, SerialNumber};

use super::engine::params;
use super::statement::statements;
use super::{Result, Snapshot};

/// The live intercom with this value in a column, or promised it; no spare, and not `?2`.
macro_rules! another_with {
    ($confirmed:literal, $desired:literal) => {
        concat!(
            "SELECT id FROM intercoms WHERE deleted_ms IS NULL AND ",
            $confirmed,
            " = ?1 AND id <> ?2 AND status <> 'empty'
             UNION ALL SELECT id FROM intercoms WHERE deleted_ms IS NULL AND ",
            $desired,
            " = ?1 AND id <> ?2 AND status <> 'empty' LIMIT 1"
        )
    };
}

statements! {
    OF_A_MAC = another_with!("confirmed_mac", "desired_mac");
    OF_A_SERIAL_NUMBER = another_with!("confirmed_serial_number", "desired_serial_number");
}

/// The door besides `but` that has this MAC address or is promised it.
pub fn of_mac(snapshot: &Snapshot<'_>, mac: Mac, but: i64) -> Result<Option<i64>> {
    snapshot.first(OF_A_MAC, params![mac.to_string(), but], |row| row.get(0))
}

/// The door besides `but` that has this serial number or is promised it.
pub fn of_serial_number(
    snapshot: &Snapshot<'_>,
    serial_number: &SerialNumber,
    but: i64,
) -> Result<Option<i64>> {
    snapshot.first(OF_A_SERIAL_NUMBER, params![serial_number.to_string(), but], |row| row.get(0))
}
