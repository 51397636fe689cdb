//! What was changed since the link last looked. It is enough to find the offers that must change.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use intercom_wire::{BoardName, Mac, RequestId};
use tokio::sync::{Notify, watch};

/// Something that offers depend on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Changed {
    /// A request was queued or has ended.
    Request(RequestId),
    /// An intercom is known by another MAC address or another board.
    Intercom(i64),
    /// A board has come or gone, or shows itself anew.
    Board(BoardName),
    /// Other boards claim this MAC address, one that claims it has come or gone, or it is known as a
    /// spare's own no more.
    Mac(Mac),
}

/// What was committed and not taken yet. It is not in the database: a new connection to the broker
/// begins with every open request.
#[derive(Default)]
pub struct Changes {
    untaken: Mutex<BTreeSet<Changed>>,
    wake: Notify,
    /// The same for the webhooks, which look for what is to be delivered themselves.
    webhooks: Notify,
    committed: watch::Sender<()>,
}

impl Changes {
    pub(super) fn add(&self, mut changed: BTreeSet<Changed>) {
        self.committed.send_replace(());
        if !changed.is_empty() {
            self.untaken.lock().unwrap_or_else(PoisonError::into_inner).append(&mut changed);
            self.wake.notify_one();
            self.webhooks.notify_one();
        }
    }

    /// Changes with every commit, whatever it has changed.
    pub fn commits(&self) -> watch::Receiver<()> {
        self.committed.subscribe()
    }

    /// Takes what has changed so far.
    pub fn take(&self) -> BTreeSet<Changed> {
        std::mem::take(&mut self.untaken.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns when something was committed that webhooks may have to be told.
    pub async fn committed(&self) {
        self.webhooks.notified().await;
    }

    /// Returns when something has changed, and may return once when it was taken already.
    pub async fn wait(&self) {
        self.wake.notified().await;
    }
}
