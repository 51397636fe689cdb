//! Identities that cannot be given: every live intercom holds its confirmed and its desired one.

use intercom_wire::Identity;

use super::column::text;
use super::engine::named_params;
use super::intercoms::EMPTY;
use super::statement::statements;
use super::{Result, Snapshot};

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

/// Whose identities count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Among {
    /// Those of every live intercom: a record is to be created.
    All,
    /// Those of every live intercom except this one, also of the spares: nobody asked for the
    /// identity.
    Others(i64),
    /// Those of every live intercom except this one and the spares. An intercom may be promised a
    /// spare's identity; the spare's record is deleted when it takes that intercom's place.
    OthersButSpares(i64),
}

/// Whether another live intercom has this value in a column. One index answers for one column: with
/// two columns in one condition SQLite reads every intercom.
macro_rules! another_has {
    ($column:literal, $value:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM intercoms WHERE deleted_ms IS NULL AND ",
            $column,
            " = ",
            $value,
            " AND id IS DISTINCT FROM :but AND status IS DISTINCT FROM :spare)"
        )
    };
}

statements! {
    TAKEN = concat!(
        "SELECT ", another_has!("confirmed_mac", ":mac"),
        " OR ", another_has!("desired_mac", ":mac"),
        ", ", another_has!("confirmed_serial_number", ":serial"),
        " OR ", another_has!("desired_serial_number", ":serial"),
        ", ", another_has!("external_id", ":external")
    );
}

/// Whether another live intercom has these already.
pub fn by_another(
    snapshot: &Snapshot<'_>,
    among: Among,
    identity: &Identity,
    external_id: Option<&str>,
) -> Result<Taken> {
    let (but, spare) = match among {
        Among::All => (None, None),
        Among::Others(id) => (Some(id), None),
        Among::OthersButSpares(id) => (Some(id), Some(EMPTY)),
    };
    snapshot.one(
        TAKEN,
        named_params! {
            ":but": but,
            ":spare": spare,
            ":mac": identity.mac.to_string(),
            ":serial": text(identity.serial_number.as_ref()),
            ":external": external_id,
        },
        |row| Ok(Taken { mac: row.get(0)?, serial_number: row.get(1)?, external_id: row.get(2)? }),
    )
}
