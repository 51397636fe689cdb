//! Many replacements from one file, in two steps: every row is checked and shown, and then all are run.
//!
//! ```text
//! file ─ check (what would each row do?) ─► import, its rows ─ run (one transaction for each row) ─► result file
//! ```
//!
//! An import with a wrong row is not run: it is corrected and sent again. A run goes row by row, and a
//! restart goes on where it has ended.

mod check;
mod row;
mod run;

use intercom_import::{Came, File, write};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::retention::DAY_MS;
use super::{Billing, Conflict, Failure, Refusal};
use crate::audit::{Action, Actor, Subject};
use crate::store::import_rows::{self, Listed, Verdict};
use crate::store::imports::{self, Import, State};
use crate::store::{audit, retention};

/// How many rows are written in one transaction: other writes wait for each.
const PORTION: usize = 200;
/// How long the rows of a file take to be checked and written at most.
const CHECK_MS: i64 = 3_600_000;

/// Which rows of an import are wanted.
#[derive(Debug, Clone)]
pub struct ImportQuery {
    /// The import.
    pub id: i64,
    /// Only the ones with an error.
    pub only_wrong: bool,
    /// `next` of the page before.
    pub cursor: Option<i64>,
    /// How many at most.
    pub limit: usize,
}

/// An import, and one page of its rows.
#[derive(Debug, Clone, Serialize)]
pub struct ImportPage {
    /// The import.
    #[serde(flatten)]
    pub import: Import,
    /// The rows, by their lines.
    pub rows: Vec<ImportRow>,
    /// The cursor of the next page; `None` if this is the last one.
    pub next: Option<String>,
}

/// A row as people see it.
#[derive(Debug, Clone)]
pub struct ImportRow {
    /// The cells by their columns, without the empty ones.
    pub cells: Map<String, Value>,
    /// The row.
    pub listed: Listed,
}

/// One page of the imports.
#[derive(Debug, Clone, Serialize)]
pub struct Imports {
    /// The imports, the newest first.
    pub imports: Vec<Import>,
    /// The cursor of the next page; `None` if this is the last one.
    pub next: Option<String>,
}

impl Billing {
    /// Checks every row of a file, and keeps what was found. No intercom is changed.
    ///
    /// # Errors
    /// The database fails.
    pub async fn add_import(&self, file: File, by: Actor) -> Result<Import, Refusal> {
        let File { layout, rows } = file;
        let checked = check::check(self, &layout, rows).await?;
        let is_wrong = |row: &&import_rows::Checked| matches!(row.verdict, Verdict::Errors(_));
        let (rows, wrong) = (checked.len(), checked.iter().filter(is_wrong).count());
        let id = self.store.write(move |t| imports::add(t, &by, &layout, rows, wrong)).await?;
        for portion in checked.chunks(PORTION) {
            let portion = portion.to_vec();
            self.store
                .write(move |t| portion.iter().try_for_each(|row| import_rows::add(t, id, row)))
                .await?;
        }
        self.store
            .write(move |transaction| {
                imports::set_checked(transaction, id)?;
                imports::by_id(transaction, id)?.ok_or(Refusal::NotFound)
            })
            .await
    }

    /// Begins to run the rows of an import. To begin once more changes nothing.
    ///
    /// # Errors
    /// There is no such import, a row is wrong, or the database fails.
    pub async fn run_import(&self, id: i64, by: Actor) -> Result<Import, Refusal> {
        let import = self
            .store
            .write(move |transaction| {
                let import = imports::by_id(transaction, id)?.ok_or(Refusal::NotFound)?;
                match import.state {
                    State::Checking => return Err(Refusal::Conflict(Conflict::IsBeingChecked)),
                    State::Running | State::Finished => return Ok(import),
                    State::Checked if import.wrong > 0 => {
                        return Err(Refusal::Conflict(Conflict::HasWrongRows(import.wrong)));
                    }
                    State::Checked => {}
                }
                imports::run(transaction, id, &by)?;
                let detail = format!("import {id}: {} rows", import.total);
                let subject = Subject { detail: Some(&detail), ..Subject::default() };
                audit::add(transaction, &by, Action::RunImport, &subject)?;
                imports::by_id(transaction, id)?.ok_or(Refusal::NotFound)
            })
            .await?;
        self.import_waits.notify_one();
        Ok(import)
    }

