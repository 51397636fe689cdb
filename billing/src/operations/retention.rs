//! How long ended requests are kept.

use super::{Billing, Refusal};
use crate::store::retention::{self, Mark};

/// One day, in milliseconds.
const DAY_MS: i64 = 24 * 3_600_000;

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
    pub async fn set_retention_days(&self, days: i64) -> Result<(), Refusal> {
        Ok(self.store.write(move |transaction| retention::set_days(transaction, days)).await?)
    }

    /// Deletes the requests that ended longer ago than that.
    ///
    /// # Errors
    /// The database fails.
    pub async fn delete_old_requests(&self) -> Result<(), Refusal> {
        let days = self.retention_days().await?;
        let before_ms = self.store.now_ms().saturating_sub(days.saturating_mul(DAY_MS));
        let mut mark = Some(Mark::default());
        while let Some(after) = mark {
            let next = self.store.write(move |t| retention::delete_ended(t, after, before_ms));
            mark = next.await?;
        }
        Ok(())
    }
}
