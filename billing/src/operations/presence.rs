//! A board's presence on the broker: who is there, and under which MAC address.

use intercom_wire::{Mac, Presence, PresenceState};

use super::{Billing, Refusal};
use crate::clock::now_ms;
use crate::offer::UNTIL_FURTHER_NOTICE;
use crate::store::boards;

impl Billing {
    /// Keeps a board's presence; `None` says that nobody has the MAC address any more.
    ///
    /// # Errors
    /// The database fails.
    pub async fn on_presence(&self, mac: Mac, presence: Option<Presence>) -> Result<(), Refusal> {
        let news = self
            .store
            .run(move |tx| {
                let now = now_ms();
                let board = presence.as_ref().map(|presence| &presence.board);
                Ok::<_, Refusal>(match presence.as_ref().map(|presence| presence.state) {
                    Some(PresenceState::Online) => {
                        boards::present(tx, mac, board, UNTIL_FURTHER_NOTICE, now)?
                    }
                    Some(PresenceState::Offline) | None => boards::gone(tx, mac, board, now)?,
                })
            })
            .await?;
        if news {
            self.wake.notify_one();
        }
        Ok(())
    }
}
