//! What another board's presence says of a MAC address.

use intercom_wire::{BoardName, Presence, PresenceState};

use crate::decide::Holder;

/// Who has the MAC address whose presence topic holds this, seen from board `own`. A payload that
/// is not a presence proves nothing.
pub(super) fn holder(payload: &[u8], own: &BoardName) -> Holder {
    match Presence::read(payload) {
        Ok(Some(Presence { state: PresenceState::Online, board })) if board != *own => {
            Holder::AnotherBoard(Some(board))
        }
        Ok(_) | Err(_) => Holder::Nobody,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_another_board_that_is_online_has_the_mac() {
        let own: BoardName = "own".parse().expect("a name");
        let holder = |payload: &str| holder(payload.as_bytes(), &own);
        let other = Holder::AnotherBoard("other".parse().ok());
        assert_eq!(holder(r#"{"state":"online","board":"other"}"#), other);
        assert_eq!(holder(r#"{"state":"offline","board":"other"}"#), Holder::Nobody);
        assert_eq!(holder(r#"{"state":"online","board":"own"}"#), Holder::Nobody);
        assert_eq!(holder("online"), Holder::Nobody);
        assert_eq!(holder(""), Holder::Nobody);
    }
}
