//! The queue as a panel sees it: the pending requests, in the shape that goes over the wire.

use intercom_wire::{BoardName, Mac, RequestBody, RequestId, Target};

use super::changes::Changed;
use super::column::{parsed, parsed_or_null};
use super::engine::{Row, named_params};
use super::statement::statements;
use super::{Result, Snapshot, boards, offers, quiet_hours};
use crate::offer::{Half, Waiting};
use crate::schedule::Schedule;

/// A pending request with what decides who it is offered to.
#[derive(Debug, Clone)]
pub struct Pending {
    /// What goes over the wire, without the nonce of whom it is offered to.
    pub body: RequestBody,
    /// What the rule of `offer` needs.
    pub waiting: Waiting,
}

/// Who polls.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The board.
    pub board: BoardName,
    /// The MAC address that it claims.
    pub mac: Mac,
    /// The intercom that it believes to be.
    pub id: Option<i64>,
}

macro_rules! is_spares {
    () => {
        "(coalesce(m.of_a_door = 0, FALSE)
            OR EXISTS (SELECT 1 FROM intercoms s WHERE s.deleted_ms IS NULL
                AND s.confirmed_mac = r.new_mac AND s.status = 'empty'))"
    };
}

macro_rules! select {
    ($($rest:expr),+) => {
        concat!(
            "SELECT r.*, i.confirmed_mac, i.board AS door,
                    CASE WHEN m.board = i.board THEN NULL ELSE m.poll_ms END AS poll_ms,
                    q.time_zone, q.begins, q.ends, w.with_intercom, w.confirmed_by, o.board AS others_board,
                    (SELECT issuer FROM service) AS issuer,
                    ",
            is_spares!(),
            " AS is_spares
             FROM requests r
             JOIN intercoms i ON i.id = r.intercom_id AND i.deleted_ms IS NULL
             LEFT JOIN macs m ON m.mac = r.new_mac
             LEFT JOIN quiet_hours q ON q.group_id = i.group_id
             LEFT JOIN swaps w ON w.request_id = r.request_id
             LEFT JOIN intercoms o ON o.id = w.with_intercom
             WHERE r.state = 'pending' AND ",
            $($rest),+
        )
    };
}

statements! {
    BY_ID = select!("r.request_id = ?1");
    /// IN, so that the index of the pending requests is read and not every request.
    FOR_A_SPARE = select!(
        "r.number IN (SELECT number FROM requests WHERE state = 'pending')
            AND ",
        is_spares!(),
        " AND r.for_the_door = 0
         ORDER BY r.number LIMIT ?1"
    );
    OF_AN_INTERCOM = "SELECT request_id FROM requests WHERE state = 'pending' AND intercom_id = ?1";
    WITH_NEW_MAC = "SELECT request_id FROM requests WHERE state = 'pending' AND new_mac = ?1";
    OF_A_BOARD = "
        SELECT p.request_id FROM intercoms i CROSS JOIN requests p
            WHERE p.intercom_id = i.id AND p.state = 'pending' AND i.board = ?1 AND i.deleted_ms IS NULL
        UNION ALL SELECT p.request_id FROM boards b CROSS JOIN requests p
            WHERE p.new_mac = b.mac AND p.state = 'pending' AND b.board = ?1";
    /// One part for each way to be meant, since each has its own index. CROSS JOIN keeps its order:
    /// first the intercom, then its request.
    FOR_A_CALLER = select!(
        "r.number IN (
            SELECT number FROM requests WHERE state = 'pending' AND new_mac = :mac
            UNION SELECT p.number FROM intercoms i CROSS JOIN requests p
                WHERE p.intercom_id = i.id AND p.state = 'pending' AND i.board = :board AND i.deleted_ms IS NULL
            UNION SELECT p.number FROM intercoms i CROSS JOIN requests p
                WHERE p.intercom_id = i.id AND i.id = :id AND p.state = 'pending' AND i.board IS NULL
                AND NOT EXISTS (SELECT 1 FROM intercoms o WHERE o.deleted_ms IS NULL
                    AND o.id <> i.id AND o.confirmed_mac = :mac)
                AND NOT EXISTS (SELECT 1 FROM intercoms o WHERE o.deleted_ms IS NULL
                    AND o.id <> i.id AND o.desired_mac = :mac)
                AND NOT EXISTS (SELECT 1 FROM intercoms o WHERE o.deleted_ms IS NULL
                    AND o.board = :board))
         ORDER BY r.number"
    );
}

/// A request, if it is pending.
pub fn by_id(snapshot: &Snapshot<'_>, request_id: &RequestId) -> Result<Option<Pending>> {
    let found = snapshot.first(BY_ID, [request_id.as_str()], pending)?;
    found.map(|pending| with_boards(snapshot, pending)).transpose()
}

