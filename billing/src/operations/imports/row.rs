//! A row as the body of a PATCH.

use intercom_import::Layout;
use intercom_wire::{Errors, Fields};
use serde_json::{Map, Value};

use super::super::Refusal;
use crate::store::Snapshot;
use crate::store::intercoms::{self, Name, Record};

/// The cells by their columns, without the empty ones.
pub(super) fn body(layout: &Layout, cells: &[String]) -> Map<String, Value> {
    let named = layout.columns.iter().zip(cells).filter(|(_, cell)| !cell.is_empty());
    named.map(|(column, cell)| (column.name().to_owned(), Value::from(cell.as_str()))).collect()
}

/// Adds what the row leaves out and the documented PATCH needs: the model and the group stay what they
/// are.
///
/// # Errors
/// It names no intercom, or the database fails.
pub(super) fn complete(
    snapshot: &Snapshot<'_>,
    body: &mut Map<String, Value>,
) -> Result<(), Refusal> {
    let record = record(snapshot, body)?;
    if !body.contains_key("model")
        && let Some(model) = record.desired.model.or(record.confirmed.model)
    {
        body.insert("model".to_owned(), model.into());
    }
    if !body.contains_key("group_id")
        && !body.contains_key("group_external_id")
        && let Some(group) = record.shown.group
    {
        body.insert("group_id".to_owned(), group.id.into());
    }
    Ok(())
}

fn record(snapshot: &Snapshot<'_>, body: &Map<String, Value>) -> Result<Record, Refusal> {
    let mut fields = Fields::new(body);
    let (id, mac) = (fields.id("id"), fields.mac("mac"));
    let name = match (fields.has("id"), fields.has("mac")) {
        (true, true) => {
            fields.error("id", "Only one of id and mac may be there.");
            None
        }
        (false, false) => {
            fields.error("id", "One of id and mac is required.");
            None
        }
        (true, false) => id.map(Name::Id),
        (false, true) => mac.map(Name::Mac),
    };
    let name = fields.finish(name)?;
    let unknown = match name {
        Name::Id(_) => Errors::on("id", "No intercom has this id."),
        Name::Mac(_) | Name::ExternalId(_) => {
            Errors::on("mac", "No intercom has this MAC address.")
        }
    };
    Ok(intercoms::find(snapshot, &name)?.ok_or(unknown)?)
}
