//! A board's presence on the broker: which board is there, and under which MAC address.

use intercom_wire::{Mac, Presence, PresenceState};

use super::{Billing, Refusal};
use crate::clock::now_ms;
use crate::offer::UNTIL_FURTHER_NOTICE;
use crate::store::boards::{self, Seen};

impl Billing {
    /// Keeps a board's presence; `None` means that no board has the MAC address any more.
    ///
    /// # Errors
    /// The database fails.
    pub async fn on_presence(&self, mac: Mac, presence: Option<Presence>) -> Result<(), Refusal> {
        let now = now_ms();
        self.store
            .write(move |transaction| match presence {
                Some(Presence { state: PresenceState::Online, board, .. }) => {
                    let seen = Seen { mac, board: Some(board), until_ms: UNTIL_FURTHER_NOTICE };
                    Ok(boards::present(transaction, &seen, now)?)
                }
                Some(Presence { state: PresenceState::Offline, board, .. }) => {
                    Ok(boards::gone(transaction, mac, Some(&board), now)?)
                }
                None => Ok(boards::gone(transaction, mac, None, now)?),
            })
            .await
    }
}
