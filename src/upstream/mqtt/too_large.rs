//! How the panel gets past a message that is larger than it reads.
//!
//! An MQTT 3.1.1 client cannot tell the broker its limit. The message's head ends the connection before
//! its topic is known. A message that is retained or kept in the session comes again each time. So the
//! next connection discards the session. If that does not help, the following ones skip each set of
//! filters in turn, until the filter with the message is skipped. The other filters work meanwhile.

use intercom_wire::signature::Signature;
use intercom_wire::{Errors, MAX_REQUEST_BYTES, Unreadable};
use tokio::sync::oneshot;

use crate::agent::Delivery;
use crate::decide::{Delivered, Timing, Via};
use crate::record::Route;
use crate::upstream::RouteEvent;

/// What it means to the operators of the panel and the broker.
pub(super) fn in_words(bytes: usize) -> String {
    format!(
        "A message of {bytes} bytes is on one of the panel's topics, and a panel reads at most \
         {MAX_REQUEST_BYTES}; if it is retained, clear it."
    )
}

/// What it means to the agent: a request on the panel's own topics that cannot be read.
pub(super) fn rejected(bytes: usize) -> RouteEvent {
    let errors = Errors::on("body", in_words(bytes));
    let delivery = Delivery {
        request: Err(Unreadable { id: None, errors }),
        delivered: Delivered {
            via: Via::MacTopic,
            timing: Timing::Again,
            signature: Signature::Missing,
            deferrals: 0,
        },
        ack_token: None,
        route: Some(Route::Mqtt),
        offline: false,
    };
    // It cannot be acknowledged, so the agent's answer is not needed.
    let (answer, _) = oneshot::channel();
    RouteEvent::Delivery(Box::new(delivery), answer)
}

/// The panel's own filters: two for requests, one for its presence.
const FILTERS: u8 = 3;

/// The filters that the next connection does not subscribe to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct SkippedFilters {
    /// `None` while no message was too large. Else the session is discarded, and each bit that is set
    /// skips a filter.
    filters: Option<u8>,
}

impl SkippedFilters {
    /// A message was too large: tries the next set. True the first time, and not when the same message
    /// has come once more.
    pub(super) fn try_next(&mut self) -> bool {
        let next = self.filters.map_or(0, |filters| (filters + 1) % (1 << FILTERS));
        self.filters.replace(next).is_none()
    }

    /// The connection ended for another reason: the next one skips nothing. If a filter was skipped, it
    /// still discards the session, since the message may still be there.
    pub(super) fn skip_none(&mut self) {
        self.filters = match self.filters {
            None | Some(0) => None,
            Some(_) => Some(0),
        };
    }

    /// Whether the broker must discard the session with the messages in it.
    pub(super) fn discards_session(self) -> bool {
        self.filters.is_some()
    }

    /// Whether this one of the panel's filters is skipped.
    pub(super) fn skips(self, at: usize) -> bool {
        self.filters.is_some_and(|filters| filters & (1 << at) != 0)
    }

    /// Whether a filter is skipped, so that it must be subscribed to again later.
    pub(super) fn skips_any(self) -> bool {
        !matches!(self.filters, None | Some(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The filters that the next connection subscribes to.
    fn subscribed(skipped: SkippedFilters) -> Vec<usize> {
        (0..FILTERS.into()).filter(|at| !skipped.skips(*at)).collect()
    }

    #[test]
    fn the_first_connection_discards_the_session_and_skips_nothing() {
        let mut skipped = SkippedFilters::default();
        assert!(!skipped.discards_session());
        assert!(skipped.try_next(), "reported");
        assert!(skipped.discards_session() && !skipped.skips_any());
        assert_eq!(subscribed(skipped), [0, 1, 2]);
        skipped.skip_none();
        assert_eq!(skipped, SkippedFilters::default());
    }

    #[test]
    fn any_set_of_filters_with_such_messages_is_found() {
        for poisoned in 0..(1_u8 << FILTERS) - 1 {
            let mut skipped = SkippedFilters::default();
            skipped.try_next();
            let is_poisoned = |skipped: SkippedFilters| {
                subscribed(skipped).iter().any(|at| poisoned & (1 << *at) != 0)
            };
            while is_poisoned(skipped) {
                assert!(!skipped.try_next(), "reported once");
            }
            assert!(!subscribed(skipped).is_empty());
        }
    }

    #[test]
    fn skipped_filters_are_subscribed_to_again_without_the_session() {
        let mut skipped = SkippedFilters::default();
        skipped.try_next();
        skipped.try_next();
        assert!(skipped.skips_any());
        skipped.skip_none();
        assert!(skipped.discards_session() && !skipped.skips_any());
        assert!(!skipped.try_next(), "the same message is not reported again");
    }
}
