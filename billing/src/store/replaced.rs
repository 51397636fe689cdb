//! Panels that were replaced and are on line.

use intercom_wire::{BoardName, Mac};

use super::column::parsed;
use super::engine::{Row, params};
use super::statement::statements;
use super::{Result, Snapshot};
use crate::event::BothOnLine;

macro_rules! select {
    ($from:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $from,
            " i.id AS intercom_id, i.board AS new, i.confirmed_mac AS new_mac
             FROM ",
            $rest,
            " AND r.state = 'installed' AND i.id = r.intercom_id AND i.deleted_ms IS NULL
                AND i.board IS NOT NULL AND i.board <> "
        )
    };
}

/// One pair for each board, although it may have been at several doors.
macro_rules! one_door_each {
    () => {
        "SELECT old, old_mac, intercom_id, new, new_mac FROM (
             SELECT *, row_number() OVER (PARTITION BY old ORDER BY intercom_id) AS place FROM ("
    };
}

statements! {
    OF_A_MAC = concat!(
        select!("?1 AS old, ?2 AS old_mac,", "requests r CROSS JOIN intercoms i WHERE r.from_mac = ?2"),
        "?1 AND NOT EXISTS (SELECT 1 FROM intercoms o WHERE o.deleted_ms IS NULL AND o.board = ?1
            AND o.status <> 'empty')
         ORDER BY r.number DESC LIMIT 1"
    );
    WITH_THE_SAME_MAC = "
        SELECT ?1 AS old, ?2 AS old_mac, i.id AS intercom_id, i.board AS new,
            i.confirmed_mac AS new_mac
        FROM intercoms i WHERE i.deleted_ms IS NULL AND i.confirmed_mac = ?2
            AND i.board IS NOT NULL AND i.board <> ?1 AND i.status <> 'empty'";
    ON_LINE = concat!(
        one_door_each!(),
        select!(
            "b.board AS old, b.mac AS old_mac,",
            "boards b CROSS JOIN requests r CROSS JOIN intercoms i
             WHERE b.stranger = 1 AND b.present_until_ms > ?1 AND b.conflict IS NULL
                AND r.from_mac = b.mac"
        ),
        "b.board) AS pairs) AS first_pairs WHERE place = 1 ORDER BY old LIMIT ?2"
    );
    AT_A_DOOR = concat!(
        one_door_each!(),
        select!(
            "b.board AS old, b.mac AS old_mac,",
            "requests r CROSS JOIN boards b CROSS JOIN intercoms i
             WHERE r.intercom_id = ?1 AND b.mac = r.from_mac AND b.stranger = 1
                AND b.present_until_ms > ?2 AND b.conflict IS NULL"
        ),
        "b.board) AS pairs) AS first_pairs WHERE place = 1 ORDER BY old"
    );
}

/// The intercom whose panel a board was, or whose MAC address it has, if another board is its panel
/// now.
pub fn is_back(snapshot: &Snapshot<'_>, board: &BoardName, mac: Mac) -> Result<Option<BothOnLine>> {
    let params = params![board.as_str(), mac.to_string()];
    match snapshot.first(WITH_THE_SAME_MAC, params, both)? {
        Some(same) => Ok(Some(same)),
        None => snapshot.first(OF_A_MAC, params, both),
    }
}

/// The panels that are on line beside their replacement; at most `limit`.
pub fn on_line(snapshot: &Snapshot<'_>, now_ms: i64, limit: i64) -> Result<Vec<BothOnLine>> {
    snapshot.all(ON_LINE, [now_ms, limit], both)
}

/// The panels that this intercom had and that are on line beside the one that it has.
pub fn at_a_door(
    snapshot: &Snapshot<'_>,
    intercom_id: i64,
    now_ms: i64,
) -> Result<Vec<BothOnLine>> {
    snapshot.all(AT_A_DOOR, [intercom_id, now_ms], both)
}

fn both(row: &Row<'_>) -> Result<BothOnLine> {
    Ok(BothOnLine {
        old: parsed(row, "old")?,
        old_mac: parsed(row, "old_mac")?,
        intercom_id: row.get("intercom_id")?,
        new: parsed(row, "new")?,
        new_mac: parsed(row, "new_mac")?,
    })
}
