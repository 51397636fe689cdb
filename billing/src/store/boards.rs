//! The boards that spoke: what each one claims to carry, and until when it counts as there.

use intercom_wire::{BoardName, Identity, Mac, Nonce};
use rusqlite::{Result, Row, params};

use super::changes::Changed;
use super::column::{parsed, parsed_or_null, text};
use super::statement::statements;
use super::{Snapshot, Transaction, deliveries, doors, macs, replaced};
use crate::event::{Event, What};
use crate::offer::{CONNECTS_AGAIN_WITHIN_MS, Claimant, POLLS_UNTIL_GONE, UNTIL_FURTHER_NOTICE};

/// A presence is written again only if it is prolonged by at least this, to spare the disk.
const WORTH_WRITING_MS: i64 = 30_000;

/// A board that has been gone for this long is forgotten. Its presence tells all of it again when it
/// comes back. Which MAC address it was first seen with is kept for longer.
const FORGOTTEN_AFTER_MS: i64 = 3_600_000;

/// How long two boards count as having one name after they were last seen to. While both are there,
/// they show it all the time.
const TWINS_FOR_MS: i64 = 600_000;

/// Upper bound on the boards that are kept although they are no door's and have no MAC address that an
/// intercom has or is promised. Anybody can make such boards up; one more is served and not
/// remembered.
const MAX_STRANGERS: i64 = 10_000;

/// A board that shows itself.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The board.
    pub board: BoardName,
    /// What it says that it carries. In mid-change it claims nothing, and its last claim stays.
    pub claim: Option<Identity>,
    /// It is in the middle of a change: it is offered nothing until that has ended.
    pub changing: bool,
    /// How it shows itself.
    pub channel: Channel,
}

/// When a board was there. Unix times in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Presence {
    /// Since when.
    pub since_ms: i64,
    /// Until when it counts as there; in the past, when it was seen last.
    pub until_ms: i64,
}

/// How a board shows itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Channel {
    /// It is connected to the broker until it or its last will says otherwise. A request that does
    /// not name the nonce of its presence is worth nothing to it.
    Broker(Option<Nonce>),
    /// It polls, every so many milliseconds.
    Poll(i64),
}

impl Seen {
    /// Until when it counts as there, Unix time in milliseconds.
    fn until(&self, now_ms: i64) -> i64 {
        match self.channel {
            Channel::Broker(_) => UNTIL_FURTHER_NOTICE,
            Channel::Poll(every_ms) => {
                now_ms.saturating_add(every_ms.saturating_mul(POLLS_UNTIL_GONE))
            }
        }
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT mac, serial_number, nonce, changing, present_until_ms, conflict, twins_until_ms,
                conflict IS NULL AND EXISTS (SELECT 1 FROM macs
                    WHERE macs.mac = boards.mac AND poll_ms IS NULL) AS never_polled
             FROM boards ",
            $rest
        )
    };
}

