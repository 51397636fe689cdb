//! What panels say to each other is never retained. A board could fill the broker's room for retained
//! messages otherwise, with one MAC address after another, and there would be none for the presence of
//! the other boards.

use std::pin::Pin;

use mqtt5::broker::events::{BrokerEventHandler, ClientPublishEvent, PublishAction};

/// Takes messages that ask for it, and passes them on to nobody.
pub(super) struct NeverRetained;

impl BrokerEventHandler for NeverRetained {
    fn on_client_publish<'a>(
        &'a self,
        event: ClientPublishEvent,
    ) -> Pin<Box<dyn Future<Output = PublishAction> + Send + 'a>> {
        let is_refused = event.retain && is_between_panels(&event.topic);
        Box::pin(async move {
            if is_refused { PublishAction::Handled } else { PublishAction::Continue }
        })
    }
}

/// Whether panels ask and answer each other there, who has a MAC address.
pub(super) fn is_between_panels(topic: &str) -> bool {
    let mut levels = topic.split('/').skip(2);
    matches!(levels.next(), Some("who" | "here"))
}
