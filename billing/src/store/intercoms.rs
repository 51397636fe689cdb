//! The intercoms' records.

use intercom_wire::{BoardName, Group, Identity, IntercomBody, Mac, NamedBy};

use super::changes::Changed;
use super::column::{carried, parsed, parsed_or_null, text};
use super::engine::{Row, params};
use super::macs::Believed;
use super::statement::statements;
use super::{Result, Snapshot, Transaction, doors, hardware};
use crate::replacement::Carried;

/// The status of a record that was created and belongs to no place yet: a spare.
pub const EMPTY: &str = "empty";
/// The status of a record whose panel is in its place.
pub const INSTALLED: &str = "installed";
/// The status after a request that an operator has taken back.
pub const CANCELLED: &str = "cancelled";
/// The status while a request's report is awaited.
pub const PENDING: &str = "pending";

/// A live intercom.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its ID.
    pub id: i64,
    /// What its panel is known to carry.
    pub confirmed: Carried,
    /// What is asked for, and what the API shows; the same as confirmed if no request is pending.
    pub desired: Carried,
    /// Its group's ID.
    pub group_id: Option<i64>,
    /// Rises with every change.
    pub seq: i64,
    /// The record as the API shows it.
    pub shown: IntercomBody,
}

/// What a caller names an intercom by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// By ID.
    Id(i64),
    /// By MAC address, confirmed or desired.
    Mac(Mac),
    /// By its ID in an external system.
    ExternalId(String),
}

impl From<NamedBy> for Name {
    fn from(named_by: NamedBy) -> Self {
        match named_by {
            NamedBy::Id(id) => Name::Id(id),
            NamedBy::Mac(mac) => Name::Mac(mac),
        }
    }
}

/// What a PATCH or a POST says besides the identity; `None` leaves a column as it is.
#[derive(Debug, Clone, Default)]
pub struct Details {
    /// Its ID in an external system.
    pub external_id: Option<String>,
    /// The maker.
    pub vendor: Option<String>,
    /// The name.
    pub title: Option<String>,
    /// The department's number.
    pub department: Option<i64>,
    /// The first flat.
    pub flat_from: Option<i64>,
    /// The last flat.
    pub flat_to: Option<i64>,
    /// The group's ID.
    pub group_id: Option<i64>,
}

/// The state of a record: its two identities and what the API says of them.
#[derive(Debug, Clone)]
pub struct RecordState<'a> {
    /// What its panel is known to carry.
    pub confirmed: &'a Carried,
    /// What is asked for.
    pub desired: &'a Carried,
    /// The API's open string.
    pub status: &'a str,
    /// The API's open string.
    pub source: &'a str,
}

macro_rules! select {
    ($which:literal) => {
        concat!(
            "SELECT i.*, g.name AS group_name, g.external_id AS group_external_id,
                    coalesce(d.name, CAST(i.department AS TEXT)) AS department_name
             FROM intercoms i
             LEFT JOIN groups g ON g.id = i.group_id
             LEFT JOIN departments d ON d.id = i.department
             WHERE i.deleted_ms IS NULL AND ",
            $which
        )
    };
}

