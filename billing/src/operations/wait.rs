//! Whom a pending request waits for, since when, until when, and what a person can do about it.

use std::fmt;

use intercom_wire::{BoardName, Mac, RequestId};
use serde::Serialize;

use super::{Decision, Refusal, silence};
use crate::offer::{Rule, Turn};
use crate::schedule::rfc_3339;
use crate::store::history::Entry;
use crate::store::pending::{self, Pending};
use crate::store::sightings::{self, Sighting};
use crate::store::{Snapshot, boards, offers};

/// What a pending request waits for. Times are RFC 3339 in UTC.
#[derive(Debug, Clone, Serialize)]
pub struct Wait {
    /// Whom or what it waits for, in words.
    pub text: String,
    /// The board whose turn it is, or that is in the way.
    pub board: Option<BoardName>,
    /// Since when it waits for that.
    pub since: String,
    /// When the wait ends by itself; `None`: not before something happens.
    pub until: Option<String>,
    /// What a person can do, in words.
    pub advice: String,
    /// The decisions that can be taken about it.
    pub decisions: Vec<Decision>,
}

/// A wait whose times are Unix times in milliseconds.
struct Described {
    text: String,
    since_ms: i64,
    until_ms: Option<i64>,
    advice: String,
    decisions: Vec<Decision>,
}

/// What a pending request waits for.
pub(super) fn of(snapshot: &Snapshot<'_>, rule: Rule, pending: &Pending) -> Result<Wait, Refusal> {
    let now_ms = snapshot.now_ms();
    let turn = rule.turn(&pending.waiting, now_ms);
    let described = describe(snapshot, pending, &turn, now_ms)?;
    Ok(Wait {
        text: described.text,
        board: match turn {
            Turn::Replacement(board) | Turn::Conflict(board) | Turn::Twins(board) => Some(board),
            Turn::Door(board) | Turn::Exchanged(board) => board,
            Turn::Spare
            | Turn::Grace(_)
            | Turn::OtherHalf
            | Turn::NotBefore(_)
            | Turn::Quiet(_)
            | Turn::Expired => None,
        },
        since: rfc_3339(described.since_ms),
        until: described.until_ms.map(rfc_3339),
        advice: described.advice,
        decisions: described.decisions,
    })
}

/// The entries, each pending one with whom it waits for in short.
pub(super) fn with_turns(
    snapshot: &Snapshot<'_>,
    rule: Rule,
    mut entries: Vec<Entry>,
) -> Result<Vec<Entry>, Refusal> {
    let now_ms = snapshot.now_ms();
    for entry in entries.iter_mut().filter(|entry| entry.state == "pending") {
        if let Some(pending) = pending::by_id(snapshot, &entry.request_id)? {
            let turn = rule.turn(&pending.waiting, now_ms);
            let mut waits_for = turn.to_string();
            if let Some(board) = turn.board()
                && let Some(deferral) = deferral(snapshot, &entry.request_id, board, now_ms)?
            {
                waits_for += &format!(", which {deferral}");
            }
            entry.waits_for = Some(waits_for);
        }
    }
    Ok(entries)
}

fn describe(
    snapshot: &Snapshot<'_>,
    pending: &Pending,
    turn: &Turn,
    now_ms: i64,
) -> Result<Described, Refusal> {
    let waiting = &pending.waiting;
    let asked_ms = waiting.asked_ms;
    let new_mac = waiting.new_mac.filter(|mac| *mac != waiting.confirmed_mac);
    let and_still = |advice: String| match new_mac {
        Some(mac) => format!("{advice}, or connect a replacement that carries {mac}."),
        None => format!("{advice}."),
    };
    let simple = |advice: String| Described {
        text: turn.to_string(),
        since_ms: asked_ms,
        until_ms: None,
        advice,
        decisions: Vec::new(),
    };
    Ok(match turn {
        Turn::Replacement(board) => answer(snapshot, pending, board, turn, now_ms)?,
        Turn::Door(Some(board)) => match sightings::of_board(snapshot, board)? {
            Sighting::Online => answer(snapshot, pending, board, turn, now_ms)?,
            sighting => Described {
                text: format!("the door's board {board}, {}", Seen(sighting, now_ms)),
                ..simple(and_still("Power the panel and connect it".to_owned()))
            },
        },
        Turn::Door(None) => simple(and_still("Power the panel and connect it".to_owned())),
        Turn::Exchanged(Some(board)) => Described {
            text: format!("{turn}, {}", Seen(sightings::of_board(snapshot, board)?, now_ms)),
            ..simple("Power the panel at this door and connect it.".to_owned())
        },
        Turn::Exchanged(None) => simple("Power the panel at this door and connect it.".to_owned()),
        Turn::OtherHalf => simple("See what the other request of the swap waits for.".to_owned()),
        Turn::Spare => {
            let mac = new_mac.unwrap_or(waiting.confirmed_mac);
            let request_id = pending.body.request_id.clone();
            Described {
                text: format!("the spare {mac}, {}", Seen(with_mac(snapshot, mac)?, now_ms)),
                decisions: vec![Decision::OfferToTheDoor { request_id }],
                ..simple("Power the spare, or let the old panel take the address now.".to_owned())
            }
        }
        Turn::Conflict(board) => simple(format!(
            "Disconnect board {board}, or cancel the request and ask for what that board has."
        )),
        Turn::Grace(until_ms) => Described {
            until_ms: Some(*until_ms),
            ..simple("Nothing: after that time the door's own panel is asked.".to_owned())
        },
        Turn::NotBefore(from_ms) => Described {
            until_ms: Some(*from_ms),
            ..simple("Nothing: nobody is asked before that time.".to_owned())
        },
        Turn::Quiet(until_ms) => Described {
            until_ms: Some(*until_ms),
            ..simple("Nothing: a panel that is in use is not changed in quiet hours.".to_owned())
        },
        Turn::Expired => simple("Ask for it again, with another time.".to_owned()),
        Turn::Twins(board) => Described {
            until_ms: boards::twins_until(snapshot, board)?,
            decisions: vec![Decision::NoTwins { board: board.clone() }],
            ..simple(
                "Give one of the two another `board_name`. If only one is left, say so.".to_owned(),
            )
        },
    })
}

