//! Presence: who has a MAC address, as the boards themselves tell it on the broker.

use intercom_wire::json::{self};
use intercom_wire::{BoardName, json_object, string_enum};

use crate::decide::Holder;

json_object! {
    /// The retained value of a presence topic.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Presence {
        /// Whether the board is connected.
        pub state: State,
        /// Which board.
        pub board: BoardName,
    }
}

string_enum! {
    /// Whether a board is connected.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum State {
        /// It is.
        Online = "online",
        /// It was.
        Offline = "offline",
    }
}

impl Presence {
    pub(super) fn payload(&self) -> Vec<u8> {
        // Two plain strings always become JSON; an empty payload would clear the topic instead.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Who has the MAC address whose presence topic holds this, seen from board `own`. What is not
    /// a presence proves nothing.
    pub(super) fn holder(payload: &[u8], own: &BoardName) -> Holder {
        match json::read(payload) {
            Ok(Presence { state: State::Online, board }) if board != *own => {
                Holder::AnotherBoard(Some(board))
            }
            Ok(_) | Err(_) => Holder::Nobody,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_another_board_that_is_online_has_the_mac() {
        let own: BoardName = "own".parse().expect("a name");
        let holder = |payload: &str| Presence::holder(payload.as_bytes(), &own);
        let other = Holder::AnotherBoard("other".parse().ok());
        assert_eq!(holder(r#"{"state":"online","board":"other"}"#), other);
        assert_eq!(holder(r#"{"state":"offline","board":"other"}"#), Holder::Nobody);
        assert_eq!(holder(r#"{"state":"online","board":"own"}"#), Holder::Nobody);
        assert_eq!(holder("online"), Holder::Nobody);
        assert_eq!(holder(""), Holder::Nobody);
    }

    #[test]
    fn a_presence_is_two_words() {
        let presence = Presence { state: State::Offline, board: "b-1".parse().expect("a name") };
        assert_eq!(presence.payload(), br#"{"state":"offline","board":"b-1"}"#);
    }
}