statements! {
    BY_ID = select!("i.id = ?1");
    /// A spare's own record comes after the record that its MAC address was promised to.
    BY_MAC = select!(
        "i.id IN (SELECT id FROM intercoms WHERE deleted_ms IS NULL AND desired_mac = ?1
            UNION SELECT id FROM intercoms WHERE deleted_ms IS NULL AND confirmed_mac = ?1)
         ORDER BY i.status = ?2, i.id"
    );
    BY_EXTERNAL_ID = select!("i.external_id = ?1");
    BOARD = "SELECT board FROM intercoms WHERE id = ?1";
    INSERT = "
        INSERT INTO intercoms (confirmed_mac, confirmed_serial_number, confirmed_model,
            desired_mac, desired_serial_number, desired_model, status, source, seq,
            external_id, vendor, title, department, group_id)
        VALUES (?1, ?2, ?3, ?1, ?2, ?3, ?4, 'auto', ?5, ?6, ?7, ?8, ?9, ?10)
        RETURNING id";
    DESCRIBE = "
        UPDATE intercoms SET
            title = coalesce(?2, title), department = coalesce(?3, department),
            flat_from = coalesce(?4, flat_from), flat_to = coalesce(?5, flat_to),
            group_id = coalesce(?6, group_id), seq = ?7
        WHERE id = ?1";
    SET_STATE = "
        UPDATE intercoms SET
            confirmed_mac = ?2, confirmed_serial_number = ?3, confirmed_model = ?4,
            desired_mac = ?5, desired_serial_number = ?6, desired_model = ?7,
            status = ?8, source = ?9,
            board = CASE ?8 WHEN 'empty' THEN NULL ELSE board END,
            was_spare = CASE WHEN ?8 = 'pending' AND (status = 'empty' OR was_spare = 1)
                AND confirmed_mac = ?2 AND confirmed_serial_number IS NOT DISTINCT FROM ?3
                THEN 1 ELSE 0 END
        WHERE id = ?1";
    HAS_A_PLACE = "UPDATE intercoms SET was_spare = 0 WHERE id = ?1 AND was_spare = 1";
    WAS_SPARE = "SELECT was_spare FROM intercoms WHERE id = ?1";
    SET_SEQ = "UPDATE intercoms SET seq = ?2 WHERE id = ?1";
    DELETE = "
        UPDATE intercoms SET deleted_ms = ?2 WHERE id = ?1 RETURNING id, confirmed_mac, board";
    DELETE_SPARES = "
        UPDATE intercoms SET deleted_ms = ?4
        WHERE status = ?3
          AND id IN (SELECT id FROM intercoms WHERE deleted_ms IS NULL AND confirmed_mac = ?1
              UNION SELECT id FROM intercoms
                  WHERE deleted_ms IS NULL AND confirmed_serial_number = ?2)
        RETURNING id, confirmed_mac, board";
}

/// The live intercom of that name.
pub fn find(snapshot: &Snapshot<'_>, name: &Name) -> Result<Option<Record>> {
    match name {
        Name::Id(id) => snapshot.first(BY_ID, [id], record),
        Name::Mac(mac) => snapshot.first(BY_MAC, [&mac.to_string(), EMPTY], record),
        Name::ExternalId(external_id) => snapshot.first(BY_EXTERNAL_ID, [external_id], record),
    }
}

/// The board that is an intercom's panel, where it is known.
pub fn board(snapshot: &Snapshot<'_>, id: i64) -> Result<Option<BoardName>> {
    Ok(snapshot.first(BOARD, [id], |row| parsed_or_null(row, "board"))?.flatten())
}

fn record(row: &Row<'_>) -> Result<Record> {
    let desired = carried(row, "desired")?;
    let group_id: Option<i64> = row.get("group_id")?;
    let group = match group_id {
        Some(id) => Some(Group {
            id,
            name: row.get("group_name")?,
            external_id: row.get("group_external_id")?,
            has_items: false,
        }),
        None => None,
    };
    Ok(Record {
        id: row.get("id")?,
        confirmed: carried(row, "confirmed")?,
        group_id,
        seq: row.get("seq")?,
        shown: IntercomBody {
            id: Some(row.get("id")?),
            external_id: row.get("external_id")?,
            department: row.get("department_name")?,
            title: row.get("title")?,
            mac: Some(desired.identity.mac),
            model: desired.model.clone(),
            serial_number: desired.identity.serial_number.clone(),
            status: Some(row.get("status")?),
            flat_from: row.get("flat_from")?,
            flat_to: row.get("flat_to")?,
            source: Some(row.get("source")?),
            group,
        },
        desired,
    })
}

/// Creates the record of a panel that belongs to no place yet.
pub fn insert(
    transaction: &Transaction<'_>,
    carried: &Carried,
    details: &Details,
    seq: i64,
) -> Result<i64> {
    let id = transaction.insert(
        INSERT,
        params![
            carried.identity.mac.to_string(),
            text(carried.identity.serial_number.as_ref()),
            carried.model,
            EMPTY,
            seq,
            details.external_id,
            details.vendor,
            details.title,
            details.department,
            details.group_id,
        ],
    )?;
    hardware::follow(transaction, id)?;
    Ok(id)
}

