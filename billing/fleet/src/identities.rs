//! The identities of the panels: everything about a panel follows from its number.

use anyhow::{Context, Result};
use intercom_agent::agent::seams::ConnectIdentity;
use intercom_billing::replacement::Carried;
use intercom_billing::store::Store;
use intercom_billing::store::intercoms::{self, Details};
use intercom_wire::{BoardName, Identity, Mac};
use serde_json::{Value, json};

pub(super) const MODEL: &str = "3516EV200";
/// Locally administered addresses; the last three octets are the panel's number.
const OLD: u8 = 0x02;
const NEW: u8 = 0x06;
const SPARE: u8 = 0x0E;

pub(super) fn board(number: usize) -> Result<BoardName> {
    let name = format!("fleet-{number}");
    name.parse().ok().with_context(|| format!("`{name}` is not a board name"))
}

pub(super) fn old(number: usize) -> Result<Identity> {
    identity(OLD, "OLD", number)
}

pub(super) fn new(number: usize) -> Result<Identity> {
    identity(NEW, "NEW", number)
}

/// A MAC address that no panel gets.
pub(super) fn spare(number: usize) -> Result<Mac> {
    Ok(identity(SPARE, "SPARE", number)?.mac)
}

fn identity(first_octet: u8, kind: &str, number: usize) -> Result<Identity> {
    let [.., a, b, c] = number.to_be_bytes();
    let mac = Mac::try_from([first_octet, 0, 0, a, b, c]).ok();
    let serial_number = format!("{kind}-{number}").parse().ok();
    Ok(Identity { mac: mac.context("no MAC address")?, serial_number })
}

/// How a panel shows itself that carries this identity.
pub(super) fn connect_as(number: usize, identity: Identity) -> Result<ConnectIdentity> {
    Ok(ConnectIdentity {
        has_mac: true,
        changing_from: None,
        new_record: false,
        identity,
        board: board(number)?,
        id: None,
        model: Some(MODEL.to_owned()),
    })
}

/// The number of the panel with this name.
pub(super) fn number_of(board: &BoardName) -> Option<usize> {
    board.as_str().strip_prefix("fleet-")?.parse().ok()
}

/// The documented PATCH that replaces a panel.
pub(super) fn patch(number: usize) -> Result<Value> {
    let (old, new) = (old(number)?, new(number)?);
    Ok(json!({
        "mac": old.mac, "new_mac": new.mac, "new_serial_number": new.serial_number,
        "model": MODEL, "group_id": 1
    }))
}

/// The same, to a MAC address alone.
pub(super) fn patch_to(number: usize, new_mac: Mac) -> Result<Value> {
    let old = old(number)?;
    Ok(json!({"mac": old.mac, "new_mac": new_mac, "model": MODEL, "group_id": 1}))
}

/// Writes the records of all panels into a new database.
pub(super) async fn install(store: &Store, count: usize) -> Result<()> {
    store
        .write(move |transaction| {
            for number in 0..count {
                let carried = Carried { identity: old(number)?, model: Some(MODEL.to_owned()) };
                intercoms::insert(transaction, &carried, &Details::default(), 1)?;
            }
            Ok(())
        })
        .await
}
