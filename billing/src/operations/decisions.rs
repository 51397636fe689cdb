//! What an operator says about boards and requests.

use intercom_wire::{BoardName, Mac, RequestId};

use super::{Billing, Refusal};
use crate::replacement::State;
use crate::store::{macs, requests};

impl Billing {
    /// A MAC address is that board's, whoever was seen with it.
    ///
    /// # Errors
    /// The database fails.
    pub async fn enrol(&self, board: BoardName, mac: Mac) -> Result<(), Refusal> {
        self.store
            .write(move |transaction| {
                Ok(macs::enrol(transaction, mac, &board, transaction.now_ms())?)
            })
            .await
    }

    /// A pending request goes to the door's board, although a known spare has the MAC address.
    ///
    /// # Errors
    /// No such request is pending, or the database fails.
    pub async fn offer_to_the_door(&self, request_id: RequestId) -> Result<(), Refusal> {
        self.store
            .write(move |transaction| match requests::by_id(transaction, &request_id)? {
                Some((_, request)) if request.state == State::Pending => {
                    Ok(requests::set_for_the_door(transaction, &request_id)?)
                }
                _ => Err(Refusal::NotFound),
            })
            .await
    }
}
