//! What a PATCH has done, as the audit log and the log tell it.

use intercom_wire::IntercomBody;
use serde_json::{Map, Value};

use super::Refusal;
use super::credentials::Given;
use crate::audit::{Action, Actor, Subject};
use crate::replacement::IdentityRequest;
use crate::store::{Transaction, audit};

/// The fields that change something, in the order in which they are told.
const FIELDS: [&str; 13] = [
    "title",
    "name",
    "department",
    "group_id",
    "group_external_id",
    "flat_from",
    "flat_to",
    "model",
    "new_mac",
    "new_serial_number",
    "log_extra",
    "not_before",
    "expires",
];

/// What a PATCH has done.
pub(super) struct Updated {
    /// The intercom as the API shows it.
    pub(super) shown: IntercomBody,
    /// The request that was queued.
    pub(super) queued: Option<IdentityRequest>,
}

impl Updated {
    /// Writes it into the audit log: which fields the body had, without their values.
    pub(super) fn record(
        &self,
        transaction: &Transaction<'_>,
        by: &Actor,
        body: &Map<String, Value>,
        given: &Given,
    ) -> Result<(), Refusal> {
        let has = |field: &&str| body.get(*field).is_some_and(|value| !value.is_null());
        let mut fields: Vec<&str> = FIELDS.into_iter().filter(has).collect();
        fields.extend(given.told());
        let fields = fields.join(", ");
        let (action, request_id, detail) = match &self.queued {
            Some(IdentityRequest { request_id, to, .. }) => {
                (Action::Replace, Some(request_id), format!("to {}: {fields}", to.identity))
            }
            None => (Action::Change, None, fields),
        };
        let subject = Subject {
            intercom_id: self.shown.id,
            request_id,
            detail: Some(&detail),
            ..Subject::default()
        };
        Ok(audit::add(transaction, by, action, &subject)?)
    }

    /// To be called when it is committed: a dry run is not.
    pub(super) fn log(&self) {
        if let (Some(id), Some(queued)) = (self.shown.id, &self.queued) {
            let IdentityRequest { request_id, from, to, .. } = queued;
            tracing::info!(
                "intercom {id}: from {} to {}: request {request_id}",
                from.identity,
                to.identity
            );
        }
    }
}