statements! {
    BY_NAME = select!("WHERE board = ?1");
    CLAIMING = "
        SELECT b.*, EXISTS (SELECT 1 FROM intercoms o WHERE o.deleted_ms IS NULL
            AND o.board = b.board AND o.status <> 'empty' AND o.id <> ?2) AS of_another_door
        FROM boards b WHERE b.mac = ?1";
    THERE_SINCE = "
        SELECT present_since_ms FROM boards WHERE board = ?1 AND present_until_ms > ?2";
    PRESENCE = "SELECT present_since_ms, present_until_ms FROM boards WHERE board = ?1";
    NONCE = "SELECT nonce FROM boards WHERE board = ?1 AND nonce IS NOT NULL";
    TWINS = "SELECT twins_until_ms FROM boards WHERE board = ?1 AND twins_until_ms IS NOT NULL";
    IS_CHANGING = "SELECT EXISTS (SELECT 1 FROM boards WHERE board = ?1 AND changing = 1)";
    FORGET = "DELETE FROM boards WHERE present_until_ms < ?1";
    IS_OF_AN_INTERCOM = "
        SELECT EXISTS (SELECT 1 FROM intercoms WHERE deleted_ms IS NULL AND confirmed_mac = ?1)
            OR EXISTS (SELECT 1 FROM intercoms WHERE deleted_ms IS NULL AND desired_mac = ?1)";
    STRANGERS = "SELECT count(*) FROM boards WHERE stranger = 1";
    SET_STRANGER = "UPDATE boards SET stranger = ?2 WHERE board = ?1 AND stranger <> ?2";
    KEEP = "
        INSERT INTO boards (board, mac, serial_number, nonce, conflict, present_since_ms,
            present_until_ms, stranger, changing, twins_until_ms)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        ON CONFLICT (board) DO UPDATE SET
            mac = excluded.mac, serial_number = excluded.serial_number, nonce = excluded.nonce,
            conflict = excluded.conflict, changing = excluded.changing,
            twins_until_ms = coalesce(excluded.twins_until_ms, twins_until_ms),
            present_since_ms = CASE WHEN present_until_ms < ?6
                THEN excluded.present_since_ms ELSE present_since_ms END,
            present_until_ms = max(excluded.present_until_ms, present_until_ms)";
    BELIEVE = "
        UPDATE boards SET conflict = CASE WHEN board = ?2 THEN NULL ELSE ?3 END WHERE mac = ?1";
    IS_FREE = "UPDATE boards SET conflict = NULL WHERE mac = ?1 AND conflict = ?2";
    SET_CONFLICT = "UPDATE boards SET conflict = ?2 WHERE board = ?1 AND conflict IS NOT ?2";
    HAS_TWINS = "UPDATE boards SET twins_until_ms = ?2 WHERE board = ?1";
    GONE = "
        UPDATE boards SET present_until_ms = ?2, nonce = NULL
        WHERE board = ?1 AND present_until_ms > ?2";
    ASKED_MS = "SELECT asked_ms FROM boards WHERE board = ?1";
    ASK = "
        UPDATE boards SET asked_ms = ?2, present_until_ms = ?3
        WHERE board = ?1 AND present_until_ms = ?4";
    LINGER = "
        UPDATE boards SET present_until_ms = ?1, nonce = NULL WHERE present_until_ms = ?2";
}

/// What is known of a board.
struct Known {
    claim: Option<Identity>,
    nonce: Option<Nonce>,
    changing: bool,
    until_ms: i64,
    conflict: Option<String>,
    twins_until_ms: Option<i64>,
    /// Its MAC address is its own, and was only seen on the broker yet.
    never_polled: bool,
}

impl Known {
    fn read(row: &Row<'_>) -> Result<Self> {
        let serial_number = parsed_or_null(row, "serial_number")?;
        let mac: Option<Mac> = parsed_or_null(row, "mac")?;
        Ok(Known {
            claim: mac.map(|mac| Identity { mac, serial_number }),
            nonce: parsed_or_null(row, "nonce")?,
            changing: row.get("changing")?,
            until_ms: row.get("present_until_ms")?,
            conflict: row.get("conflict")?,
            twins_until_ms: row.get("twins_until_ms")?,
            never_polled: row.get("never_polled")?,
        })
    }

    /// Whether what is said now may come from another board with the same name: another MAC address,
    /// which this one did not say that it is changing to, or that nobody asked it to take. The broker
    /// lets only one of them in at a time.
    fn is_of_another_board(&self, seen: &Seen, is_unasked: bool) -> bool {
        let other_mac = match (&self.claim, &seen.claim) {
            (Some(before), Some(now)) => before.mac != now.mac,
            _ => false,
        };
        other_mac && matches!(seen.channel, Channel::Broker(_)) && (is_unasked || !self.changing)
    }

    /// Whether what the board says now is known already, and it is known to be there for about as
    /// long.
    fn has(&self, seen: &Seen, now_ms: i64) -> bool {
        let same_claim = seen.claim.is_none() || seen.claim == self.claim;
        let same_channel = match &seen.channel {
            Channel::Broker(nonce) => *nonce == self.nonce,
            // How long a replacement has to show up depends on whether it polls.
            Channel::Poll(_) => !self.never_polled,
        };
        let prolonged = seen.until(now_ms).saturating_sub(self.until_ms) >= WORTH_WRITING_MS;
        let same_phase = seen.changing == self.changing;
        same_claim && same_channel && same_phase && self.until_ms >= now_ms && !prolonged
    }
}

