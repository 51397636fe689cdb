//! What a board carried before it was ever changed, as it says in its reports. A board that shows up
//! with that again has lost what it was changed to.

use intercom_wire::{BoardName, Identity, Mac};

use super::column::{parsed, text};
use super::engine::params;
use super::statement::statements;
use super::{Result, Snapshot, Transaction};

statements! {
    MAC = "SELECT mac FROM factories WHERE board = ?1";
    KEEP = "
        INSERT INTO factories (board, mac, serial_number) VALUES (?1, ?2, ?3)
        ON CONFLICT (board) DO UPDATE SET
            mac = excluded.mac, serial_number = excluded.serial_number
        WHERE factories.mac <> excluded.mac
            OR factories.serial_number IS DISTINCT FROM excluded.serial_number";
}

/// The MAC address that a board had at first, if it has ever said so.
pub fn mac(snapshot: &Snapshot<'_>, board: &BoardName) -> Result<Option<Mac>> {
    snapshot.first(MAC, [board.as_str()], |row| parsed(row, "mac"))
}

/// A board has said what it carried at first.
pub fn keep(transaction: &Transaction<'_>, board: &BoardName, factory: &Identity) -> Result<()> {
    let serial_number = text(factory.serial_number.as_ref());
    transaction.execute(KEEP, params![board.as_str(), factory.mac.to_string(), serial_number])?;
    Ok(())
}
