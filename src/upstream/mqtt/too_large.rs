//! Getting past a message that is larger than a panel reads.
//!
//! MQTT 3.1.1 has no way to tell the broker a limit. The message's head ends the connection before its
//! topic is known, and a message that is retained or kept in the session comes again each time. So the
//! next connection forgets the session; if that does not help, the filters are left out in turn, until
//! the one with the message is among them. The others are heard meanwhile.

use intercom_wire::signature::Signature;
use intercom_wire::{Errors, MAX_REQUEST_BYTES, Unreadable};
use tokio::sync::oneshot;

use crate::agent::Delivery;
use crate::decide::{Delivered, Timing, Via};
use crate::record::Route;
use crate::upstream::RouteEvent;

/// What it is to the people who look after the panel and the broker.
pub(super) fn in_words(bytes: usize) -> String {
    format!(
        "A message of {bytes} bytes is on one of the panel's topics, and a panel reads at most \
         {MAX_REQUEST_BYTES}; if it is retained, clear it."
    )
}

/// What it is to the agent: something on the panel's own topics that cannot be read.
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
    // It does not come again, whatever becomes of it.
    let (answer, _) = oneshot::channel();
    RouteEvent::Delivery(Box::new(delivery), answer)
}

/// The panel's own filters: two for requests, one for its presence.
const FILTERS: u8 = 3;

/// What the next connection does without.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct SkippedFilters {
    /// While getting past a message: a bit for each filter that is left out.
    filters: Option<u8>,
}

impl SkippedFilters {
    /// A message was too large. Whether that is news, and not the same message once more.
    pub(super) fn met_one(&mut self) -> bool {
        let next = self.filters.map_or(0, |filters| (filters + 1) % (1 << FILTERS));
        self.filters.replace(next).is_none()
    }

    /// The connection ended for another reason: all is heard again, but with care if something was
    /// left out, since the message may still be there.
    pub(super) fn look_again(&mut self) {
        self.filters = match self.filters {
            None | Some(0) => None,
            Some(_) => Some(0),
        };
    }

    /// Whether the broker shall forget the session, and what it keeps in it.
    pub(super) fn the_session(self) -> bool {
        self.filters.is_some()
    }

    /// Whether this one of the panel's filters is left out.
    pub(super) fn filter(self, at: usize) -> bool {
        self.filters.is_some_and(|filters| filters & (1 << at) != 0)
    }

    /// Whether something is left out that should be heard again in time.
    pub(super) fn anything(self) -> bool {
        !matches!(self.filters, None | Some(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The filters that the next connection subscribes to.
    fn subscribed(skipped: SkippedFilters) -> Vec<usize> {
        (0..FILTERS.into()).filter(|at| !skipped.filter(*at)).collect()
    }

    #[test]
    fn first_the_session_is_forgotten_and_nothing_else() {
        let mut skipped = SkippedFilters::default();
        assert!(!skipped.the_session());
        assert!(skipped.met_one(), "that is news");
        assert!(skipped.the_session() && !skipped.anything());
        assert_eq!(subscribed(skipped), [0, 1, 2]);
        skipped.look_again();
        assert_eq!(skipped, SkippedFilters::default());
    }

    #[test]
    fn any_set_of_filters_with_such_messages_is_got_past() {
        for poisoned in 0..(1_u8 << FILTERS) - 1 {
            let mut skipped = SkippedFilters::default();
            skipped.met_one();
            let meets = |skipped: SkippedFilters| {
                subscribed(skipped).iter().any(|at| poisoned & (1 << *at) != 0)
            };
            while meets(skipped) {
                assert!(!skipped.met_one(), "told once");
            }
            assert!(!subscribed(skipped).is_empty());
        }
    }

    #[test]
    fn what_was_left_out_is_heard_again_with_care() {
        let mut skipped = SkippedFilters::default();
        skipped.met_one();
        skipped.met_one();
        assert!(skipped.anything());
        skipped.look_again();
        assert!(skipped.the_session() && !skipped.anything());
        assert!(!skipped.met_one(), "the same message is no news");
    }
}
