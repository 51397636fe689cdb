//! How long ended requests are kept.

use super::audit::LEAST_DAYS;
use super::{Billing, Refusal};
use crate::audit::{Action, Actor, Subject};
use crate::store::retention::{self, Mark};
use crate::store::{Transaction, audit, delivery_log};

/// One day, in milliseconds.
pub(super) const DAY_MS: i64 = 24 * 3_600_000;

impl Billing {
    /// For how many days ended requests are kept.
    ///
    /// # Errors
    /// The database fails.
    pub async fn retention_days(&self) -> Result<i64, Refusal> {
        Ok(self.store.read(retention::days).await?)
    }

    /// Sets it.
    ///
    /// # Errors
    /// The database fails.
    pub async fn set_retention_days(&self, days: i64, by: Actor) -> Result<(), Refusal> {
        self.store.write(move |transaction| set_days(transaction, days, &by)).await
    }

    /// Deletes the requests that ended longer ago than that, the deliveries of webhooks of that age from
    /// their log, and old entries of the audit log.
    ///
    /// # Errors
    /// The database fails.
    pub async fn delete_old(&self) -> Result<(), Refusal> {
        let days = self.retention_days().await?;
        let before_ms = self.store.now_ms().saturating_sub(days.saturating_mul(DAY_MS));
        let mut mark = Some(Mark::default());
        while let Some(after) = mark {
            let next = self.store.write(move |t| retention::delete_ended(t, after, before_ms));
            mark = next.await?;
        }
        while self.store.write(move |t| delivery_log::delete_old(t, before_ms)).await? {}
        let days = days.max(LEAST_DAYS);
        let before_ms = self.store.now_ms().saturating_sub(days.saturating_mul(DAY_MS));
        while self.store.write(move |t| audit::delete_old(t, before_ms)).await? {}
        Ok(())
    }
}

pub(crate) fn set_days(
    transaction: &Transaction<'_>,
    days: i64,
    by: &Actor,
) -> Result<(), Refusal> {
    retention::set_days(transaction, days)?;
    let detail = format!("{days} days");
    let subject = Subject { detail: Some(&detail), ..Subject::default() };
    Ok(audit::add(transaction, by, Action::SetRetention, &subject)?)
}
