//! A request as a route delivered it.

use std::fmt;

use intercom_wire::{Request, Unreadable};

use super::seams::AckToken;
use crate::decide::Delivered;
use crate::record::Route;

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
