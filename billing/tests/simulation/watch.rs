//! What the checks remember: what billing has offered to whom, what it has heard of whom, and what was
//! in its tables after the last step.

use std::collections::{BTreeMap, BTreeSet};

use intercom_wire::{BoardName, Identity, Mac, Nonce, Presence, PresenceState, RequestId};
use rusqlite::{Connection, Row};

/// A board that is connected to the broker is there until further notice.
const UNTIL_FURTHER_NOTICE: i64 = i64::MAX;
/// Who does not answer within this time after a question is not there.
const ANSWERS_WITHIN_MS: i64 = 120_000;
/// How often a board that keeps a request waiting is asked whether it is still there.
const ASKED_EVERY_MS: i64 = 1_800_000;
/// A board that polls counts as there for three of the intervals that it announces.
const POLLS_MS: i64 = 180_000;

#[derive(Debug, Default)]
pub struct Watch {
    pub broken: Vec<String>,
    pub book: Book,
    pub tables: Tables,
    /// Counts the changes that others than its reader have made to the database.
    pub version: i64,
    /// Each request with the boards that it was ever offered to, and when first.
    pub offered: BTreeMap<(RequestId, BoardName), i64>,
    /// The offers over the broker.
    pub offers: BTreeSet<(RequestId, BoardName, String)>,
    /// Until when a board has deferred a request, Unix time in milliseconds.
    pub deferred: BTreeMap<(RequestId, BoardName), i64>,
    /// What was ever reported: the request, the board, what it carried, and the status.
    pub reported: BTreeSet<(RequestId, BoardName, Option<Mac>, Option<String>)>,
    /// How often billing has connected to the broker.
    pub links: u64,
}

impl Watch {
    pub fn broke(&mut self, rule: u8, what: String) {
        // A broken rule is often broken in each step from then on.
        if self.broken.len() < 20 {
            self.broken.push(format!("rule {rule}: {what}"));
        }
    }
}

/// What the boards have said, as billing heard it.
#[derive(Debug, Default)]
pub struct Book {
    /// The broker has taken the question who is there.
    pub has_asked: bool,
    /// Since when boards can show themselves, Unix time in milliseconds.
    pub since_ms: i64,
    pub claims: BTreeMap<BoardName, Claim>,
    /// The MAC addresses that boards ever polled with, if they were theirs.
    pub polled: BTreeSet<(Mac, BoardName)>,
}

#[derive(Debug, Clone)]
pub struct Claim {
    pub identity: Option<Identity>,
    pub changing: bool,
    pub nonce: Option<Nonce>,
    pub since_ms: i64,
    pub until_ms: i64,
    /// When it was asked last because it keeps a request waiting.
    pub asked_ms: i64,
}

impl Book {
    /// Billing has started or connected: boards must show themselves anew.
    pub fn begins_again(&mut self, now_ms: i64) {
        self.has_asked = false;
        self.since_ms = now_ms;
        for claim in self.claims.values_mut() {
            if claim.until_ms == UNTIL_FURTHER_NOTICE {
                claim.until_ms = now_ms + ANSWERS_WITHIN_MS;
                claim.nonce = None;
            }
        }
    }

    /// Billing asks a board by name that keeps a request waiting: its presence may be an old one.
    pub fn asks(&mut self, board: &BoardName, now_ms: i64) {
        if let Some(claim) = self.claims.get_mut(board)
            && claim.until_ms == UNTIL_FURTHER_NOTICE
            && now_ms >= claim.asked_ms + ASKED_EVERY_MS
        {
            claim.asked_ms = now_ms;
            claim.until_ms = now_ms + ANSWERS_WITHIN_MS;
        }
    }

    pub fn presence(&mut self, board: &BoardName, presence: &Presence, now_ms: i64) {
        if presence.state == PresenceState::Offline {
            if let Some(claim) = self.claims.get_mut(board) {
                claim.until_ms = claim.until_ms.min(now_ms);
                claim.nonce = None;
            }
            return;
        }
        let claim = self.claim(board, presence.claim(), UNTIL_FURTHER_NOTICE, now_ms);
        claim.changing = presence.changing;
        claim.nonce = presence.nonce.clone();
    }

