//! The audit log as it is read, and how long it is kept.

use super::{Billing, Refusal};
use crate::store::audit::{self, Filter, Page};

/// For how many days it is kept at least: who shortens the time for ended requests does not thereby
/// hide their own changes.
pub(super) const LEAST_DAYS: i64 = 365;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct AuditQuery {
    /// Which entries.
    pub filter: Filter,
    /// `next` of the page before.
    pub cursor: Option<i64>,
    /// How many at most.
    pub limit: usize,
}

impl Billing {
    /// The entries that are wanted, the newest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn audit(&self, query: AuditQuery) -> Result<Page, Refusal> {
        let AuditQuery { filter, cursor, limit } = query;
        Ok(self.store.read(move |snapshot| audit::page(snapshot, &filter, cursor, limit)).await?)
    }
}