/// The requests whose `new_mac` is a spare's own, the oldest first; at most `limit`.
pub fn for_spares(snapshot: &Snapshot<'_>, limit: i64) -> Result<Vec<Pending>> {
    let found = snapshot.all(FOR_A_SPARE, [limit], pending)?;
    found.into_iter().map(|pending| with_boards(snapshot, pending)).collect()
}

/// The requests whose offers may depend on what has changed: those that are pending, and one that
/// may have ended.
pub fn affected_by(snapshot: &Snapshot<'_>, changed: &Changed) -> Result<Vec<RequestId>> {
    let id = |row: &Row<'_>| parsed(row, "request_id");
    match changed {
        Changed::Request(request_id) => Ok(vec![request_id.clone()]),
        Changed::Intercom(intercom_id) => snapshot.all(OF_AN_INTERCOM, [intercom_id], id),
        Changed::Mac(mac) => snapshot.all(WITH_NEW_MAC, [mac.to_string()], id),
        Changed::Board(board) => snapshot.all(OF_A_BOARD, [board.as_str()], id),
        Changed::Everything => Ok(offers::every_open_request(snapshot)?.into_iter().collect()),
    }
}

/// The pending requests that may be for a caller: by the MAC address that it claims, as a door's
/// board, or by its ID. The ID counts only while no board is known for that intercom, no other
/// intercom has the caller's MAC address, and the caller is no other door's board.
pub fn for_caller(snapshot: &Snapshot<'_>, caller: &Caller) -> Result<Vec<Pending>> {
    let found = snapshot.all(
        FOR_A_CALLER,
        named_params! {
            ":mac": caller.mac.to_string(),
            ":board": caller.board.as_str(),
            ":id": caller.id,
        },
        pending,
    )?;
    found.into_iter().map(|pending| with_boards(snapshot, pending)).collect()
}

fn with_boards(snapshot: &Snapshot<'_>, mut pending: Pending) -> Result<Pending> {
    if let (Some(mac), Some(intercom_id)) = (pending.waiting.new_mac, pending.body.target.id) {
        pending.waiting.claimants = boards::claiming(snapshot, mac, intercom_id)?;
    }
    if let Some(door) = &pending.waiting.door {
        let open = offers::open(snapshot, &pending.body.request_id)?;
        pending.waiting.is_offered_to_the_door = open.contains(door);
        pending.waiting.twins_until_ms = boards::twins_until(snapshot, door)?;
    }
    if let Some(Half { board: Some(board), .. }) = &pending.waiting.half {
        pending.waiting.twins_until_ms = boards::twins_until(snapshot, board)?;
    }
    Ok(pending)
}

fn pending(row: &Row<'_>) -> Result<Pending> {
    let new_mac = parsed_or_null(row, "new_mac")?;
    let new_serial_number = parsed_or_null(row, "new_serial_number")?;
    let confirmed_mac = parsed(row, "confirmed_mac")?;
    let door: Option<BoardName> = parsed_or_null(row, "door")?;
    let with: Option<i64> = row.get("with_intercom")?;
    let half = match with {
        Some(_) => Some(Half {
            board: parsed_or_null(row, "others_board")?,
            is_confirmed: parsed_or_null::<BoardName>(row, "confirmed_by")?.is_some(),
        }),
        None => None,
    };
    Ok(Pending {
        waiting: Waiting {
            new_mac,
            new_serial_number: Clone::clone(&new_serial_number),
            confirmed_mac,
            asked_ms: row.get("asked_ms")?,
            door: door.clone(),
            twins_until_ms: None,
            claimants: Vec::new(),
            is_spares: row.get("is_spares")?,
            polls_every_ms: row.get("poll_ms")?,
            is_for_the_door: row.get("for_the_door")?,
            is_offered_to_the_door: false,
            half,
            schedule: Schedule {
                not_before_ms: row.get("not_before_ms")?,
                expires_ms: row.get("expires_ms")?,
                quiet: quiet_hours::of_a_row(row)?,
            },
        },
        body: RequestBody {
            id: row.get("named_id")?,
            mac: parsed_or_null(row, "named_mac")?,
            new_mac,
            new_serial_number,
            model: row.get("to_model")?,
            log_extra: parsed_or_null(row, "log_extra")?,
            request_id: parsed(row, "request_id")?,
            issuer: parsed(row, "issuer")?,
            nonce: None,
            seq: row.get("seq")?,
            target: Target {
                id: Some(row.get("intercom_id")?),
                mac: Some(confirmed_mac),
                board: door,
            },
        },
    })
}
