//! What another board's presence says of a MAC address.

use intercom_wire::{BoardName, Presence, PresenceState};

use crate::decide::MacOwner;

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
}