    /// An import, and the rows that are wanted.
    ///
    /// # Errors
    /// There is no such import, or the database fails.
    pub async fn import(&self, query: ImportQuery) -> Result<ImportPage, Refusal> {
        self.store
            .read(move |snapshot| {
                let ImportQuery { id, only_wrong, cursor, limit } = query;
                let import = imports::by_id(snapshot, id)?.ok_or(Refusal::NotFound)?;
                let layout = imports::layout(snapshot, id)?.ok_or(Refusal::NotFound)?;
                let after = cursor.unwrap_or_default();
                let mut rows =
                    import_rows::page(snapshot, id, only_wrong, after, limit.saturating_add(1))?;
                let is_more = rows.len() > limit;
                rows.truncate(limit);
                let last = rows.last().map(|row| row.checked.line.to_string());
                let shown = rows.into_iter().map(|listed| ImportRow {
                    cells: row::body(&layout, &listed.checked.cells),
                    listed,
                });
                Ok(ImportPage { import, rows: shown.collect(), next: last.filter(|_| is_more) })
            })
            .await
    }

    /// The imports, the newest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn imports(&self, cursor: Option<i64>, limit: usize) -> Result<Imports, Refusal> {
        let more = limit.saturating_add(1);
        let mut imports =
            self.store.read(move |snapshot| imports::list(snapshot, cursor, more)).await?;
        let is_more = imports.len() > limit;
        imports.truncate(limit);
        let last = imports.last().map(|import| import.id.to_string());
        Ok(Imports { next: last.filter(|_| is_more), imports })
    }

    /// The result file: the rows as they were given, and what is known of each.
    ///
    /// # Errors
    /// There is no such import, or the database fails.
    pub async fn import_result(&self, id: i64) -> Result<Vec<u8>, Refusal> {
        self.store
            .read(move |snapshot| {
                let layout = imports::layout(snapshot, id)?.ok_or(Refusal::NotFound)?;
                let rows = import_rows::all(snapshot, id)?;
                let errors: Vec<String> = rows.iter().map(error).collect();
                let rows = rows.iter().zip(&errors).map(|(row, error)| Came {
                    cells: &row.checked.cells,
                    result: row.came.as_ref().map_or("", import_rows::Came::word),
                    request_id: row
                        .came
                        .as_ref()
                        .and_then(import_rows::Came::request_id)
                        .map_or("", |id| id.as_str()),
                    error,
                });
                write(&layout, rows).map_err(|why| Refusal::Failed(Failure::ResultFile(why)))
            })
            .await
    }

    /// Deletes the imports that were sent longer ago than ended requests are kept, and those whose
    /// sender has gone before all rows were written.
    ///
    /// # Errors
    /// The database fails.
    pub async fn delete_old_imports(&self) -> Result<(), Refusal> {
        let days = self.store.read(retention::days).await?;
        let now_ms = self.store.now_ms();
        let unwritten_ms = now_ms.saturating_sub(CHECK_MS);
        let before_ms = now_ms.saturating_sub(days.saturating_mul(DAY_MS));
        while let Some(id) =
            self.store.read(move |s| imports::old(s, unwritten_ms, before_ms)).await?
        {
            while self.store.write(move |t| import_rows::delete_some(t, id)).await? {}
            self.store.write(move |t| imports::delete(t, id)).await?;
        }
        Ok(())
    }
}

/// What is wrong with a row, in one text.
fn error(row: &Listed) -> String {
    match (&row.checked.verdict, &row.came) {
        (Verdict::Errors(wrong), _) => {
            let texts: Vec<String> = wrong.iter().map(ToString::to_string).collect();
            texts.join(" ")
        }
        (Verdict::Plan(_), Some(came)) => came.error().unwrap_or_default().to_owned(),
        (Verdict::Plan(_), None) => String::new(),
    }
}

/// As the API shows it.
impl Serialize for ImportRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown<'a> {
            line: i64,
            cells: &'a Map<String, Value>,
            #[serde(flatten)]
            verdict: &'a Verdict,
            #[serde(flatten)]
            came: Option<&'a import_rows::Came>,
        }
        let Listed { checked, came } = &self.listed;
        let shown = Shown {
            line: checked.line,
            cells: &self.cells,
            verdict: &checked.verdict,
            came: came.as_ref(),
        };
        shown.serialize(serializer)
    }
}
