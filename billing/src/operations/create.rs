//! POST: creates the intercom of a panel that auto-discovery has found. It belongs to no place yet.

use intercom_wire::{Errors, Fields, Identity, IntercomBody};
use serde_json::{Map, Value};

use super::{Billing, Refusal, find, next_seq};
use crate::audit::{Action, Actor, Subject};
use crate::replacement::Carried;
use crate::store::intercoms::{self, Details, Name};
use crate::store::taken::{self, Among};
use crate::store::{audit, groups};

/// A valid POST body.
struct NewIntercom {
    carried: Carried,
    details: Details,
    group_external_id: Option<String>,
}

impl Billing {
    /// Creates an intercom.
    ///
    /// # Errors
    /// The body is invalid, its identity has been taken, or the database fails.
    pub async fn create(
        &self,
        body: &Map<String, Value>,
        by: Actor,
    ) -> Result<IntercomBody, Refusal> {
        let mut new = read(body)?;
        self.store
            .write(move |transaction| {
                let external_id = new.details.external_id.as_deref();
                let taken =
                    taken::by_another(transaction, Among::All, &new.carried.identity, external_id)?;
                let wrong = [
                    ("mac", taken.mac),
                    ("serial_number", taken.serial_number),
                    ("external_id", taken.external_id),
                ];
                refuse_taken(wrong)?;
                new.details.group_id = groups::find_or_make(
                    transaction,
                    new.details.group_id,
                    new.group_external_id.as_deref(),
                )?;
                let id = intercoms::insert(
                    transaction,
                    &new.carried,
                    &new.details,
                    next_seq(transaction, 0),
                )?;
                let detail = new.carried.identity.to_string();
                let subject =
                    Subject { intercom_id: Some(id), detail: Some(&detail), ..Subject::default() };
                audit::add(transaction, &by, Action::Create, &subject)?;
                Ok(find(transaction, &Name::Id(id))?.shown)
            })
            .await
    }
}

fn read(body: &Map<String, Value>) -> Result<NewIntercom, Errors> {
    let mut fields = Fields::new(body);
    let mac = fields.mac("mac");
    fields.require("mac");
    let serial_number = fields.serial_number("serial_number");
    let [vendor, model, title, name, external_id, group_external_id] =
        ["vendor", "model", "title", "name", "external_id", "group_external_id"]
            .map(|field| fields.string(field).map(str::to_owned));
    let details = Details {
        external_id,
        vendor,
        title: title.or(name),
        department: fields.integer("department"),
        group_id: fields.id("group_id"),
        ..Details::default()
    };
    let read = mac.map(|mac| NewIntercom {
        carried: Carried { identity: Identity { mac, serial_number }, model },
        details,
        group_external_id,
    });
    fields.finish(read)
}

/// Refuses every field whose value another live intercom has, in Laravel's words.
pub(super) fn refuse_taken<const N: usize>(fields: [(&str, bool); N]) -> Result<(), Errors> {
    let nothing = Map::new();
    let mut errors = Fields::new(&nothing);
    for (field, _) in fields.into_iter().filter(|(_, taken)| *taken) {
        let name = field.replace('_', " ");
        errors.error(field, format!("The {name} has already been taken."));
    }
    errors.finish(Some(()))
}
