//! Presence: who has a MAC address, as the boards themselves say it on the broker.

use super::{BoardName, Nonce};
use crate::json::{self, DecodeError};
use crate::{json_object, string_enum};

json_object! {
    /// The retained message on a presence topic.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Presence {
        /// Whether the board is connected.
        pub state: PresenceState,
        /// The board.
        pub board: BoardName,
        /// Tells this message from the board's earlier ones; absent from a last will, which is
        /// written long before it is sent.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub nonce: Option<Nonce>,
    }
}

string_enum! {
    /// Whether a board is connected to the broker.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum PresenceState {
        /// It is, until it says otherwise or its last will does.
        Online = "online",
        /// It is not.
        Offline = "offline",
    }
}

impl Presence {
    /// Reads a message; an empty one is `None`: nobody has the MAC address any more.
    ///
    /// # Errors
    /// The message is not a presence.
    pub fn read(payload: &[u8]) -> Result<Option<Self>, DecodeError> {
        (!payload.is_empty()).then(|| json::read(payload)).transpose()
    }

    /// The message; never empty.
    pub fn payload(&self) -> Vec<u8> {
        // Plain strings always become JSON.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_presence_says_who_is_there_and_a_nonce_if_it_has_one() {
        let board: BoardName = "b-1".parse().expect("a name");
        for (nonce, payload) in [
            (None, r#"{"state":"offline","board":"b-1"}"#),
            (
                Some(Nonce::of(0x0a1b)),
                r#"{"state":"offline","board":"b-1","nonce":"0000000000000a1b"}"#,
            ),
        ] {
            let presence = Presence { state: PresenceState::Offline, board: board.clone(), nonce };
            assert_eq!(presence.payload(), payload.as_bytes());
            assert_eq!(Presence::read(payload.as_bytes()), Ok(Some(presence)));
        }
    }

    #[test]
    fn an_empty_message_says_that_nobody_has_the_mac() {
        assert_eq!(Presence::read(b""), Ok(None));
        assert!(Presence::read(b"online").is_err());
        assert!(Presence::read(br#"{"state":"away","board":"b-1"}"#).is_err());
    }
}
