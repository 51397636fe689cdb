//! A report in the shape of the documented PATCH, from a panel that knows only the documented API.

use intercom_wire::{IntercomBody, Outcome, Patch, Reader, RequestId};
use serde_json::{Map, Value};

use super::report::settle;
use super::{Refusal, find};
use crate::replacement::ReportedOutcome;
use crate::store::intercoms::{self, Name};
use crate::store::{Transaction, requests};

/// What the API shows after such a report; `None` if the body is none: `log_extra` carries the
/// request's ID, and the values are those that were asked for. It is no request of its own.
pub(super) fn apply_report(
    transaction: &Transaction<'_>,
    body: &Map<String, Value>,
) -> Result<Option<IntercomBody>, Refusal> {
    let Some((request_id, patch)) = names_a_request(body) else {
        return Ok(None);
    };
    let Some((intercom_id, change)) = requests::by_id(transaction, &request_id)? else {
        return Ok(None);
    };
    let told = |asked: bool, same: bool| !asked || same;
    let identity = &change.to.identity;
    let as_asked = patch.changes_identity()
        && told(change.new_mac.is_some(), patch.new_mac == change.new_mac)
        && told(patch.new_mac.is_some(), patch.new_mac == Some(identity.mac))
        && told(
            change.new_serial_number.is_some(),
            patch.new_serial_number == change.new_serial_number,
        )
        && told(
            patch.new_serial_number.is_some(),
            patch.new_serial_number == identity.serial_number,
        );
    let name = Name::from(patch.named_by);
    let means_it = match intercoms::find(transaction, &name)? {
        Some(record) => record.id == intercom_id,
        // The MAC address that the panel has given up by now names nothing any more.
        None => name == Name::Mac(change.from.identity.mac),
    };
    if !as_asked || !means_it {
        return Ok(None);
    }
    let said = ReportedOutcome {
        outcome: Outcome::Installed,
        board: None,
        mac: patch.new_mac,
        serial_number: patch.new_serial_number,
    };
    settle(transaction, Some(&request_id), &said, None)?;
    Ok(Some(find(transaction, &Name::Id(intercom_id))?.shown))
}

fn names_a_request(body: &Map<String, Value>) -> Option<(RequestId, Patch)> {
    let request_id = body.get("log_extra")?.get("request_id")?.as_str()?;
    // As a panel reads it: a panel knows nothing of groups.
    let patch = Patch::read(body, Reader::Panel).ok()?;
    Some((request_id.parse().ok()?, patch))
}
