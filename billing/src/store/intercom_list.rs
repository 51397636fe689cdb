//! The live intercoms that a search finds, one page at a time, each by an index.

use intercom_wire::{BoardName, Mac, RequestId, SerialNumber};

use super::engine::ToSql;
use super::intercoms::{self, Name, PENDING, Record};
use super::sightings::{self, Sighting};
use super::statement::statements;
use super::{Result, Snapshot, requests};
use crate::replacement::State;

/// How many intercoms one page is looked for in. A page whose filter leaves few of them may be short.
const LOOKED_THROUGH: i64 = 500;

/// What is searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Search {
    /// Every intercom.
    All,
    /// Those that have, had, or are asked to take this MAC address.
    Mac(Mac),
    /// Those that have, had, or are asked to take this serial number.
    SerialNumber(SerialNumber),
    /// The one with this ID in an external system.
    ExternalId(String),
    /// Those whose ID in an external system begins so.
    ExternalIdPrefix(String),
    /// Those whose title has, for each of these words, a word that begins so.
    Title(String),
}

/// What is left of what is found.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// With this status.
    pub status: Option<String>,
    /// On line, or not.
    pub online: Option<bool>,
}

/// One intercom of the list.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its record.
    pub record: Record,
    /// The board that is its panel, where it is known.
    pub board: Option<BoardName>,
    /// Whether its panel is there.
    pub sighting: Sighting,
    /// Its pending request.
    pub pending: Option<RequestId>,
}

/// One page.
#[derive(Debug, Clone)]
pub struct Page {
    /// What was found.
    pub found: Vec<Found>,
    /// Where the next page begins; `None` if this is the last one.
    pub next: Option<String>,
}

/// An intercom that the index has, and its place in the order of the search.
struct Candidate {
    id: i64,
    place: String,
}

macro_rules! select {
    ($which:literal) => {
        concat!(
            "SELECT id, CAST(id AS TEXT) AS place FROM intercoms WHERE deleted_ms IS NULL AND ",
            $which,
            " AND id > :after ORDER BY id LIMIT :limit"
        )
    };
}

statements! {
    ALL = select!("TRUE");
    WITH_STATUS = select!("status = :wanted");
    /// The IDs come first: an intercom may have had the value several times.
    WITH_MAC = select!(
        "id IN (SELECT intercom_id FROM hardware WHERE mac = :wanted
            UNION SELECT id FROM intercoms WHERE deleted_ms IS NULL AND desired_mac = :wanted)"
    );
    WITH_SERIAL_NUMBER = select!(
        "id IN (SELECT intercom_id FROM hardware WHERE serial_number = :wanted
            UNION SELECT id FROM intercoms
                WHERE deleted_ms IS NULL AND desired_serial_number = :wanted)"
    );
    WITH_EXTERNAL_ID = select!("external_id = :wanted");
    /// In the order of the external IDs, which is the one of the index. U+10FFFF is the last
    /// character, and stands for none.
    WITH_PREFIX = "
        SELECT id, external_id AS place FROM intercoms
        WHERE deleted_ms IS NULL AND external_id >= :wanted
            AND external_id < :wanted || '\u{10FFFF}' AND external_id > :after
        ORDER BY external_id LIMIT :limit";
    /// Each engine has its own index of words.
    WITH_WORDS = {
        sqlite: "
            SELECT rowid AS id, CAST(rowid AS TEXT) AS place FROM titles
            WHERE titles MATCH :wanted AND rowid > :after ORDER BY rowid LIMIT :limit",
        postgres: "
            SELECT id, CAST(id AS TEXT) AS place FROM intercoms
            WHERE deleted_ms IS NULL AND title_words(title) @@ titles_with(:wanted)
                AND id > :after
            ORDER BY id LIMIT :limit"
    };
}

/// One page of what a search finds and a filter leaves, after the place `after`; at most `limit`.
pub fn page(
    snapshot: &Snapshot<'_>,
    search: &Search,
    filter: &Filter,
    after: Option<&str>,
    limit: usize,
) -> Result<Page> {
    let candidates = candidates(snapshot, search, filter, after.unwrap_or_default())?;
    let may_be_more = candidates.len() as i64 == LOOKED_THROUGH;
    let last = candidates.last().map(|candidate| candidate.place.clone());
    let (mut found, mut at) = (Vec::new(), None);
    for Candidate { id, place } in candidates {
        let Some(one) = find(snapshot, id, filter)? else { continue };
        if found.len() == limit {
            return Ok(Page { found, next: at });
        }
        found.push(one);
        at = Some(place);
    }
    Ok(Page { found, next: last.filter(|_| may_be_more) })
}

fn candidates(
    snapshot: &Snapshot<'_>,
    search: &Search,
    filter: &Filter,
    after: &str,
) -> Result<Vec<Candidate>> {
    let (sql, wanted) = match (search, &filter.status) {
        (Search::All, None) => (ALL, None),
        (Search::All, Some(status)) => (WITH_STATUS, Some(status.clone())),
        (Search::Mac(mac), _) => (WITH_MAC, Some(mac.to_string())),
        (Search::SerialNumber(serial), _) => (WITH_SERIAL_NUMBER, Some(serial.to_string())),
        (Search::ExternalId(id), _) => (WITH_EXTERNAL_ID, Some(id.clone())),
        (Search::ExternalIdPrefix(prefix), _) => (WITH_PREFIX, Some(prefix.clone())),
        (Search::Title(words), _) => (WITH_WORDS, Some(prefixes(words))),
    };
    // The place in the order of the IDs. A caller that makes one up begins anew.
    let after_id: i64 = after.parse().unwrap_or_default();
    let after: &dyn ToSql = match search {
        Search::ExternalIdPrefix(_) => &after,
        _ => &after_id,
    };
    let mut params: Vec<(&str, &dyn ToSql)> = vec![(":after", after), (":limit", &LOOKED_THROUGH)];
    params.extend(wanted.as_ref().map(|wanted| (":wanted", wanted as &dyn ToSql)));
    snapshot
        .all(sql, &params[..], |row| Ok(Candidate { id: row.get("id")?, place: row.get("place")? }))
}

/// The words as FTS5 reads them: each is the beginning of a word. Quoted, so that nothing in them is
/// an operator.
fn prefixes(words: &str) -> String {
    let quoted =
        words.split_whitespace().map(|word| format!("\"{}\" *", word.replace('"', "\"\"")));
    quoted.collect::<Vec<_>>().join(" ")
}

/// An intercom with all that the list tells of it, if the filter leaves it.
/// One intercom, if the filter leaves it.
pub fn find(snapshot: &Snapshot<'_>, id: i64, filter: &Filter) -> Result<Option<Found>> {
    let Some(record) = intercoms::find(snapshot, &Name::Id(id))? else { return Ok(None) };
    let status = record.shown.status.as_deref();
    if filter.status.as_deref().is_some_and(|wanted| status != Some(wanted)) {
        return Ok(None);
    }
    let board = intercoms::board(snapshot, id)?;
    let sighting = match &board {
        Some(board) => sightings::of_board(snapshot, board)?,
        None => sightings::with_mac(snapshot, record.confirmed.identity.mac)?,
    };
    if filter.online.is_some_and(|wanted| wanted != (sighting == Sighting::Online)) {
        return Ok(None);
    }
    let pending = match status {
        Some(PENDING) => requests::newest(snapshot, id)?,
        _ => None,
    };
    let pending = pending.filter(|newest| newest.state == State::Pending);
    Ok(Some(Found { record, board, sighting, pending: pending.map(|newest| newest.request_id) }))
}
