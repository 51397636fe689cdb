//! Identities that are not to be had: every live intercom holds its confirmed and its desired one.

use intercom_wire::Identity;
use rusqlite::{Connection, Result, named_params};

use super::column::text;
use super::intercoms::EMPTY;

/// Which of an identity's parts another live intercom has, confirmed or desired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The MAC address.
    pub mac: bool,
    /// The serial number.
    pub serial_number: bool,
    /// The ID in an external system.
    pub external_id: bool,
}

/// Who may stand in the way of an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Among {
    /// Any live intercom: a record is to be made.
    All,
    /// Any but this one and the spares: a spare's identity may be promised to an intercom, and its
    /// own record goes when it takes that intercom's place.
    OthersButSpares(i64),
}

/// Whether another live intercom has these already.
pub fn by_another(
    connection: &Connection,
    among: Among,
    identity: &Identity,
    external_id: Option<&str>,
) -> Result<Taken> {
    let but = match among {
        Among::All => None,
        Among::OthersButSpares(id) => Some(id),
    };
    connection.query_row(
        "WITH other AS (SELECT * FROM intercoms WHERE deleted_ms IS NULL
                        AND (:but IS NULL OR (id <> :but AND status <> :empty)))
         SELECT EXISTS (SELECT 1 FROM other WHERE :mac IN (confirmed_mac, desired_mac)),
                EXISTS (SELECT 1 FROM other
                        WHERE :serial IN (confirmed_serial_number, desired_serial_number)),
                EXISTS (SELECT 1 FROM other WHERE external_id = :external)",
        named_params! {
            ":but": but,
            ":empty": EMPTY,
            ":mac": identity.mac.to_string(),
            ":serial": text(identity.serial_number.as_ref()),
            ":external": external_id,
        },
        |row| Ok(Taken { mac: row.get(0)?, serial_number: row.get(1)?, external_id: row.get(2)? }),
    )
}
