//! The rows of an import: as they were given, what the check has found, and what came of each.

use std::fmt;

use intercom_wire::RequestId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::column::{parsed, parsed_or_null};
use super::engine::{Row, params};
use super::history::Shown;
use super::statement::statements;
use super::{Error, Result, Snapshot, Transaction};

/// How many lines are deleted in one transaction: other writes wait for each.
const BATCH: i64 = 500;

/// A row that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The line of the file.
    pub line: i64,
    /// Its cells, in the order of the columns.
    pub cells: Vec<String>,
    /// What the check has found.
    pub verdict: Verdict,
}

/// What the check has found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// What the row does.
    Plan(Box<Planned>),
    /// Why it cannot be run.
    Errors(Vec<Wrong>),
}

/// What a row does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// The intercom.
    pub intercom_id: i64,
    /// Its name.
    pub title: Option<String>,
    /// What its panel is known to carry.
    pub from: Shown,
    /// What is asked for.
    pub to: Shown,
    /// The pending request that it takes the place of.
    pub supersedes: Option<String>,
    /// Whether the panel was on line.
    pub online: bool,
    /// Whom it waits for first, in words.
    pub waits_for: Option<String>,
}

/// Something that is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrong {
    /// The column, or `row`.
    pub field: String,
    /// What is wrong with it.
    pub text: String,
    /// The intercom that has what is asked for.
    pub intercom_id: Option<i64>,
}

/// What came of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Came {
    /// A request was made.
    Requested {
        /// It.
        request_id: RequestId,
    },
    /// The same request was pending already, or the intercom had the identity.
    Unchanged {
        /// The request, if one is pending.
        request_id: Option<RequestId>,
    },
    /// It was refused.
    Failed {
        /// Why.
        error: String,
    },
}

/// A row with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// As it was checked.
    pub checked: Checked,
    /// What came of it, if it was run.
    pub came: Option<Came>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT line, cells, plan, errors, result, request_id, error FROM import_rows
             WHERE import_id = ?1 ",
            $rest
        )
    };
}

statements! {
    ADD = "
        INSERT INTO import_rows (import_id, line, cells, plan, errors) VALUES (?1, ?2, ?3, ?4, ?5)";
    ALL = select!("ORDER BY line");
    PAGE = select!("AND line > ?2 ORDER BY line LIMIT ?3");
    WRONG = select!(
        "AND line > ?2 AND (errors IS NOT NULL OR error IS NOT NULL) ORDER BY line LIMIT ?3");
    OPEN = select!("AND result IS NULL ORDER BY line LIMIT ?2");
    SET = "
        UPDATE import_rows SET result = ?3, request_id = ?4, error = ?5
        WHERE import_id = ?1 AND line = ?2 AND result IS NULL";
    DELETE = "
        DELETE FROM import_rows WHERE import_id = ?1
            AND line < (SELECT min(line) FROM import_rows WHERE import_id = ?1) + ?2";
}

/// Writes a row that was checked.
pub fn add(transaction: &Transaction<'_>, import_id: i64, row: &Checked) -> Result<()> {
    let cells = serde_json::Value::from(row.cells.clone()).to_string();
    let (plan, errors) = match &row.verdict {
        Verdict::Plan(plan) => (Some(json(plan)?), None),
        Verdict::Errors(errors) => (None, Some(json(errors)?)),
    };
    transaction.execute(ADD, params![import_id, row.line, cells, plan, errors])?;
    Ok(())
}

/// Writes what came of a row. False if that stands there already.
pub fn set(transaction: &Transaction<'_>, import_id: i64, line: i64, came: &Came) -> Result<bool> {
    let (request_id, error) = (came.request_id(), came.error());
    let values = params![import_id, line, came.word(), request_id.map(RequestId::as_str), error];
    Ok(transaction.execute(SET, values)? > 0)
}

/// Every row.
pub fn all(snapshot: &Snapshot<'_>, import_id: i64) -> Result<Vec<Listed>> {
    snapshot.all(ALL, [import_id], listed)
}

/// The rows after that line, at most so many; only the ones with an error, if these are wanted.
pub fn page(
    snapshot: &Snapshot<'_>,
    import_id: i64,
    only_wrong: bool,
    after: i64,
    limit: usize,
) -> Result<Vec<Listed>> {
    let sql = if only_wrong { WRONG } else { PAGE };
    snapshot.all(sql, params![import_id, after, limit as i64], listed)
}

/// The next rows that were not run, at most so many.
pub fn open(snapshot: &Snapshot<'_>, import_id: i64, limit: usize) -> Result<Vec<Listed>> {
    snapshot.all(OPEN, params![import_id, limit as i64], listed)
}

/// Deletes some rows. False if there were none.
pub fn delete_some(transaction: &Transaction<'_>, import_id: i64) -> Result<bool> {
    Ok(transaction.execute(DELETE, [import_id, BATCH])? > 0)
}

fn listed(row: &Row<'_>) -> Result<Listed> {
    let verdict = match row.get::<_, Option<String>>("plan")? {
        None => Verdict::Errors(of_json(row, "errors")?),
        Some(_) => Verdict::Plan(Box::new(of_json(row, "plan")?)),
    };
    let came = match row.get::<_, Option<String>>("result")?.as_deref() {
        None => None,
        Some("requested") => Some(Came::Requested { request_id: parsed(row, "request_id")? }),
        Some("unchanged") => {
            Some(Came::Unchanged { request_id: parsed_or_null(row, "request_id")? })
        }
        Some(_) => Some(Came::Failed { error: row.get("error")? }),
    };
    let checked = Checked { line: row.get("line")?, cells: of_json(row, "cells")?, verdict };
    Ok(Listed { checked, came })
}

fn json(value: &impl Serialize) -> Result<String> {
    Ok(serde_json::to_string(value)?)
}

fn of_json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|why| Error::column(column, why))
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.text)?;
        match self.intercom_id {
            Some(id) => write!(f, " Intercom {id} has it."),
            None => Ok(()),
        }
    }
}

impl Came {
    /// The word that stands in the database and in answers.
    pub fn word(&self) -> &'static str {
        match self {
            Came::Requested { .. } => "requested",
            Came::Unchanged { .. } => "unchanged",
            Came::Failed { .. } => "failed",
        }
    }

    /// The request.
    pub fn request_id(&self) -> Option<&RequestId> {
        match self {
            Came::Requested { request_id } => Some(request_id),
            Came::Unchanged { request_id } => request_id.as_ref(),
            Came::Failed { .. } => None,
        }
    }

    /// Why it was refused.
    pub fn error(&self) -> Option<&str> {
        match self {
            Came::Requested { .. } | Came::Unchanged { .. } => None,
            Came::Failed { error } => Some(error),
        }
    }
}