    /// In mid-change it claims nothing.
    pub fn poll(&mut self, board: &BoardName, identity: Option<Identity>, now_ms: i64) {
        let changing = identity.is_none();
        let claim = self.claim(board, identity, now_ms + POLLS_MS, now_ms);
        claim.changing = changing;
    }

    fn claim(
        &mut self,
        board: &BoardName,
        identity: Option<Identity>,
        until_ms: i64,
        now_ms: i64,
    ) -> &mut Claim {
        let new = Claim {
            identity: None,
            changing: false,
            nonce: None,
            since_ms: now_ms,
            until_ms: 0,
            asked_ms: 0,
        };
        let claim = self.claims.entry(board.clone()).or_insert(new);
        if claim.until_ms < now_ms {
            claim.since_ms = now_ms;
        }
        if identity.is_some() {
            claim.identity = identity;
        }
        claim.until_ms = claim.until_ms.max(until_ms);
        claim
    }

    /// The boards that claim a MAC address.
    pub fn claiming(&self, mac: Mac) -> impl Iterator<Item = (&BoardName, &Claim)> {
        let claims = move |claim: &Claim| claim.identity.as_ref().is_some_and(|own| own.mac == mac);
        self.claims.iter().filter(move |(_, claim)| claims(claim))
    }
}

impl Claim {
    pub fn is_there(&self, now_ms: i64) -> bool {
        now_ms < self.until_ms
    }

    /// A poll is only written down where it prolongs the presence by half a minute.
    pub fn is_surely_there(&self, now_ms: i64) -> bool {
        now_ms.saturating_add(30_000) < self.until_ms
    }
}

/// Billing's tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tables {
    pub intercoms: BTreeMap<i64, Intercom>,
    pub macs: BTreeMap<Mac, Owner>,
    pub requests: BTreeMap<RequestId, Request>,
    /// The halves of swaps.
    pub swaps: BTreeMap<RequestId, Half>,
    /// The offers that stand.
    pub open: BTreeSet<(RequestId, BoardName)>,
}

/// One of the two requests of a swap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Half {
    /// The intercom whose panel this one gets.
    pub with: i64,
    /// The board that has confirmed it.
    pub confirmed_by: Option<BoardName>,
}

/// Whose a MAC address is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    pub board: BoardName,
    /// The board is or was a door's.
    pub is_of_a_door: bool,
    /// An operator says so.
    pub is_enrolled: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intercom {
    pub confirmed: Identity,
    pub board: Option<BoardName>,
    /// It is a spare's own record.
    pub is_spare: bool,
    pub is_deleted: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub intercom: i64,
    pub seq: i64,
    pub new_mac: Option<Mac>,
    pub new_serial_number: Option<String>,
    pub to: Identity,
    pub state: String,
    pub reason: Option<String>,
    pub asked_ms: i64,
    pub for_the_door: bool,
}

