//! Files with replacements, and how far they have come. What stands in them is in
//! [`import_rows`](super::import_rows).

use intercom_import::{Column, Layout, Separator};
use serde::{Serialize, Serializer};

use super::column::{parsed, parsed_or_null};
use super::engine::{Row, params};
use super::statement::statements;
use super::{Error, Result, Snapshot, Transaction};
use crate::audit::Actor;

/// How far an import has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its rows are still being written.
    Checking,
    /// Its rows were checked.
    Checked,
    /// Its rows are run.
    Running,
    /// Every row was run.
    Finished,
}

/// An import, as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Import {
    /// Its number.
    pub id: i64,
    /// How far it has come.
    pub state: State,
    /// When it was sent, RFC 3339 in UTC.
    pub made_at: String,
    /// By whom.
    pub made_by: String,
    /// How many rows it has.
    pub total: i64,
    /// How many of them the check has found something wrong with.
    pub wrong: i64,
    /// How many rows were run.
    pub done: i64,
    /// How many of these were refused.
    pub failed: i64,
    /// When its run was begun.
    pub run_at: Option<String>,
    /// By whom.
    pub run_by: Option<String>,
    /// When every row had been run.
    pub finished_at: Option<String>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, state, made_by, rows AS total, wrong, done, failed, run_by,
                rfc_3339(made_ms) AS made_at,
                rfc_3339(run_ms) AS run_at,
                rfc_3339(finished_ms) AS finished_at
             FROM imports ",
            $rest
        )
    };
}

statements! {
    ADD = "
        INSERT INTO imports (made_ms, made_by, state, separator, has_byte_order_mark, columns, rows,
            wrong)
        VALUES (?1, ?2, 'checking', ?3, ?4, ?5, ?6, ?7) RETURNING id";
    CHECKED = "UPDATE imports SET state = 'checked' WHERE id = ?1";
    RUN = "
        UPDATE imports SET state = 'running', run_ms = ?2, run_actor = ?3, run_by = ?4, run_call = ?5
        WHERE id = ?1";
    COUNT = "UPDATE imports SET done = done + 1, failed = failed + ?2 WHERE id = ?1";
    FINISH = "UPDATE imports SET state = 'finished', finished_ms = ?2 WHERE id = ?1";
    BY_ID = select!("WHERE id = ?1");
    LIST = select!("WHERE id < ?1 ORDER BY id DESC LIMIT ?2");
    RUNNING = "
        SELECT id, run_actor, run_by, run_call FROM imports
        WHERE state = 'running' ORDER BY id LIMIT 1";
    LAYOUT = "SELECT separator, has_byte_order_mark, columns FROM imports WHERE id = ?1";
    OLD = "
        SELECT id FROM imports
        WHERE made_ms < ?1 AND (state = 'checking' OR made_ms < ?2 AND state <> 'running')
        ORDER BY made_ms LIMIT 1";
    DELETE = "DELETE FROM imports WHERE id = ?1";
}

/// Begins an import, whose rows follow; its number.
pub fn add(
    transaction: &Transaction<'_>,
    by: &Actor,
    layout: &Layout,
    rows: usize,
    wrong: usize,
) -> Result<i64> {
    let names: Vec<&str> = layout.columns.iter().map(|column| column.name()).collect();
    let values = params![
        transaction.now_ms(),
        by.to_string(),
        layout.separator.character().to_string(),
        layout.has_byte_order_mark,
        serde_json::Value::from(names).to_string(),
        rows as i64,
        wrong as i64,
    ];
    transaction.insert(ADD, values)
}

/// All rows were written.
pub fn set_checked(transaction: &Transaction<'_>, id: i64) -> Result<()> {
    transaction.execute(CHECKED, [id])?;
    Ok(())
}

/// The rows are to be run.
pub fn run(transaction: &Transaction<'_>, id: i64, by: &Actor) -> Result<()> {
    let call = by.call().map(|call| call.to_string());
    let values = params![id, transaction.now_ms(), by.name(), by.to_string(), call];
    transaction.execute(RUN, values)?;
    Ok(())
}

/// One more row was run.
pub fn count(transaction: &Transaction<'_>, id: i64, has_failed: bool) -> Result<()> {
    transaction.execute(COUNT, params![id, has_failed])?;
    Ok(())
}

/// All rows were run.
pub fn finish(transaction: &Transaction<'_>, id: i64) -> Result<()> {
    transaction.execute(FINISH, [id, transaction.now_ms()])?;
    Ok(())
}

/// The import of that number.
pub fn by_id(snapshot: &Snapshot<'_>, id: i64) -> Result<Option<Import>> {
    snapshot.first(BY_ID, [id], import)
}

/// The newest ones below that number, at most so many.
pub fn list(snapshot: &Snapshot<'_>, before: Option<i64>, limit: usize) -> Result<Vec<Import>> {
    snapshot.all(LIST, params![before.unwrap_or(i64::MAX), limit as i64], import)
}

/// The first one that is running, and who has begun the run.
pub fn running(snapshot: &Snapshot<'_>) -> Result<Option<(i64, Actor)>> {
    snapshot.first(RUNNING, (), |row| {
        let id: i64 = row.get("id")?;
        let by: String = row.get("run_by")?;
        let starter = Actor::Starter {
            name: row.get("run_actor")?,
            who: format!("{by}, import {id}"),
            call: parsed_or_null(row, "run_call")?,
        };
        Ok((id, starter))
    })
}

/// How the file was laid out.
pub fn layout(snapshot: &Snapshot<'_>, id: i64) -> Result<Option<Layout>> {
    snapshot.first(LAYOUT, [id], |row| {
        let separator: String = row.get("separator")?;
        let columns: serde_json::Value = parsed(row, "columns")?;
        let names = columns.as_array().into_iter().flatten().filter_map(|name| name.as_str());
        Ok(Layout {
            separator: separator.chars().find_map(Separator::of).unwrap_or(Separator::Comma),
            has_byte_order_mark: row.get("has_byte_order_mark")?,
            columns: names.filter_map(Column::of).collect(),
        })
    })
}

/// One that was sent before the first time and whose rows were not all written, or that was sent before
/// the second one; none that is running.
pub fn old(snapshot: &Snapshot<'_>, unwritten_ms: i64, before_ms: i64) -> Result<Option<i64>> {
    snapshot.first(OLD, [unwritten_ms, before_ms], |row| row.get(0))
}

/// Deletes one without rows.
pub fn delete(transaction: &Transaction<'_>, id: i64) -> Result<()> {
    transaction.execute(DELETE, [id])?;
    Ok(())
}

fn import(row: &Row<'_>) -> Result<Import> {
    let word: String = row.get("state")?;
    let state =
        State::of(&word).ok_or_else(|| Error::column("state", format!("no state: {word}")))?;
    Ok(Import {
        id: row.get("id")?,
        state,
        made_at: row.get("made_at")?,
        made_by: row.get("made_by")?,
        total: row.get("total")?,
        wrong: row.get("wrong")?,
        done: row.get("done")?,
        failed: row.get("failed")?,
        run_at: row.get("run_at")?,
        run_by: row.get("run_by")?,
        finished_at: row.get("finished_at")?,
    })
}

impl State {
    /// The word that stands in the database and in answers.
    pub fn word(self) -> &'static str {
        match self {
            State::Checking => "checking",
            State::Checked => "checked",
            State::Running => "running",
            State::Finished => "finished",
        }
    }

    fn of(word: &str) -> Option<Self> {
        [State::Checking, State::Checked, State::Running, State::Finished]
            .into_iter()
            .find(|state| state.word() == word)
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}
