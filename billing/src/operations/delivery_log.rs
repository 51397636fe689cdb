//! The log of a webhook's deliveries, as it is read.

use serde::Serialize;

use super::{Billing, Refusal};
use crate::store::delivery_log::{self, Entry};
use crate::store::webhooks;

/// One page of the log; the newest first.
#[derive(Debug, Clone, Serialize)]
pub struct DeliveryPage {
    /// The deliveries.
    pub deliveries: Vec<Delivery>,
    /// The cursor of the next page; `None` if this is the last one.
    pub next: Option<String>,
}

/// One delivery.
#[derive(Debug, Clone, Serialize)]
pub struct Delivery {
    /// What the receiver gets as `webhook-id`.
    pub id: String,
    /// The rest.
    #[serde(flatten)]
    pub entry: Entry,
}

impl Billing {
    /// The deliveries of a webhook, from where an earlier page has ended, at most so many.
    ///
    /// # Errors
    /// There is no such webhook, or the database fails.
    pub async fn deliveries(
        &self,
        webhook: i64,
        cursor: Option<i64>,
        limit: usize,
    ) -> Result<DeliveryPage, Refusal> {
        let page = self.store.read(move |snapshot| {
            if !webhooks::exists(snapshot, webhook)? {
                return Err(Refusal::NotFound);
            }
            Ok(delivery_log::page(snapshot, webhook, cursor, limit)?)
        });
        let (entries, next) = page.await?;
        let deliveries = entries
            .into_iter()
            .map(|entry| Delivery { id: self.delivery_id(entry.number), entry })
            .collect();
        Ok(DeliveryPage { deliveries, next: next.map(|number| number.to_string()) })
    }

    /// The ID of a delivery: the same at each attempt, so the receiver knows what it has already.
    pub(crate) fn delivery_id(&self, number: i64) -> String {
        format!("{}-{number}", self.issuer)
    }
}
