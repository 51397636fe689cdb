//! The rows of an import are run. What a row does and what came of it are one transaction, so that a
//! restart neither leaves a row out nor runs it twice.

use std::time::Duration;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use intercom_import::Layout;
use tokio::time::timeout;

use super::super::credentials::Given;
use super::super::patch::SameIdentity;
use super::super::updated::Updated;
use super::super::{Billing, Conflict, Refusal, plan};
use super::row;
use crate::audit::Actor;
use crate::offer::Rule;
use crate::store::Transaction;
use crate::store::import_rows::{self, Came, Checked, Listed, Planned, Verdict};
use crate::store::imports;
use crate::store::macs::Believed;

/// How many rows are run together. They share a commit, and other calls wait for no more of them.
const AT_ONCE: usize = 16;
/// How often it is looked whether another process has begun an import.
const LOOKS_EVERY: Duration = Duration::from_secs(2);
/// The pause after the database has failed.
const PAUSE: Duration = Duration::from_secs(5);

impl Billing {
    /// Runs the rows of imports until it is dropped.
    pub(crate) async fn run_imports(self) {
        loop {
            match self.run_some_rows().await {
                Ok(true) => {}
                // One that was begun by another process is seen within a while.
                Ok(false) => drop(timeout(LOOKS_EVERY, self.import_waits.notified()).await),
                Err(why) => {
                    tracing::error!("the rows of an import cannot be run: {why}");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Runs the next rows of the first import that is running. False if none is.
    async fn run_some_rows(&self) -> Result<bool, Refusal> {
        let next = self.store.read(|snapshot| {
            let Some((id, starter)) = imports::running(snapshot)? else { return Ok(None) };
            let layout = imports::layout(snapshot, id)?.ok_or(Refusal::NotFound)?;
            let rows = import_rows::open(snapshot, id, AT_ONCE)?;
            Ok::<_, Refusal>(Some((id, starter, layout, rows)))
        });
        let Some((id, starter, layout, rows)) = next.await? else { return Ok(false) };
        if rows.is_empty() {
            self.store.write(move |t| imports::finish(t, id)).await?;
            tracing::info!("import {id}: every row was run");
            return Ok(true);
        }
        let run = |row: Listed| self.run_row(id, &starter, &layout, row.checked);
        stream::iter(rows.into_iter().map(run)).buffered(AT_ONCE).try_collect::<Vec<()>>().await?;
        Ok(true)
    }

    async fn run_row(
        &self,
        id: i64,
        starter: &Actor,
        layout: &Layout,
        row: Checked,
    ) -> Result<(), Refusal> {
        let (rule, believed) = (self.rule(), self.believed);
        let (line, starter, layout) = (row.line, starter.clone(), layout.clone());
        let done = self.store.write(move |transaction| {
            let (came, updated) = attempt(transaction, rule, believed, &layout, &row, &starter)?;
            keep(transaction, id, line, &came)?;
            Ok::<_, Refusal>(updated)
        });
        match done.await {
            Ok(updated) => updated.log(),
            Err(failure @ Refusal::Failed(_)) => return Err(failure),
            Err(refusal) => {
                let came = Came::Failed { error: refusal.to_string() };
                self.store.write(move |transaction| keep(transaction, id, line, &came)).await?;
            }
        }
        Ok(())
    }
}

/// Does what the check has shown, or nothing.
fn attempt(
    transaction: &Transaction<'_>,
    rule: Rule,
    believed: Believed,
    layout: &Layout,
    row: &Checked,
    starter: &Actor,
) -> Result<(Came, Updated), Refusal> {
    let mut body = row::body(layout, &row.cells);
    row::complete(transaction, &mut body)?;
    let (given, same) = (Given::Nothing, SameIdentity::IsThere);
    let (plan, updated) = plan::make(transaction, rule, believed, &body, &given, starter, same)?;
    match (&row.verdict, Planned::of(&plan)) {
        (Verdict::Plan(shown), Some(planned)) if planned.does_as(shown) => {}
        _ => return Err(Refusal::Conflict(Conflict::HasChanged)),
    }
    let came = match (plan.is_new, plan.request_id) {
        (true, Some(request_id)) => Came::Requested { request_id },
        (_, request_id) => Came::Unchanged { request_id },
    };
    Ok((came, updated))
}

fn keep(
    transaction: &Transaction<'_>,
    id: i64,
    line: i64,
    came: &Came,
) -> crate::store::Result<()> {
    if import_rows::set(transaction, id, line, came)? {
        imports::count(transaction, id, matches!(came, Came::Failed { .. }))?;
    }
    Ok(())
}
