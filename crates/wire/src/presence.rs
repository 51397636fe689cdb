//! Presence: which board is there, and what it claims to be, as the board itself says it.

use super::{BoardName, Identity, Mac, Nonce, SerialNumber};
use crate::json::{self, DecodeError};
use crate::{json_object, string_enum};

json_object! {
    /// The retained message on a board's presence topic.
    ///
    /// Only the board is known from the channel; what it carries is a claim.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Presence {
        /// Whether the board is connected.
        pub state: PresenceState,
        /// The board.
        pub board: BoardName,
        /// The MAC address that it carries; absent in mid-change, while it is not known, and from a
        /// last will.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub mac: Option<Mac>,
        /// The serial number that it carries.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub serial_number: Option<SerialNumber>,
        /// Its model.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub model: Option<String>,
        /// Tells this message from the board's earlier ones; absent from a last will, which is
        /// written long before it is sent.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub nonce: Option<Nonce>,
        /// It is in the middle of a change and claims no identity.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        pub changing: bool,
        /// Its record is new: it has forgotten every identity that it was given before.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        pub new_record: bool,
        /// The version of its agent.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub agent: Option<String>,
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
    /// A board that is or is not connected, and claims nothing.
    pub fn of(board: BoardName, state: PresenceState) -> Self {
        Presence {
            state,
            board,
            mac: None,
            serial_number: None,
            model: None,
            nonce: None,
            changing: false,
            new_record: false,
            agent: None,
        }
    }

    /// The identity that the board claims; in mid-change and off line it claims none.
    pub fn claim(&self) -> Option<Identity> {
        if self.changing || self.state == PresenceState::Offline {
            return None;
        }
        let serial_number = self.serial_number.clone();
        self.mac.map(|mac| Identity { mac, serial_number })
    }

    /// Reads a message; an empty one is `None`: nobody is there any more.
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

    fn online() -> Presence {
        Presence {
            mac: "22:0D:CE:38:E7:15".parse().ok(),
            serial_number: "S1".parse().ok(),
            model: Some("3516EV200".to_owned()),
            nonce: Some(Nonce::of(0x0a1b)),
            agent: Some("0.1.0".to_owned()),
            ..Presence::of("b-1".parse().expect("a name"), PresenceState::Online)
        }
    }

    #[test]
    fn a_presence_says_who_is_there_and_what_it_claims() {
        let changing = Presence {
            mac: None,
            serial_number: None,
            model: None,
            changing: true,
            agent: None,
            ..online()
        };
        let gone = Presence::of(online().board, PresenceState::Offline);
        for (presence, payload) in [
            (
                online(),
                r#"{"state":"online","board":"b-1","mac":"22:0D:CE:38:E7:15","serial_number":"S1","model":"3516EV200","nonce":"0000000000000a1b","agent":"0.1.0"}"#,
            ),
            (
                changing,
                r#"{"state":"online","board":"b-1","nonce":"0000000000000a1b","changing":true}"#,
            ),
            (gone, r#"{"state":"offline","board":"b-1"}"#),
        ] {
            assert_eq!(String::from_utf8(presence.payload()).as_deref(), Ok(payload));
            assert_eq!(Presence::read(payload.as_bytes()), Ok(Some(presence)));
        }
    }

    #[test]
    fn a_board_claims_nothing_in_mid_change_or_off_line() {
        let mac = online().mac;
        assert_eq!(online().claim().map(|identity| identity.mac), mac);
        assert_eq!(Presence { changing: true, ..online() }.claim(), None);
        assert_eq!(Presence { state: PresenceState::Offline, ..online() }.claim(), None);
        assert_eq!(Presence { mac: None, ..online() }.claim(), None);
    }

    #[test]
    fn an_empty_message_says_that_nobody_is_there() {
        assert_eq!(Presence::read(b""), Ok(None));
        assert!(Presence::read(b"online").is_err());
        assert!(Presence::read(br#"{"state":"away","board":"b-1"}"#).is_err());
        assert!(Presence::read(br#"{"state":"online","board":"b-1","changing":1}"#).is_err());
    }
}
