//! Presence: what this panel publishes, and what another board's says about a MAC address.

use std::time::Duration;

use intercom_wire::{BoardName, Mac, Nonce, Presence, PresenceState};
use log::warn;
use tokio::time::Instant;

use crate::agent::seams::ConnectIdentity;
use crate::decide::MacOwner;

/// How often the presence is published again while another board publishes one for the same MAC.
const REPUBLISH_EVERY: Duration = Duration::from_secs(60);

/// What is on the presence topic of this panel's MAC address.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum OnOwnTopic {
    /// This panel is on line; with the nonce, which tells which message of it this is.
    Own(Option<Nonce>),
    /// Another board is.
    AnotherBoard(BoardName),
    /// Nobody is, or it is not a presence.
    Nobody,
}

/// This panel's presence on its MAC address's topic, and its defence against another board's.
#[derive(Debug)]
pub(super) struct OwnPresence {
    board: BoardName,
    mac: Mac,
    last_conflict: Option<Instant>,
}

impl OwnPresence {
    pub(super) fn new(identity: &ConnectIdentity) -> Self {
        let (board, mac) = (identity.board.clone(), identity.identity.mac);
        OwnPresence { board, mac, last_conflict: None }
    }

    /// What this panel says while it is connected.
    pub(super) fn online(&self, nonce: &Nonce) -> Vec<u8> {
        self.payload(PresenceState::Online, Some(nonce.clone()))
    }

    /// Its last will.
    pub(super) fn offline(&self) -> Vec<u8> {
        self.payload(PresenceState::Offline, None)
    }

    fn payload(&self, state: PresenceState, nonce: Option<Nonce>) -> Vec<u8> {
        Presence { nonce, ..Presence::of(self.board.clone(), state) }.payload()
    }

    /// Reads what is on this panel's presence topic.
    pub(super) fn read(&self, payload: &[u8]) -> OnOwnTopic {
        match Presence::read(payload) {
            Ok(Some(Presence { state: PresenceState::Online, board, nonce, .. })) => {
                match board == self.board {
                    true => OnOwnTopic::Own(nonce),
                    false => OnOwnTopic::AnotherBoard(board),
                }
            }
            Ok(_) | Err(_) => OnOwnTopic::Nobody,
        }
    }

    /// Whether to publish the own presence again, now that another board has published one.
    pub(super) fn defends_against(&mut self, board: &BoardName, now: Instant) -> bool {
        // Two panels would overwrite each other for ever otherwise.
        if self.last_conflict.is_some_and(|at| now < at + REPUBLISH_EVERY) {
            return false;
        }
        self.last_conflict = Some(now);
        warn!("identity conflict: board {board} is on line with {} too", self.mac);
        true
    }
}

/// Who has the MAC address whose presence topic holds this, seen from board `own`. A payload that
/// is not a presence proves nothing.
pub(super) fn owner(payload: &[u8], own: &BoardName) -> MacOwner {
    match Presence::read(payload) {
        Ok(Some(Presence { state: PresenceState::Online, board, .. })) if board != *own => {
            MacOwner::AnotherBoard(Some(board))
        }
        Ok(_) | Err(_) => MacOwner::Nobody,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_another_board_that_is_online_has_the_mac() {
        let own: BoardName = "own".parse().expect("a name");
        let owner = |payload: &str| owner(payload.as_bytes(), &own);
        let other = MacOwner::AnotherBoard("other".parse().ok());
        assert_eq!(owner(r#"{"state":"online","board":"other"}"#), other);
        assert_eq!(owner(r#"{"state":"offline","board":"other"}"#), MacOwner::Nobody);
        assert_eq!(owner(r#"{"state":"online","board":"own"}"#), MacOwner::Nobody);
        assert_eq!(owner("online"), MacOwner::Nobody);
        assert_eq!(owner(""), MacOwner::Nobody);
    }

    #[test]
    fn a_conflict_is_answered_once_a_minute() {
        let (mut own, other, now) = (own(), "other".parse().expect("a name"), Instant::now());
        assert!(own.defends_against(&other, now));
        assert!(!own.defends_against(&other, now + REPUBLISH_EVERY / 2));
        assert!(own.defends_against(&other, now + REPUBLISH_EVERY));
    }

    #[test]
    fn what_is_on_the_own_topic_is_told_apart() {
        let (own, nonce) = (own(), Nonce::of(1));
        assert_eq!(own.read(&own.online(&nonce)), OnOwnTopic::Own(Some(nonce)));
        assert_eq!(own.read(br#"{"state":"online","board":"own"}"#), OnOwnTopic::Own(None));
        let other = OnOwnTopic::AnotherBoard("other".parse().expect("a name"));
        assert_eq!(own.read(br#"{"state":"online","board":"other","nonce":"1"}"#), other);
        for nobody in [&*own.offline(), b"", b"online"] {
            assert_eq!(own.read(nobody), OnOwnTopic::Nobody);
        }
    }

    fn own() -> OwnPresence {
        let (board, mac) = ("own".parse().expect("a name"), "AA:BB:CC:DD:EE:01".parse());
        OwnPresence { board, mac: mac.expect("a MAC"), last_conflict: None }
    }
}