fn parsed<T: std::str::FromStr>(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<T>> {
    let text: Option<String> = row.get(column)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

fn identity(row: &Row<'_>, mac: &str, serial_number: &str) -> rusqlite::Result<Identity> {
    let mac = parsed(row, mac)?.expect("a MAC");
    Ok(Identity { mac, serial_number: parsed(row, serial_number)? })
}

impl Tables {
    pub fn read(database: &Connection) -> rusqlite::Result<Self> {
        let mut tables = Tables::default();
        let mut all = database.prepare_cached("SELECT * FROM intercoms")?;
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            let intercom = Intercom {
                confirmed: identity(row, "confirmed_mac", "confirmed_serial_number")?,
                board: parsed(row, "board")?,
                is_spare: row.get::<_, String>("status")? == "empty",
                is_deleted: row.get::<_, Option<i64>>("deleted_ms")?.is_some(),
            };
            tables.intercoms.insert(row.get("id")?, intercom);
        }
        let mut all = database.prepare_cached("SELECT * FROM macs")?;
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            let board = parsed(row, "board")?.expect("a board");
            let mac = parsed(row, "mac")?.expect("a MAC");
            let owner = Owner {
                board,
                is_of_a_door: row.get("of_a_door")?,
                is_enrolled: row.get("enrolled")?,
            };
            tables.macs.insert(mac, owner);
        }
        let mut all = database.prepare_cached("SELECT * FROM requests")?;
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            let request = Request {
                intercom: row.get("intercom_id")?,
                seq: row.get("seq")?,
                new_mac: parsed(row, "new_mac")?,
                new_serial_number: row.get("new_serial_number")?,
                to: identity(row, "to_mac", "to_serial_number")?,
                state: row.get("state")?,
                reason: row.get("reason")?,
                asked_ms: row.get("asked_ms")?,
                for_the_door: row.get("for_the_door")?,
            };
            tables.requests.insert(parsed(row, "request_id")?.expect("an ID"), request);
        }
        let mut all = database.prepare_cached("SELECT * FROM swaps")?;
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            let half = Half {
                with: row.get("with_intercom")?,
                confirmed_by: parsed(row, "confirmed_by")?,
            };
            tables.swaps.insert(parsed(row, "request_id")?.expect("an ID"), half);
        }
        let mut all = database.prepare_cached("SELECT * FROM offers WHERE is_open = 1")?;
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            let request_id = parsed(row, "request_id")?.expect("an ID");
            tables.open.insert((request_id, parsed(row, "board")?.expect("a board")));
        }
        Ok(tables)
    }

    /// The door that a board belongs to.
    pub fn door_of(&self, board: &BoardName) -> Option<(i64, &Intercom)> {
        let is_its = |intercom: &Intercom| {
            !intercom.is_deleted && !intercom.is_spare && intercom.board.as_ref() == Some(board)
        };
        self.intercoms.iter().find(|(_, intercom)| is_its(intercom)).map(|(id, door)| (*id, door))
    }

    /// Whether an intercom's panel was ever asked to take this MAC address. A swap asks the panel of
    /// the other door, which has it.
    pub fn was_asked_for(&self, intercom: i64, mac: Mac) -> bool {
        self.requests.iter().any(|(request_id, request)| {
            request.intercom == intercom
                && request.to.mac == mac
                && (request.state == "installed" || !self.swaps.contains_key(request_id))
        })
    }

    /// Whether a later request of the same intercom was installed.
    pub fn is_overtaken(&self, request: &Request) -> bool {
        self.requests.values().any(|later| {
            later.intercom == request.intercom
                && later.state == "installed"
                && later.seq > request.seq
        })
    }

    /// Whether its intercom has no later request.
    pub fn is_newest(&self, request: &Request) -> bool {
        let is_later =
            |other: &Request| other.intercom == request.intercom && other.seq > request.seq;
        !self.requests.values().any(is_later)
    }

    /// Whether another live record has any of this identity, or is promised it; also a spare's.
    pub fn is_anothers(&self, but: i64, identity: &Identity) -> bool {
        let is_spares = |(id, other): (&i64, &Intercom)| {
            let same_serial = identity.serial_number.is_some()
                && other.confirmed.serial_number == identity.serial_number;
            *id != but
                && other.is_spare
                && !other.is_deleted
                && (other.confirmed.mac == identity.mac || same_serial)
        };
        self.is_taken(but, identity) || self.intercoms.iter().any(is_spares)
    }

    /// Whether another live door has this identity, or is promised it.
    pub fn is_taken(&self, but: i64, identity: &Identity) -> bool {
        self.intercoms.iter().any(|(id, other)| {
            let same_serial = identity.serial_number.is_some()
                && other.confirmed.serial_number == identity.serial_number;
            *id != but
                && !other.is_deleted
                && !other.is_spare
                && (other.confirmed.mac == identity.mac || same_serial)
        }) || self.requests.values().any(|other| {
            let same_serial = identity.serial_number.is_some()
                && other.to.serial_number == identity.serial_number;
            other.intercom != but
                && other.state == "pending"
                && (other.to.mac == identity.mac || same_serial)
        })
    }
}