fn known(snapshot: &Snapshot<'_>, board: &BoardName) -> Result<Option<Known>> {
    snapshot.first(BY_NAME, [board.as_str()], Known::read)
}

/// What a board said last that it carries; in mid-change, what it carried before.
pub fn claim(snapshot: &Snapshot<'_>, board: &BoardName) -> Result<Option<Identity>> {
    Ok(known(snapshot, board)?.and_then(|known| known.claim))
}

/// Whether [`present`] would change nothing.
pub fn is_known(snapshot: &Snapshot<'_>, seen: &Seen, now_ms: i64) -> Result<bool> {
    Ok(known(snapshot, &seen.board)?.is_some_and(|known| known.has(seen, now_ms)))
}

/// A board is there. Its claim is believed if the MAC address is its own: see [`macs`].
pub fn present(
    transaction: &Transaction<'_>,
    seen: &Seen,
    now_ms: i64,
    rule: macs::Believed,
) -> Result<()> {
    let known = known(transaction, &seen.board)?;
    if known.as_ref().is_some_and(|known| known.has(seen, now_ms)) {
        return Ok(());
    }
    let door = doors::of_board(transaction, &seen.board)?;
    let before = known.as_ref().and_then(|known| known.claim.clone());
    let claim = seen.claim.as_ref().or(before.as_ref());
    if let (Some(known), Some(before)) = (&known, &before)
        && claim != Some(before)
    {
        let until_ms = known.until_ms.min(now_ms);
        macs::seen_until(transaction, before.mac, &seen.board, until_ms)?;
    }
    let conflict = match claim {
        Some(claim) => macs::conflict(transaction, rule, &seen.board, claim.mac, door.as_ref())?,
        None => None,
    };
    let conflict = conflict.map(|conflict| conflict.to_string());
    let is_wanted = match claim {
        Some(claim) if conflict.is_none() => is_of_an_intercom(transaction, claim.mac)?,
        _ => false,
    };
    let twins_ms = match &known {
        Some(known) if !is_wanted && known.is_of_another_board(seen, conflict.is_some()) => {
            match known.twins_until_ms >= Some(now_ms) {
                true => {
                    tracing::warn!(
                        "two boards have the name {}: it claims MAC addresses in turn",
                        seen.board
                    );
                    Some(TWINS_FOR_MS)
                }
                // The other one of them comes back within this time, if there is another one.
                false => Some(CONNECTS_AGAIN_WITHIN_MS),
            }
        }
        Some(_) | None => None,
    };
    let stranger = door.is_none() && !is_wanted;
    if known.is_none() {
        transaction.execute(FORGET, [now_ms.saturating_sub(FORGOTTEN_AFTER_MS)])?;
        if stranger && strangers(transaction)? >= MAX_STRANGERS {
            return Ok(());
        }
    }
    let comes_back = known.as_ref().is_none_or(|known| known.until_ms < now_ms);
    let nonce = match &seen.channel {
        Channel::Broker(nonce) => nonce.as_ref(),
        Channel::Poll(_) => known.as_ref().and_then(|known| known.nonce.as_ref()),
    };
    transaction.execute(
        KEEP,
        params![
            seen.board.as_str(),
            text(claim.map(|claim| &claim.mac)),
            text(claim.and_then(|claim| claim.serial_number.as_ref())),
            text(nonce),
            conflict,
            now_ms,
            seen.until(now_ms),
            stranger,
            seen.changing,
            twins_ms.map(|for_ms| now_ms.saturating_add(for_ms)),
        ],
    )?;
    transaction.changed(Changed::Board(seen.board.clone()));
    for claim in [before.as_ref(), claim].into_iter().flatten() {
        transaction.changed(Changed::Mac(claim.mac));
    }
    if let Some(claim) = claim
        && (comes_back || before.as_ref() != Some(claim))
    {
        tell_conflict(transaction, &seen.board, claim.mac, conflict.as_deref())?;
    }
    match (claim, &conflict) {
        (Some(claim), None) => {
            let poll_ms = match seen.channel {
                Channel::Poll(every_ms) => Some(every_ms),
                Channel::Broker(_) => None,
            };
            macs::seen(transaction, claim.mac, &seen.board, poll_ms, is_wanted, now_ms)?;
            if door.is_none() && macs::give_back(transaction, claim.mac, &seen.board)? > 0 {
                tracing::warn!("board {} claims one MAC address after another", seen.board);
                let until_ms = now_ms.saturating_add(TWINS_FOR_MS);
                transaction.execute(HAS_TWINS, params![seen.board.as_str(), until_ms])?;
            }
            doors::adopt_at(transaction, claim.mac, rule)
        }
        (Some(claim), Some(conflict)) => {
            if known.and_then(|known| known.conflict).as_ref() != Some(conflict) {
                tracing::warn!("board {} claims {}: {conflict}", seen.board, claim.mac);
            }
            Ok(())
        }
        (None, _) => Ok(()),
    }
}