/// Changes what a record says besides the identity.
pub fn describe(transaction: &Transaction<'_>, id: i64, details: &Details, seq: i64) -> Result<()> {
    transaction.execute(
        DESCRIBE,
        params![
            id,
            details.title,
            details.department,
            details.flat_from,
            details.flat_to,
            details.group_id,
            seq,
        ],
    )?;
    Ok(())
}

/// The record's requests have come to this number.
pub fn set_seq(transaction: &Transaction<'_>, id: i64, seq: i64) -> Result<()> {
    transaction.execute(SET_SEQ, [id, seq])?;
    Ok(())
}

/// The status of a record whose pending request is taken back or has expired: a spare's record is a
/// spare's again, and any other says how the request has ended.
pub fn status_after<'a>(snapshot: &Snapshot<'_>, id: i64, ended: &'a str) -> Result<&'a str> {
    let was_spare: bool = snapshot.one(WAS_SPARE, [id], |row| row.get(0))?;
    Ok(if was_spare { EMPTY } else { ended })
}

/// A record gets its place while its request is pending: it is no spare's any more, however that ends.
pub fn has_a_place(transaction: &Transaction<'_>, id: i64) -> Result<()> {
    transaction.execute(HAS_A_PLACE, [id])?;
    Ok(())
}

/// Sets the state of a record. A spare's has no board.
pub fn set_state(transaction: &Transaction<'_>, id: i64, state: &RecordState<'_>) -> Result<()> {
    let (confirmed, desired) = (state.confirmed, state.desired);
    transaction.execute(
        SET_STATE,
        params![
            id,
            confirmed.identity.mac.to_string(),
            text(confirmed.identity.serial_number.as_ref()),
            confirmed.model,
            desired.identity.mac.to_string(),
            text(desired.identity.serial_number.as_ref()),
            desired.model,
            state.status,
            state.source,
        ],
    )?;
    transaction.changed(Changed::Intercom(id));
    hardware::follow(transaction, id)?;
    Ok(())
}

/// Deletes a record softly: its identity is free again, its history stays. Its board is believed from
/// now on as any other without a door.
pub fn delete(
    transaction: &Transaction<'_>,
    id: i64,
    believed: Believed,
    now_ms: i64,
) -> Result<()> {
    for deleted in transaction.all(DELETE, [id, now_ms], Deleted::read)? {
        if let Some(board) = &deleted.board {
            doors::judge_anew(transaction, board, believed)?;
        }
        deleted.announce(transaction, now_ms)?;
    }
    Ok(())
}

/// Deletes the records of the spares with this identity, which is another intercom's now. Returns
/// how many.
pub fn delete_spares(
    transaction: &Transaction<'_>,
    identity: &Identity,
    now_ms: i64,
) -> Result<usize> {
    let serial_number = text(identity.serial_number.as_ref());
    let deleted = transaction.all(
        DELETE_SPARES,
        params![identity.mac.to_string(), serial_number, EMPTY, now_ms],
        Deleted::read,
    )?;
    let count = deleted.len();
    deleted.into_iter().try_for_each(|deleted| deleted.announce(transaction, now_ms))?;
    Ok(count)
}

/// What a deleted record had.
struct Deleted {
    id: i64,
    mac: Mac,
    board: Option<BoardName>,
}

impl Deleted {
    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Deleted {
            id: row.get("id")?,
            mac: parsed(row, "confirmed_mac")?,
            board: parsed_or_null(row, "board")?,
        })
    }

    /// A request for its MAC address does not wait for a spare any more, and its board is no other
    /// door's.
    fn announce(self, transaction: &Transaction<'_>, now_ms: i64) -> Result<()> {
        transaction.changed(Changed::Mac(self.mac));
        if let Some(board) = self.board {
            transaction.changed(Changed::Board(board));
        }
        hardware::is_gone(transaction, self.id, now_ms)
    }
}
