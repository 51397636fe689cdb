//! Presence: what this panel says of itself while it is connected, and in its last will.

use intercom_wire::{BoardName, Nonce, Presence, PresenceState};

use crate::agent::seams::ConnectIdentity;

/// What this panel says while it is connected. In mid-change, and while its MAC address is not known to
/// be its own, it claims nothing.
pub(super) fn online(connect_as: &ConnectIdentity, nonce: &Nonce) -> Vec<u8> {
    let is_changing = connect_as.changing_from.is_some();
    let claim = Some(connect_as).filter(|_| !is_changing && connect_as.has_mac);
    let presence = Presence {
        mac: claim.map(|claim| claim.identity.mac),
        serial_number: claim.and_then(|claim| claim.identity.serial_number.clone()),
        model: connect_as.model.clone(),
        nonce: Some(nonce.clone()),
        changing: is_changing,
        new_record: connect_as.new_record,
        agent: Some(env!("CARGO_PKG_VERSION").to_owned()),
        ..Presence::of(connect_as.board.clone(), PresenceState::Online)
    };
    presence.payload()
}

/// Its last will.
pub(super) fn offline(board: &BoardName) -> Vec<u8> {
    Presence::of(board.clone(), PresenceState::Offline).payload()
}

/// What a look at the way says there. It has no known state, so that nobody takes it for the panel's own
/// word: a daemon may run and be connected.
pub(super) fn of_look(board: &BoardName) -> Vec<u8> {
    serde_json::json!({"state": "netcheck", "board": board}).to_string().into_bytes()
}

/// What is on this panel's presence topic.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum OnOwnTopic {
    /// The panel is on line; with the nonce, which tells which message of it this is.
    Online(Option<Nonce>),
    /// An earlier last will, or nothing that the panel says.
    Other,
}

impl OnOwnTopic {
    pub(super) fn read(payload: &[u8], own: &BoardName) -> Self {
        match Presence::read(payload) {
            Ok(Some(Presence { state: PresenceState::Online, board, nonce, .. }))
                if board == *own =>
            {
                OnOwnTopic::Online(nonce)
            }
            Ok(_) | Err(_) => OnOwnTopic::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::seams::ConnectIdentity;
    use intercom_wire::Identity;

    fn connect_as() -> ConnectIdentity {
        let mac = "AA:BB:CC:DD:EE:01".parse().expect("a MAC");
        ConnectIdentity {
            identity: Identity { mac, serial_number: "S-1".parse().ok() },
            board: "own".parse().expect("a name"),
            id: None,
            model: Some("M-1".to_owned()),
            has_mac: true,
            changing_from: None,
            new_record: false,
        }
    }

    fn claim(connect_as: &ConnectIdentity) -> Option<Identity> {
        let said = Presence::read(&online(connect_as, &Nonce::of(1))).expect("a presence");
        said.expect("not empty").claim()
    }

    #[test]
    fn a_claim_is_what_the_board_carries_for_good() {
        let own = connect_as();
        assert_eq!(claim(&own), Some(own.identity.clone()));
        let changing_from = Some(own.identity.mac);
        assert_eq!(claim(&ConnectIdentity { changing_from, ..own.clone() }), None);
        assert_eq!(claim(&ConnectIdentity { has_mac: false, ..own }), None);
    }

    #[test]
    fn a_look_says_nothing_about_the_panel() {
        assert!(Presence::read(&of_look(&connect_as().board)).is_err());
    }

    #[test]
    fn what_is_on_the_own_topic_is_told_apart() {
        let (own, nonce) = (connect_as(), Nonce::of(1));
        let read = |payload: &[u8]| OnOwnTopic::read(payload, &own.board);
        assert_eq!(read(&online(&own, &nonce)), OnOwnTopic::Online(Some(nonce)));
        assert_eq!(read(br#"{"state":"online","board":"own"}"#), OnOwnTopic::Online(None));
        for other in [
            &*offline(&own.board),
            &*of_look(&own.board),
            b"",
            b"online",
            br#"{"state":"online","board":"other"}"#,
        ] {
            assert_eq!(read(other), OnOwnTopic::Other);
        }
    }
}
