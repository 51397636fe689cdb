//! What is told of one door: the hardware that was there, and what was asked of it.

use serde::Serialize;

use super::{Billing, Refusal, wait};
use crate::store::hardware::{self, Hardware};
use crate::store::history::{self, Entry};

/// How much of each kind is told.
const TOLD: i64 = 200;

/// What is told of one door; the newest first.
#[derive(Debug, Clone, Serialize)]
pub struct Timeline {
    /// The intercom.
    pub intercom_id: i64,
    /// Its name.
    pub title: Option<String>,
    /// When it was deleted, if it was.
    pub deleted_at: Option<String>,
    /// The hardware that was there.
    pub hardware: Vec<Hardware>,
    /// What was asked for, and how it ended.
    pub requests: Vec<Entry>,
}

impl Billing {
    /// The timeline of an intercom, also of a deleted one.
    ///
    /// # Errors
    /// There never was such an intercom, or the database fails.
    pub async fn timeline(&self, intercom_id: i64) -> Result<Timeline, Refusal> {
        let rule = self.rule();
        self.store
            .read(move |snapshot| {
                let place = hardware::place(snapshot, intercom_id)?.ok_or(Refusal::NotFound)?;
                let now_ms = snapshot.now_ms();
                let requests = history::list(snapshot, Some(intercom_id), now_ms, TOLD)?;
                Ok(Timeline {
                    intercom_id,
                    title: place.title,
                    deleted_at: place.deleted_at,
                    hardware: hardware::of_an_intercom(snapshot, intercom_id, TOLD)?,
                    requests: wait::with_turns(snapshot, rule, requests)?,
                })
            })
            .await
    }
}
