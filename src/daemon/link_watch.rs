//! Notices at once what happens to the panel's link.

use std::future;

use log::warn;
use nix::net::if_::if_nametoindex;

use crate::panel::Panel;
use crate::sys::link_events::LinkEvents;

/// The kernel's messages about one interface.
#[derive(Debug)]
pub(super) struct LinkWatch {
    interface: String,
    /// None of a sandboxed board, whose link is a file, or if the kernel tells nothing.
    events: Option<LinkEvents>,
}

impl LinkWatch {
    /// From now on. Without the kernel's messages the link is still looked at whenever upstream is
    /// reached or lost.
    pub(super) fn new(panel: &Panel) -> Self {
        let interface = panel.settings.interface.clone();
        let events =
            (!panel.root.is_sandbox()).then(LinkEvents::open).transpose().unwrap_or_else(|why| {
                warn!("what other software does to {interface} is noticed late: {why}");
                None
            });
        LinkWatch { interface, events }
    }

    /// Ends when something has happened to the link. Nothing is lost if it is dropped before.
    pub(super) async fn changed(&mut self) {
        while let Some(events) = &self.events {
            // An interface that is not there has no index, and none is 0.
            let index = || if_nametoindex(self.interface.as_str()).unwrap_or(0);
            match events.next_is_about(index).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(why) => {
                    warn!("the kernel's messages about links cannot be read any more: {why}");
                    self.events = None;
                }
            }
        }
        future::pending().await
    }
}
