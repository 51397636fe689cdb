//! What was changed since the link last looked. It is enough to find the offers that must change.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
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
    /// Nobody knows what: every open request is looked at.
    Everything,
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

/// A text that names no change.
#[derive(Debug)]
pub struct UnknownChange(String);

/// As it goes from one process to another.
impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Changed::Request(request_id) => write!(f, "request {request_id}"),
            Changed::Intercom(id) => write!(f, "intercom {id}"),
            Changed::Board(board) => write!(f, "board {board}"),
            Changed::Mac(mac) => write!(f, "mac {mac}"),
            Changed::Everything => f.write_str("everything"),
        }
    }
}

impl FromStr for Changed {
    type Err = UnknownChange;

    fn from_str(text: &str) -> Result<Self, UnknownChange> {
        let unknown = || UnknownChange(text.to_owned());
        match text.split_once(' ') {
            Some(("request", id)) => id.parse().map(Changed::Request).map_err(|_| unknown()),
            Some(("intercom", id)) => id.parse().map(Changed::Intercom).map_err(|_| unknown()),
            Some(("board", board)) => board.parse().map(Changed::Board).map_err(|_| unknown()),
            Some(("mac", mac)) => mac.parse().map(Changed::Mac).map_err(|_| unknown()),
            None if text == "everything" => Ok(Changed::Everything),
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for UnknownChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no change: {}", self.0)
    }
}

impl std::error::Error for UnknownChange {}