/// A board comes, or claims another MAC address, and is not alone with it or at its door.
fn tell_conflict(
    transaction: &Transaction<'_>,
    board: &BoardName,
    mac: Mac,
    conflict: Option<&str>,
) -> Result<()> {
    let both = replaced::is_back(transaction, board, mac)?;
    let text = match (&both, conflict) {
        (Some(both), _) => both.to_string(),
        (None, Some(conflict)) => format!("Board {board} claims {mac}: {conflict}."),
        (None, None) => return Ok(()),
    };
    let door = match &both {
        Some(both) => Some(both.intercom_id),
        None => doors::of_board(transaction, board)?.map(|door| door.intercom_id),
    };
    let what = What::Conflict { board: board.clone(), mac, text };
    deliveries::add(transaction, &Event { intercom_id: door, what })
}

/// Whether a live intercom has this MAC address or is promised it.
fn is_of_an_intercom(snapshot: &Snapshot<'_>, mac: Mac) -> Result<bool> {
    snapshot.one(IS_OF_AN_INTERCOM, [mac.to_string()], |row| row.get(0))
}

/// Since when a board has been there; `None` if it is not.
pub fn there_since(snapshot: &Snapshot<'_>, board: &BoardName, now_ms: i64) -> Result<Option<i64>> {
    snapshot.first(THERE_SINCE, params![board.as_str(), now_ms], |row| row.get(0))
}

/// When a board was there last; `None` if it is not remembered.
pub fn presence(snapshot: &Snapshot<'_>, board: &BoardName) -> Result<Option<Presence>> {
    snapshot.first(PRESENCE, [board.as_str()], |row| {
        Ok(Presence { since_ms: row.get(0)?, until_ms: row.get(1)? })
    })
}

/// Whether a board has said that it is in the middle of a change.
pub fn is_changing(snapshot: &Snapshot<'_>, board: &BoardName) -> Result<bool> {
    snapshot.one(IS_CHANGING, [board.as_str()], |row| row.get(0))
}

/// Until when two boards count as having this name, if they ever had.
pub fn twins_until(snapshot: &Snapshot<'_>, board: &BoardName) -> Result<Option<i64>> {
    snapshot.first(TWINS, [board.as_str()], |row| row.get("twins_until_ms"))
}

/// The nonce of a board's presence on the broker; `None` if it has not shown itself there.
pub fn nonce(snapshot: &Snapshot<'_>, board: &BoardName) -> Result<Option<Nonce>> {
    snapshot.first(NONCE, [board.as_str()], |row| parsed(row, "nonce"))
}

fn strangers(snapshot: &Snapshot<'_>) -> Result<i64> {
    snapshot.one(STRANGERS, [], |row| row.get(0))
}

/// A board is a door's now, or is one no more.
pub(super) fn set_stranger(
    transaction: &Transaction<'_>,
    board: &BoardName,
    stranger: bool,
) -> Result<()> {
    transaction.execute(SET_STRANGER, params![board.as_str(), stranger])?;
    Ok(())
}

