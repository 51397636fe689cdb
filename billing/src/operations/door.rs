//! A door as the page shows it, how it is found, and which requests are old.

use intercom_wire::{BoardName, Mac};

use super::intercom_list::{self, IntercomShown};
use super::requests::{self, RequestShown};
use super::{Billing, Refusal, RequestQuery, find};
use crate::event::BothOnLine;
use crate::offer::ANSWER_MS;
use crate::store::boards::{self, Presence};
use crate::store::hardware::{self, Hardware};
use crate::store::intercom_list::{Filter, Search, page};
use crate::store::intercoms::{self, Name, Record};
use crate::store::{macs, replaced, request_list};

/// How many requests and how much hardware of a door are shown.
const SHOWN: usize = 50;
/// How many intercoms one way to search finds.
const FOUND: usize = 20;
/// How many pending requests are shown as old.
const OLD: i64 = 20;
/// A request that has been pending for this long needs somebody to look, in milliseconds: a board that
/// is there has answered by then, or its request has ended.
const OLD_MS: i64 = ANSWER_MS;

/// A live intercom with all that is known of it.
#[derive(Debug, Clone)]
pub struct Door {
    /// The record.
    pub record: Record,
    /// The board in its place, where it is known.
    pub board: Option<BoardName>,
    /// When that board was there, if it was seen lately.
    pub presence: Option<Presence>,
    /// The boards that were its panels and are on line beside that board.
    pub beside: Vec<BothOnLine>,
    /// Now, Unix time in milliseconds.
    pub now_ms: i64,
    /// Its requests, the newest first.
    pub requests: Vec<RequestShown>,
    /// The hardware that is and was there, the newest first.
    pub hardware: Vec<Hardware>,
}

/// What is found by one word.
#[derive(Debug, Clone)]
pub struct Found {
    /// The intercoms.
    pub intercoms: Vec<IntercomShown>,
    /// There are more that are not here.
    pub may_be_more: bool,
    /// The board whose the MAC address is, where the word is one.
    pub owner: Option<(Mac, BoardName)>,
}

impl Billing {
    /// One door.
    ///
    /// # Errors
    /// Not found, or the database fails.
    pub async fn door(&self, id: i64) -> Result<Door, Refusal> {
        let rule = self.rule();
        self.store
            .read(move |snapshot| {
                let record = find(snapshot, &Name::Id(id))?;
                let board = intercoms::board(snapshot, id)?;
                let presence = board.as_ref().map(|board| boards::presence(snapshot, board));
                let own = request_list::Filter { intercom_id: Some(id), ..Default::default() };
                let listed = request_list::page(snapshot, &own, None, SHOWN)?.request_ids;
                let requests = listed.iter().map(|id| requests::shown(snapshot, rule, id));
                Ok(Door {
                    record,
                    board,
                    presence: presence.transpose()?.flatten(),
                    beside: replaced::at_a_door(snapshot, id, snapshot.now_ms())?,
                    now_ms: snapshot.now_ms(),
                    requests: requests.collect::<Result<_, Refusal>>()?,
                    hardware: hardware::of_an_intercom(snapshot, id, SHOWN as i64)?,
                })
            })
            .await
    }

    /// The intercoms with this word as their number, the beginning of their external ID or of a word of
    /// their title, or, at any time, as their MAC address or serial number.
    ///
    /// # Errors
    /// The database fails.
    pub async fn search(&self, word: &str) -> Result<Found, Refusal> {
        let rule = self.rule();
        let mac: Option<Mac> = word.parse().ok();
        let number: Option<i64> = word.parse().ok();
        let searches: Vec<Search> = match mac {
            Some(mac) => vec![Search::Mac(mac)],
            None => word
                .parse()
                .ok()
                .map(Search::SerialNumber)
                .into_iter()
                .chain([Search::ExternalIdPrefix(word.to_owned()), Search::Title(word.to_owned())])
                .collect(),
        };
        self.store
            .read(move |snapshot| {
                let any = Filter::default();
                let mut found = Vec::new();
                let mut may_be_more = false;
                if let Some(number) = number {
                    found.extend(crate::store::intercom_list::find(snapshot, number, &any)?);
                }
                for search in &searches {
                    let page = page(snapshot, search, &any, None, FOUND)?;
                    may_be_more |= page.next.is_some();
                    for one in page.found {
                        if found.iter().all(|known| known.record.id != one.record.id) {
                            found.push(one);
                        }
                    }
                }
                let owner = mac.map(|mac| macs::owner(snapshot, mac)).transpose()?.flatten();
                let intercoms =
                    found.into_iter().map(|found| intercom_list::shown(snapshot, rule, found));
                Ok(Found {
                    intercoms: intercoms.collect::<Result<_, Refusal>>()?,
                    may_be_more,
                    owner: mac.zip(owner.map(|(board, _)| board)),
                })
            })
            .await
    }

    /// The newest requests.
    ///
    /// # Errors
    /// The database fails.
    pub async fn newest_requests(&self, limit: usize) -> Result<Vec<RequestShown>, Refusal> {
        let newest = RequestQuery { limit, ..RequestQuery::default() };
        Ok(self.requests(newest).await?.requests)
    }

    /// The requests that have been pending for long, the oldest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn pending_for_long(&self) -> Result<Vec<RequestShown>, Refusal> {
        let rule = self.rule();
        self.store
            .read(move |snapshot| {
                let before_ms = snapshot.now_ms() - OLD_MS;
                let old = request_list::oldest_pending(snapshot, before_ms, OLD)?;
                old.iter().map(|id| requests::shown(snapshot, rule, id)).collect()
            })
            .await
    }
}
