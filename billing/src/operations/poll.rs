//! A poll: it shows that the board is there, and is answered with the requests that are offered to it.

use intercom_wire::{Identity, Nonce, RequestBody, SerialNumber};

use super::{Billing, Refusal, forgotten};
use crate::offer::Turn;
use crate::store::macs::Believed;
use crate::store::pending::{Caller, Pending};
use crate::store::seen::{self, Channel, Seen};
use crate::store::{Changed, Snapshot, macs, offers, pending, presence};

/// One poll of a panel.
#[derive(Debug, Clone)]
pub struct Poll {
    /// Who polls.
    pub caller: Caller,
    /// The serial number that it claims.
    pub serial_number: Option<SerialNumber>,
    /// It is in the middle of a change: it claims nothing, and its last claim stays.
    pub changing: bool,
    /// Each request of the answer names it.
    pub nonce: Option<Nonce>,
    /// How often it polls, in milliseconds.
    pub every_ms: i64,
}

impl Billing {
    /// The pending requests that are offered to a polling board.
    ///
    /// # Errors
    /// The database fails.
    pub async fn pending_for(&self, poll: Poll) -> Result<Vec<RequestBody>, Refusal> {
        let (now, rule, believed) = (self.store.now_ms(), self.rule(), self.believed);
        let Poll { caller, serial_number, changing, nonce, every_ms } = poll;
        let claim = Identity { mac: caller.mac, serial_number };
        let seen = Seen {
            board: caller.board.clone(),
            claim: Some(claim).filter(|_| !changing),
            changing,
            channel: Channel::Poll(every_ms),
        };
        let offered = move |snapshot: &Snapshot<'_>| {
            let mut pending = pending::for_caller(snapshot, &caller)?;
            let counts = believed == Believed::FirstSight
                || macs::owner(snapshot, caller.mac)? == Some((caller.board.clone(), true));
            pending.retain(|Pending { waiting, .. }| match rule.turn(waiting, now) {
                // Where no board is known it is meant by its ID. Who claims the new MAC address and
                // has no turn by it is not the door's.
                Turn::Door(None) => counts && waiting.new_mac != Some(caller.mac),
                turn => turn.board() == Some(&caller.board),
            });
            let bodies = pending.into_iter().map(|pending| pending.body);
            Ok::<_, Refusal>(
                bodies.map(|body| RequestBody { nonce: nonce.clone(), ..body }).collect::<Vec<_>>(),
            )
        };
        let (if_known, at) = (offered.clone(), seen.clone());
        // A poll that changes nothing does not wait for the writer.
        let unchanged = self
            .store
            .read(move |snapshot| {
                if !seen::is_known(snapshot, &at, now)?
                    || forgotten::of(snapshot, &at, false, now)?.is_some()
                {
                    return Ok::<_, Refusal>(None);
                }
                let requests = if_known(snapshot)?;
                for request in &requests {
                    if !offers::open(snapshot, &request.request_id)?.contains(&at.board) {
                        return Ok(None);
                    }
                }
                Ok(Some(requests))
            })
            .await?;
        match unchanged {
            Some(requests) => Ok(requests),
            None => {
                self.store
                    .write(move |transaction| {
                        presence::present(transaction, &seen, now, believed)?;
                        if let Some(record) = forgotten::of(transaction, &seen, false, now)? {
                            forgotten::ask_again(transaction, &record, forgotten::BILLING)?;
                        }
                        let requests = offered(transaction)?;
                        for RequestBody { request_id, .. } in &requests {
                            if !offers::open(transaction, request_id)?.contains(&seen.board) {
                                offers::add(transaction, request_id, &seen.board, now)?;
                                transaction.changed(Changed::Request(request_id.clone()));
                            }
                        }
                        Ok(requests)
                    })
                    .await
            }
        }
    }
}
