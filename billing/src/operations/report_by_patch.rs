//! A report in the shape of the documented PATCH, from a panel that only knows the documented API.

use intercom_wire::{BoardName, Errors, IntercomBody, Outcome, Patch, Reader, RequestId};
use serde_json::{Map, Value};

use super::report::{Settled, settle};
use super::{Billing, Refusal, find};
use crate::audit::{Action, Actor, Subject};
use crate::replacement::ReportedOutcome;
use crate::store::intercoms::{self, Name};
use crate::store::macs::Believed;
use crate::store::{Transaction, audit, offers, requests, swaps};

impl Billing {
    /// Takes a panel's PATCH, which is a report and nothing else.
    ///
    /// # Errors
    /// It is not a report, or the database fails.
    pub async fn report_by_patch(
        &self,
        board: BoardName,
        body: Map<String, Value>,
        by: Actor,
    ) -> Result<IntercomBody, Refusal> {
        let believed = self.believed;
        self.store
            .write(move |transaction| {
                let shown = apply_report(transaction, &body, Some(board), &by, believed)?;
                shown.ok_or_else(|| {
                    let text = "The log extra field must have the request id of a request, and \
                                the body what that request asks for: a panel may only report.";
                    Errors::on("log_extra", text).into()
                })
            })
            .await
    }
}

/// What the API shows after such a report; `None` if the body is not one. In a report `log_extra`
/// has the ID of a request, and the body has the identity that was asked for. The board is known
/// where the caller has a panel's token.
pub(super) fn apply_report(
    transaction: &Transaction<'_>,
    body: &Map<String, Value>,
    board: Option<BoardName>,
    by: &Actor,
    believed: Believed,
) -> Result<Option<IntercomBody>, Refusal> {
    let Some((request_id, patch)) = names_a_request(body) else {
        return Ok(None);
    };
    let Some((intercom_id, change)) = requests::by_id(transaction, &request_id)? else {
        return Ok(None);
    };
    let only_if = |named: bool, same: bool| !named || same;
    let identity = &change.to.identity;
    let as_asked = patch.changes_identity()
        && only_if(change.new_mac.is_some(), patch.new_mac == change.new_mac)
        && only_if(patch.new_mac.is_some(), patch.new_mac == Some(identity.mac))
        && only_if(
            change.new_serial_number.is_some(),
            patch.new_serial_number == change.new_serial_number,
        )
        && only_if(
            patch.new_serial_number.is_some(),
            patch.new_serial_number == identity.serial_number,
        );
    let name = Name::from(patch.named_by);
    let means_it = match intercoms::find(transaction, &name)? {
        Some(record) => record.id == intercom_id,
        // The panel has given this MAC address up, so no record has it any more.
        None => name == Name::Mac(change.from.identity.mac),
    };
    if !as_asked || !means_it {
        return Ok(None);
    }
    if let Some(board) = &board
        && offers::to_board(transaction, &request_id, board)?.is_none()
    {
        tracing::warn!("panel {board} reports on request {request_id}, not offered to it: refused");
        return Ok(None);
    }
    let report = ReportedOutcome {
        outcome: Outcome::Installed,
        board,
        mac: patch.new_mac,
        serial_number: patch.new_serial_number,
        carried: None,
    };
    let confirmed_by = swaps::of(transaction, &request_id)?.and_then(|half| half.confirmed_by);
    let is_repeated = match settle(transaction, &request_id, &report, believed)? {
        Settled::Ignored(_) => true,
        Settled::HalfConfirmed => confirmed_by == report.board,
        Settled::Ended
        | Settled::Late
        | Settled::Found
        | Settled::AskedAgain
        | Settled::Deferred
        | Settled::MovedByHand
        | Settled::WaitsForAYes => false,
    };
    // Else a panel could fill the audit log.
    if !is_repeated {
        let subject = Subject {
            intercom_id: Some(intercom_id),
            request_id: Some(&request_id),
            board: report.board.as_ref(),
            ..Subject::default()
        };
        audit::add(transaction, by, Action::Report, &subject)?;
    }
    Ok(Some(find(transaction, &Name::Id(intercom_id))?.shown))
}

fn names_a_request(body: &Map<String, Value>) -> Option<(RequestId, Patch)> {
    let request_id = body.get("log_extra")?.get("request_id")?.as_str()?;
    // Read as a panel reads it, since a panel's report has no group.
    let patch = Patch::read(body, Reader::Panel).ok()?;
    Some((request_id.parse().ok()?, patch))
}
