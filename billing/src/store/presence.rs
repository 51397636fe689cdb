//! A board shows itself, or goes.

use intercom_wire::{BoardName, Mac};

use super::changes::Changed;
use super::column::text;
use super::engine::params;
use super::macs::Believed;
use super::seen::{self, Channel, Seen};
use super::statement::statements;
use super::{Result, Snapshot, Transaction, boards, deliveries, doors, macs, replaced};
use crate::event::{Event, What};
use crate::offer::CONNECTS_AGAIN_WITHIN_MS;

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

statements! {
    FORGET = "DELETE FROM boards WHERE present_until_ms < ?1";
    IS_OF_AN_INTERCOM = "
        SELECT EXISTS (SELECT 1 FROM intercoms WHERE deleted_ms IS NULL AND confirmed_mac = ?1)
            OR EXISTS (SELECT 1 FROM intercoms WHERE deleted_ms IS NULL AND desired_mac = ?1)";
    STRANGERS = "SELECT count(*) FROM boards WHERE stranger = 1";
    KEEP = "
        INSERT INTO boards (board, mac, serial_number, nonce, conflict, present_since_ms,
            present_until_ms, stranger, changing, twins_until_ms)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        ON CONFLICT (board) DO UPDATE SET
            mac = excluded.mac, serial_number = excluded.serial_number, nonce = excluded.nonce,
            conflict = excluded.conflict, changing = excluded.changing,
            twins_until_ms = coalesce(excluded.twins_until_ms, boards.twins_until_ms),
            present_since_ms = CASE WHEN boards.present_until_ms < ?6
                THEN excluded.present_since_ms ELSE boards.present_since_ms END,
            present_until_ms = CASE WHEN excluded.present_until_ms > boards.present_until_ms
                THEN excluded.present_until_ms ELSE boards.present_until_ms END";
    HAS_TWINS = "UPDATE boards SET twins_until_ms = ?2 WHERE board = ?1";
    GONE = "
        UPDATE boards SET present_until_ms = ?2, nonce = NULL
        WHERE board = ?1 AND present_until_ms > ?2";
}

/// A board is there. Its claim is believed if the MAC address is its own, or it was asked to take it:
/// see [`doors`].
pub fn present(
    transaction: &Transaction<'_>,
    seen: &Seen,
    now_ms: i64,
    rule: Believed,
) -> Result<()> {
    let known = seen::known(transaction, &seen.board)?;
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
        Some(claim) => doors::conflict(transaction, rule, &seen.board, claim.mac, door.as_ref())?,
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

/// A request has put another board in the place of this one. If it is still there, that is told.
pub fn is_replaced(transaction: &Transaction<'_>, board: &BoardName, now_ms: i64) -> Result<()> {
    let claim = boards::claim(transaction, board)?;
    match (claim, boards::there_since(transaction, board, now_ms)?) {
        (Some(claim), Some(_)) => tell_conflict(transaction, board, claim.mac, None),
        (None, _) | (_, None) => Ok(()),
    }
}

/// A board has left the broker.
pub fn gone(transaction: &Transaction<'_>, board: &BoardName, now_ms: i64) -> Result<()> {
    let claim = boards::claim(transaction, board)?;
    if transaction.execute(GONE, params![board.as_str(), now_ms])? > 0 {
        transaction.changed(Changed::Board(board.clone()));
        if let Some(claim) = claim {
            macs::seen_until(transaction, claim.mac, board, now_ms)?;
            transaction.changed(Changed::Mac(claim.mac));
        }
    }
    Ok(())
}

/// Whether a live intercom has this MAC address or is promised it.
fn is_of_an_intercom(snapshot: &Snapshot<'_>, mac: Mac) -> Result<bool> {
    snapshot.one(IS_OF_AN_INTERCOM, [mac.to_string()], |row| row.get(0))
}

fn strangers(snapshot: &Snapshot<'_>) -> Result<i64> {
    snapshot.one(STRANGERS, (), |row| row.get(0))
}
