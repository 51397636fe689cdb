//! The quiet hours of the groups.

use serde::{Serialize, Serializer};

use super::changes::Changed;
use super::column::{parsed, parsed_or_null};
use super::engine::{Row, params};
use super::statement::statements;
use super::{Result, Snapshot, Transaction};
use crate::schedule::QuietHours;

/// The quiet hours of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfAGroup {
    /// The group.
    pub group_id: i64,
    /// Its quiet hours.
    pub hours: QuietHours,
}

statements! {
    IS_A_GROUP = "SELECT EXISTS (SELECT 1 FROM groups WHERE id = ?1)";
    SET = "
        INSERT INTO quiet_hours (group_id, time_zone, begins, ends) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (group_id) DO UPDATE SET
            time_zone = excluded.time_zone, begins = excluded.begins, ends = excluded.ends";
    REMOVE = "DELETE FROM quiet_hours WHERE group_id = ?1";
    LIST = "SELECT group_id, time_zone, begins, ends FROM quiet_hours ORDER BY group_id";
    PENDING_IN_A_GROUP = "
        SELECT id FROM intercoms WHERE group_id = ?1 AND deleted_ms IS NULL AND status = 'pending'";
}

/// Sets the quiet hours of a group. False if there is no such group.
pub fn set(transaction: &Transaction<'_>, of: &OfAGroup) -> Result<bool> {
    if !transaction.one(IS_A_GROUP, [of.group_id], |row| row.get::<_, bool>(0))? {
        return Ok(false);
    }
    let QuietHours { time_zone, begins, ends } = &of.hours;
    let (zone, begins, ends) = (time_zone.to_string(), begins.to_string(), ends.to_string());
    transaction.execute(SET, params![of.group_id, zone, begins, ends])?;
    have_changed(transaction, of.group_id)?;
    Ok(true)
}

/// A group has no quiet hours any more. False if it had none.
pub fn remove(transaction: &Transaction<'_>, group_id: i64) -> Result<bool> {
    let removed = transaction.execute(REMOVE, [group_id])? > 0;
    have_changed(transaction, group_id)?;
    Ok(removed)
}

/// The quiet hours of all groups that have some.
pub fn list(snapshot: &Snapshot<'_>) -> Result<Vec<OfAGroup>> {
    snapshot
        .all(LIST, (), |row| {
            let hours = of_a_row(row)?;
            Ok(hours.map(|hours| Ok(OfAGroup { group_id: row.get("group_id")?, hours })))
        })?
        .into_iter()
        .flatten()
        .collect()
}

/// The columns `time_zone`, `begins` and `ends`, which are there or are not.
pub(super) fn of_a_row(row: &Row<'_>) -> Result<Option<QuietHours>> {
    match parsed_or_null(row, "time_zone")? {
        Some(time_zone) => {
            let (begins, ends) = (parsed(row, "begins")?, parsed(row, "ends")?);
            Ok(Some(QuietHours { time_zone, begins, ends }))
        }
        None => Ok(None),
    }
}

fn have_changed(transaction: &Transaction<'_>, group_id: i64) -> Result<()> {
    for id in transaction.all(PENDING_IN_A_GROUP, [group_id], |row| row.get(0))? {
        transaction.changed(Changed::Intercom(id));
    }
    Ok(())
}

/// As the API shows it.
impl Serialize for OfAGroup {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut shown = serializer.serialize_struct("OfAGroup", 4)?;
        shown.serialize_field("group_id", &self.group_id)?;
        shown.serialize_field("time_zone", &self.hours.time_zone.to_string())?;
        shown.serialize_field("begins", &self.hours.begins.to_string())?;
        shown.serialize_field("ends", &self.hours.ends.to_string())?;
        shown.end()
    }
}
