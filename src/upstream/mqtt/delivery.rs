//! A message on one of the panel's request topics, as the agent gets it.

use intercom_wire::signature::{Keys, Signature};
use intercom_wire::{Errors, Nonce, Request, RequestId, Unreadable};
use rumqttc::Publish;

use super::line;
use crate::agent::Delivery;
use crate::agent::seams::AckToken;
use crate::decide::{Delivered, Timing, Via};
use crate::record::Route;
use crate::upstream::cause::Cause;

/// Reads the request in a message. `id_of_topic` is its ID where the payload has none.
pub(super) fn delivery(
    message: &Publish,
    keys: &Keys,
    ack_token: AckToken,
    via: Via,
    id_of_topic: Option<RequestId>,
    answers_presence: impl FnOnce(Option<&RequestId>, &Nonce) -> bool,
) -> Delivery {
    let (request, signature) = match line::is_too_large(message) {
        true => {
            let errors = Errors::on("body", Cause::from(line::too_large(message)).to_string());
            (Err(Unreadable { id: id_of_topic, errors }), Signature::Missing)
        }
        false => {
            let (payload, signature) = keys.open(&message.payload);
            let request = Request::read(&payload).map_err(|unreadable| Unreadable {
                id: unreadable.id.or(id_of_topic),
                errors: unreadable.errors,
            });
            (request, signature)
        }
    };
    let is_fresh = request.as_ref().is_ok_and(|request| {
        let nonce = request.nonce.as_ref();
        nonce.is_some_and(|nonce| answers_presence(request.id.as_ref(), nonce))
    });
    let timing = if message.retain || message.dup { Timing::Again } else { Timing::Live };
    Delivery {
        request,
        delivered: Delivered { via, timing, signature, is_fresh, deferrals: 0 },
        ack_token: Some(ack_token),
        route: Some(Route::Mqtt),
        offline: false,
    }
}
