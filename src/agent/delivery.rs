//! A request as a route delivered it.

use std::fmt;

use intercom_wire::signature::Signature;
use intercom_wire::{Issuer, Request, Unreadable};

use super::log_extra;
use super::rules::Rules;
use super::seams::AckToken;
use crate::decide::{Delivered, Via};
use crate::record::{Cause, Route, SeqMark};

/// One request as a route delivered it. Its `Display` names it in messages.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// What was read of it.
    pub request: Result<Request, Unreadable>,
    /// How it came.
    pub delivered: Delivered,
    /// What the broker wants acknowledged.
    pub ack_token: Option<AckToken>,
    /// The route that asked, and that the report goes out on; `None` for an installer's, which is
    /// reported on all routes.
    pub route: Option<Route>,
    /// An installer without an uplink answers for it: nothing need be reachable.
    pub offline: bool,
}

impl Delivery {
    /// The routes on which the panel's own reports of it go out.
    pub(super) fn routes_back(&self, rules: &Rules) -> Vec<Route> {
        match self.route {
            Some(route) => vec![route],
            None => rules.routes.clone(),
        }
    }

    /// Whether an installer asks, who waits for the outcome and sends nothing again.
    pub(super) fn is_by_hand(&self) -> bool {
        self.delivered.via == Via::Installer
    }

    /// What it is called: by its ID, or by a hash of what it says.
    pub(super) fn key(&self) -> String {
        match &self.request {
            Ok(request) => request.key().to_string(),
            Err(Unreadable { id: Some(id), .. }) => id.to_string(),
            Err(Unreadable { id: None, .. }) => "unreadable".to_owned(),
        }
    }

    /// The billing database that asks, where the request names one.
    pub(super) fn issuer(&self) -> Option<&Issuer> {
        self.request.as_ref().ok()?.issuer.as_ref()
    }

    /// The mark that the request must leave for good, however it ends: a signed one without an issuer
    /// could be used again after a restart otherwise.
    pub(super) fn lasting_mark(&self) -> Option<SeqMark> {
        let is_lasting = self.delivered.signature == Signature::Good && self.issuer().is_none();
        self.request.as_ref().ok().filter(|_| is_lasting).and_then(SeqMark::of)
    }

    /// What the record and its report need of the request.
    pub(super) fn cause(&self, rules: &Rules) -> Cause {
        let mut routes = self.routes_back(rules);
        routes.extend(rules.tells_billing.then_some(Route::Billing));
        let request = match &self.request {
            Ok(request) => request,
            Err(unreadable) => return Cause::bare(unreadable.id.clone(), routes),
        };
        let patch = request.content.as_ref().ok();
        let model = patch.and_then(|patch| patch.model.clone());
        Cause {
            request_id: request.id.clone(),
            issuer: request.issuer.clone(),
            hash: request.hash.clone(),
            seq: request.seq,
            target: request.target.clone(),
            model: model.or_else(|| rules.models.first().cloned()),
            log_extra: patch.and_then(|patch| patch.log_extra.clone()).map(log_extra::cut),
            routes,
        }
    }
}

/// What became of a delivery for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handling {
    /// Decided: it need not be delivered again.
    Decided,
    /// Kept: to be delivered again, unless it is decided before.
    Kept,
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.request {
            Ok(request) => write!(f, "request {}", request.key()),
            Err(Unreadable { id: Some(id), .. }) => write!(f, "request {id}"),
            Err(Unreadable { id: None, .. }) => f.write_str("an unreadable request"),
        }
    }
}

/// The same request was delivered again: the later message stands for it, if it can. The other one
/// is given back, to be acknowledged.
pub(super) fn take_over(held: &mut Option<AckToken>, later: Option<AckToken>) -> Option<AckToken> {
    later.and_then(|later| held.replace(later))
}
