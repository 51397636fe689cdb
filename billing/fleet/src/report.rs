//! The report of a change that was carried out.

use intercom_agent::agent::seams::ConnectIdentity;
use intercom_wire::{
    FactoryIdentity, Identity, IntercomBody, Outcome, Report, Request, SOURCE_AUTO_REPLACE,
};

/// What a panel reports that carries what the request asks for.
pub(super) fn installed(
    request: &Request,
    connect_as: &ConnectIdentity,
    previous: Identity,
    factory: Identity,
) -> Report {
    Report {
        intercom: IntercomBody {
            id: connect_as.id,
            external_id: None,
            department: None,
            title: None,
            mac: Some(connect_as.identity.mac),
            model: connect_as.model.clone(),
            serial_number: connect_as.identity.serial_number.clone(),
            status: Some(Outcome::Installed.to_string()),
            flat_from: None,
            flat_to: None,
            source: Some(SOURCE_AUTO_REPLACE.to_owned()),
            group: None,
        },
        request_id: request.id.clone(),
        issuer: request.issuer.clone(),
        board: connect_as.board.clone(),
        target: Some(request.target.clone()),
        outcome_identity: Some(connect_as.identity.clone()),
        previous,
        factory: FactoryIdentity::Known(factory),
        reason: None,
        deferred_seconds: None,
        seq_mark: None,
        log_extra: None,
        message: None,
        errors: None,
        outcomes_not_told: None,
        unclean_ends: None,
    }
}