/// A MAC address is this board's now: its claim is believed, and no other's.
pub(super) fn believe(transaction: &Transaction<'_>, mac: Mac, board: &BoardName) -> Result<()> {
    let of_another = macs::Conflict::OfAnother(board.clone()).to_string();
    transaction.execute(BELIEVE, params![mac.to_string(), board.as_str(), of_another])?;
    transaction.changed(Changed::Mac(mac));
    Ok(())
}

/// A MAC address is this board's no more: whoever claims it counts again.
pub(super) fn is_free(transaction: &Transaction<'_>, mac: Mac, board: &BoardName) -> Result<()> {
    let of_another = macs::Conflict::OfAnother(board.clone()).to_string();
    transaction.execute(IS_FREE, params![mac.to_string(), of_another])?;
    transaction.changed(Changed::Mac(mac));
    Ok(())
}

/// A board has lost its door: what it was only believed because of that door counts no more, and what
/// it carries unasked may be its own.
pub(super) fn judge_anew(
    transaction: &Transaction<'_>,
    board: &BoardName,
    rule: macs::Believed,
) -> Result<()> {
    let Some(claim) = known(transaction, board)?.and_then(|known| known.claim) else {
        return Ok(());
    };
    let door = doors::of_board(transaction, board)?;
    let conflict = macs::conflict(transaction, rule, board, claim.mac, door.as_ref())?;
    let conflict = conflict.map(|conflict| conflict.to_string());
    if transaction.execute(SET_CONFLICT, params![board.as_str(), conflict])? > 0 {
        transaction.changed(Changed::Mac(claim.mac));
    }
    Ok(())
}

/// A board has left the broker.
pub fn gone(transaction: &Transaction<'_>, board: &BoardName, now_ms: i64) -> Result<()> {
    let claim = known(transaction, board)?.and_then(|known| known.claim);
    if transaction.execute(GONE, params![board.as_str(), now_ms])? > 0 {
        transaction.changed(Changed::Board(board.clone()));
        if let Some(claim) = claim {
            macs::seen_until(transaction, claim.mac, board, now_ms)?;
            transaction.changed(Changed::Mac(claim.mac));
        }
    }
    Ok(())
}

/// When a board was last asked whether it is still there, Unix time in milliseconds.
pub fn asked_ms(snapshot: &Snapshot<'_>, board: &BoardName) -> Result<i64> {
    Ok(snapshot.first(ASKED_MS, [board.as_str()], |row| row.get(0))?.unwrap_or(0))
}

/// A board that is connected to the broker is asked whether it is still there: its presence may be an
/// old one that the broker has brought back. It counts as there until then unless it shows itself
/// again. False if it is not connected to the broker, or is asked already.
pub fn ask(
    transaction: &Transaction<'_>,
    board: &BoardName,
    now_ms: i64,
    until_ms: i64,
) -> Result<bool> {
    let asked = params![board.as_str(), now_ms, until_ms, UNTIL_FURTHER_NOTICE];
    Ok(transaction.execute(ASK, asked)? > 0)
}

/// Boards that were connected to the broker count as there until then, and must show themselves
/// anew.
pub fn linger(transaction: &Transaction<'_>, until_ms: i64) -> Result<()> {
    transaction.execute(LINGER, [until_ms, UNTIL_FURTHER_NOTICE])?;
    Ok(())
}

/// The boards that claim a MAC address, seen from this intercom.
pub fn claiming(snapshot: &Snapshot<'_>, mac: Mac, intercom_id: i64) -> Result<Vec<Claimant>> {
    snapshot.all(CLAIMING, params![mac.to_string(), intercom_id], |row| {
        Ok(Claimant {
            board: parsed(row, "board")?,
            serial_number: parsed_or_null(row, "serial_number")?,
            until_ms: row.get("present_until_ms")?,
            is_believed: row.get::<_, Option<String>>("conflict")?.is_none(),
            is_of_another_door: row.get("of_another_door")?,
        })
    })
}
