//! A board's presence on the broker: whether it is there, and what it claims to carry.

use intercom_wire::{BoardName, Presence, PresenceState};

use super::{Billing, Refusal, forgotten};
use crate::offer::ANSWERS_WITHIN_MS;
use crate::store::seen::{Channel, Seen};
use crate::store::{Transaction, boards, presence};

impl Billing {
    /// Keeps the presence of a board; `None` means that it is gone.
    ///
    /// # Errors
    /// The database fails.
    pub async fn on_presence(
        &self,
        board: BoardName,
        presence: Option<Presence>,
    ) -> Result<(), Refusal> {
        let (now, believed) = (self.store.now_ms(), self.believed);
        self.store
            .write(move |transaction| match presence {
                Some(presence) if presence.state == PresenceState::Online => {
                    let (claim, changing) = (presence.claim(), presence.changing);
                    let channel = Channel::Broker(presence.nonce);
                    let seen = Seen { board, claim, changing, channel };
                    presence::present(transaction, &seen, now, believed)?;
                    match forgotten::of(transaction, &seen, presence.new_record, now)? {
                        Some(record) => {
                            forgotten::ask_again(transaction, &record, forgotten::BILLING)?;
                            Ok(())
                        }
                        None => Ok(()),
                    }
                }
                Some(_) | None => Ok(presence::gone(transaction, &board, now)?),
            })
            .await
    }

    /// The link has a new connection to the broker. The boards that were connected have some time to
    /// show themselves again before they count as gone.
    ///
    /// # Errors
    /// The database fails.
    pub async fn on_connect(&self) -> Result<(), Refusal> {
        let now = self.store.now_ms();
        let until_ms = now.saturating_add(ANSWERS_WITHIN_MS);
        let linger = move |transaction: &Transaction<'_>| {
            boards::linger(transaction, until_ms)?;
            Ok::<_, Refusal>(boards::set_since(transaction, now)?)
        };
        self.store.write(linger).await?;
        self.store.set_since_ms(now);
        Ok(())
    }
}
