//! Presence: what this panel publishes, and what another board's says about a MAC address.

use std::time::Duration;

use intercom_wire::{BoardName, Mac, Presence, PresenceState};
use log::warn;
use tokio::time::Instant;

use crate::agent::seams::ConnectIdentity;
use crate::decide::MacOwner;

/// How often the presence is published again while another board publishes one for the same MAC.
const REPUBLISH_EVERY: Duration = Duration::from_secs(60);

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

    pub(super) fn payload(&self, state: PresenceState) -> Vec<u8> {
        Presence { state, board: self.board.clone() }.payload()
    }

    /// Another payload than this panel's is on its topic. Whether to publish the own one again.
    pub(super) fn overwritten(&mut self, payload: &[u8], now: Instant) -> bool {
        if let MacOwner::AnotherBoard(board) = owner(payload, &self.board) {
            // Two panels would overwrite each other for ever otherwise.
            if self.last_conflict.is_some_and(|at| now < at + REPUBLISH_EVERY) {
                return false;
            }
            self.last_conflict = Some(now);
            let board = board.map_or_else(|| "another".to_owned(), |board| board.to_string());
            warn!("identity conflict: board {board} is on line with {} too", self.mac);
        }
        true
    }
}

/// Who has the MAC address whose presence topic holds this, seen from board `own`. A payload that
/// is not a presence proves nothing.
pub(super) fn owner(payload: &[u8], own: &BoardName) -> MacOwner {
    match Presence::read(payload) {
        Ok(Some(Presence { state: PresenceState::Online, board })) if board != *own => {
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
    fn a_conflict_is_answered_once_a_minute_and_a_stale_presence_always() {
        let (board, mac) = ("own".parse().expect("a name"), "AA:BB:CC:DD:EE:01".parse());
        let mut own = OwnPresence { board, mac: mac.expect("a MAC"), last_conflict: None };
        let (foreign, now) = (br#"{"state":"online","board":"other"}"#, Instant::now());
        assert!(own.overwritten(foreign, now));
        assert!(!own.overwritten(foreign, now + REPUBLISH_EVERY / 2));
        assert!(own.overwritten(&own.payload(PresenceState::Offline), now));
        assert!(own.overwritten(b"", now));
        assert!(own.overwritten(foreign, now + REPUBLISH_EVERY));
    }
}
