//! A board's presence on the broker: who is there, and under which MAC address.

use intercom_wire::json::{DecodeError, FromJson, Object};
use intercom_wire::{BoardName, Mac};
use serde_json::Value;

use super::{Billing, Refusal};
use crate::clock::now_ms;
use crate::offer::UNTIL_FURTHER_NOTICE;
use crate::store::boards;

/// What a presence topic holds; an empty payload says that nobody has the MAC address any more.
#[derive(Debug)]
pub struct Presence {
    /// Whether the board is connected.
    pub state: Online,
    /// The board.
    pub board: Option<BoardName>,
}

/// Whether a board is connected to the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Online {
    /// It is, until it says otherwise or its last will does.
    Online,
    /// It is not.
    Offline,
}

impl FromJson for Presence {
    fn from_json(value: &Value) -> Result<Self, DecodeError> {
        let presence = Object::of(value)?;
        Ok(Presence { state: presence.field("state")?, board: presence.field("board")? })
    }
}

impl FromJson for Online {
    fn from_json(value: &Value) -> Result<Self, DecodeError> {
        match value.as_str() {
            Some("online") => Ok(Online::Online),
            Some("offline") => Ok(Online::Offline),
            _ => Err(DecodeError::new("must be online or offline")),
        }
    }
}

impl Billing {
    /// Follows a board's presence; `None` says that the MAC address has been given up.
    ///
    /// # Errors
    /// The database fails.
    pub async fn hear(&self, mac: Mac, presence: Option<Presence>) -> Result<(), Refusal> {
        let news = self
            .store
            .run(move |tx| {
                let now = now_ms();
                let board = presence.as_ref().and_then(|presence| presence.board.as_ref());
                Ok::<_, Refusal>(match presence.as_ref().map(|presence| presence.state) {
                    Some(Online::Online) => {
                        boards::present(tx, mac, board, UNTIL_FURTHER_NOTICE, now)?
                    }
                    Some(Online::Offline) | None => boards::gone(tx, mac, board, now)?,
                })
            })
            .await?;
        if news {
            self.wake.notify_one();
        }
        Ok(())
    }
}