/// A board that is there has to answer.
fn answer(
    snapshot: &Snapshot<'_>,
    pending: &Pending,
    board: &BoardName,
    turn: &Turn,
    now_ms: i64,
) -> Result<Described, Refusal> {
    let offered = offers::to_board(snapshot, &pending.body.request_id, board)?;
    let until_ms = match offered {
        Some(offered) => silence::answers_until(snapshot, board, offered, now_ms)?,
        None => None,
    };
    let mut text = format!("{turn}, which is on line");
    if let Some(deferral) = deferral(snapshot, &pending.body.request_id, board, now_ms)? {
        text += &format!(" and {deferral}");
    }
    Ok(Described {
        text,
        since_ms: offered.map_or(pending.waiting.asked_ms, |offered| offered.offered_ms),
        until_ms,
        advice: match until_ms {
            Some(_) => "Nothing: without an answer by that time the request ends as rejected.",
            None => "Nothing: it is asked when it next polls or shows itself.",
        }
        .to_owned(),
        decisions: Vec::new(),
    })
}

/// Until when the board has deferred the request, and why.
fn deferral(
    snapshot: &Snapshot<'_>,
    request_id: &RequestId,
    board: &BoardName,
    now_ms: i64,
) -> Result<Option<String>, Refusal> {
    let deferred = offers::deferred(snapshot, request_id, board, now_ms)?;
    Ok(deferred.map(|(until_ms, reason)| {
        let reason = reason.as_deref().unwrap_or("it gives no reason");
        format!("has deferred it until {}: {reason}", rfc_3339(until_ms))
    }))
}

fn with_mac(snapshot: &Snapshot<'_>, mac: Mac) -> Result<Sighting, Refusal> {
    Ok(sightings::with_mac(snapshot, mac)?)
}

/// When a board was seen, and what the time is, Unix time in milliseconds.
struct Seen(Sighting, i64);

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Seen(sighting, now_ms) = self;
        let seconds = match sighting {
            Sighting::Online => return f.write_str("which is on line"),
            Sighting::Never => return f.write_str("which was never seen"),
            Sighting::Last(at_ms) => now_ms.saturating_sub(*at_ms) / 1000,
        };
        let (count, unit) = match seconds {
            ..120 => (seconds, "seconds"),
            120..7_200 => (seconds / 60, "minutes"),
            7_200..172_800 => (seconds / 3_600, "hours"),
            _ => (seconds / 86_400, "days"),
        };
        write!(f, "which was last seen {count} {unit} ago")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_has_passed_is_told_in_one_unit() {
        let words =
            |ago_ms: i64| Seen(Sighting::Last(1_000_000_000), 1_000_000_000 + ago_ms).to_string();
        for (ago_ms, expected) in [
            (0, "which was last seen 0 seconds ago"),
            (119_999, "which was last seen 119 seconds ago"),
            (120_000, "which was last seen 2 minutes ago"),
            (7_200_000, "which was last seen 2 hours ago"),
            (3 * 86_400_000, "which was last seen 3 days ago"),
        ] {
            assert_eq!(words(ago_ms), expected);
        }
    }
}
