//! Webhooks: who is told what happens, what is delivered next, and what an attempt has come to.

use axum::http::StatusCode;
use intercom_wire::Errors;

use super::{Billing, Refusal};
use crate::audit::{Action, Actor, Subject};
use crate::store::deliveries::{self, Due};
use crate::store::delivery_log::{self, Attempted};
use crate::store::webhooks::{self, Listed, New, Receiver};
use crate::store::{Transaction, audit};

/// Upper bound on the webhooks: each event is written once for each of them.
const MOST: i64 = 20;
/// The pause after the first failed attempt, in milliseconds. It doubles with each further one.
const PAUSE_MS: i64 = 5_000;
/// The longest pause, in milliseconds.
const LONGEST_PAUSE_MS: i64 = 900_000;

/// How long a process that has taken a delivery has it for itself, in milliseconds: longer than an attempt
/// takes.
const TAKEN_MS: i64 = 30_000;

/// What a webhook is to get.
pub struct Planned {
    /// The webhook.
    pub receiver: Receiver,
    /// When.
    pub when: When,
}

/// When a delivery is sent.
#[derive(Debug, PartialEq, Eq)]
pub enum When {
    /// Now.
    Now(Due),
    /// Not before this, Unix time in milliseconds.
    At(i64),
    /// Nothing waits.
    Never,
}

/// What an attempt has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// The receiver has it.
    Delivered(StatusCode),
    /// The receiver does not take this one, and may take those of other doors.
    Refused(StatusCode),
    /// The receiver is in trouble itself.
    Busy(StatusCode),
    /// There is no receiver; why.
    NotReached(String),
}

impl Attempt {
    /// The receiver has answered.
    pub fn answered(status: StatusCode) -> Self {
        match status {
            status if status.is_success() => Attempt::Delivered(status),
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Attempt::Busy(status),
            status if status.is_server_error() => Attempt::Busy(status),
            status => Attempt::Refused(status),
        }
    }

    /// Why it has failed, if it has.
    pub fn trouble(&self) -> Option<String> {
        match self {
            Attempt::Delivered(_) => None,
            Attempt::Refused(status) | Attempt::Busy(status) => {
                Some(format!("the receiver answers {status}"))
            }
            Attempt::NotReached(why) => Some(why.clone()),
        }
    }

    fn status(&self) -> Option<StatusCode> {
        match self {
            Attempt::Delivered(status) | Attempt::Refused(status) | Attempt::Busy(status) => {
                Some(*status)
            }
            Attempt::NotReached(_) => None,
        }
    }
}

impl Billing {
    /// Adds a webhook.
    ///
    /// # Errors
    /// There are too many, or the database fails.
    pub async fn add_webhook(&self, new: New, by: Actor) -> Result<Listed, Refusal> {
        self.store.write(move |transaction| add(transaction, &new, &by)).await
    }

    /// Removes a webhook, and what waits for it.
    ///
    /// # Errors
    /// There is none of that ID, or the database fails.
    pub async fn remove_webhook(&self, id: i64, by: Actor) -> Result<(), Refusal> {
        self.store.write(move |transaction| remove(transaction, id, &by)).await
    }

    /// Every webhook.
    ///
    /// # Errors
    /// The database fails.
    pub async fn webhooks(&self) -> Result<Vec<Listed>, Refusal> {
        Ok(self.store.read(webhooks::list).await?)
    }

    /// What each webhook is to get, after those panels were told of that have been away for long.
    ///
    /// # Errors
    /// The database fails.
    pub async fn planned_deliveries(&self) -> Result<Vec<Planned>, Refusal> {
        let offline = self.store.read(webhooks::next_offline_ms).await?;
        if offline.is_some_and(|at_ms| at_ms <= self.store.now_ms()) {
            self.store.write(webhooks::tell_offline).await?;
        }
        let planned = self.store.read(|snapshot| {
            let now_ms = snapshot.now_ms();
            let receivers = webhooks::receivers(snapshot)?.into_iter();
            let planned = receivers.map(|receiver| {
                let when = match deliveries::next_ms(snapshot, receiver.id)? {
                    None => When::Never,
                    Some(due_ms) if due_ms.max(receiver.rests_until_ms) > now_ms => {
                        When::At(due_ms.max(receiver.rests_until_ms))
                    }
                    Some(_) => {
                        deliveries::due(snapshot, receiver.id)?.map_or(When::Never, When::Now)
                    }
                };
                Ok(Planned { receiver, when })
            });
            planned.collect::<crate::store::Result<Vec<_>>>()
        });
        Ok(planned.await?)
    }

    /// A delivery is this process's, or another one's for a while: false.
    ///
    /// # Errors
    /// The database fails.
    pub async fn take_delivery(&self, due: &Due) -> Result<bool, Refusal> {
        if !self.store.location().is_shared() {
            return Ok(true);
        }
        let due = due.clone();
        let taken = self.store.write(move |transaction| {
            let again_ms = transaction.now_ms().saturating_add(TAKEN_MS);
            deliveries::take(transaction, &due, again_ms)
        });
        Ok(taken.await?)
    }

    /// When the next panel is told of that has gone, Unix time in milliseconds.
    ///
    /// # Errors
    /// The database fails.
    pub async fn next_offline_ms(&self) -> Result<Option<i64>, Refusal> {
        Ok(self.store.read(webhooks::next_offline_ms).await?)
    }

    /// Keeps what an attempt has come to.
    ///
    /// # Errors
    /// The database fails. The delivery is made again.
    pub async fn attempted(
        &self,
        receiver: &Receiver,
        due: &Due,
        attempt: Attempt,
    ) -> Result<(), Refusal> {
        let (id, failures) = (receiver.id, receiver.failures);
        let (number, refusals) = (due.number, due.refusals);
        let kept = self.store.write(move |transaction| {
            let now_ms = transaction.now_ms();
            let status = attempt.status().map(|status| status.as_u16());
            let trouble = attempt.trouble();
            let trouble = trouble.as_deref();
            delivery_log::attempted(transaction, number, &Attempted { status, trouble })?;
            match attempt {
                Attempt::Delivered(_) => {
                    deliveries::delivered(transaction, number)?;
                    webhooks::reached(transaction, id, None)
                }
                Attempt::Refused(_) => {
                    let due_ms = now_ms.saturating_add(pause_ms(refusals));
                    deliveries::due_again(transaction, number, due_ms)?;
                    webhooks::reached(transaction, id, trouble)
                }
                Attempt::Busy(_) | Attempt::NotReached(_) => {
                    let until_ms = now_ms.saturating_add(pause_ms(failures));
                    deliveries::give_back(transaction, number, now_ms)?;
                    webhooks::not_reached(transaction, id, until_ms, trouble)
                }
            }
        });
        Ok(kept.await?)
    }
}

pub(crate) fn add(transaction: &Transaction<'_>, new: &New, by: &Actor) -> Result<Listed, Refusal> {
    if webhooks::count(transaction)? >= MOST {
        let text = format!("There may not be more than {MOST} webhooks.");
        return Err(Errors::on("url", text).into());
    }
    let id = webhooks::add(transaction, new)?;
    let added = webhooks::list(transaction)?.into_iter().find(|listed| listed.id == id);
    let added = added.ok_or(Refusal::NotFound)?;
    // As it is listed: without the query of the URL, which may have a secret.
    let detail = format!("webhook {id} to {}", added.url);
    let subject = Subject { detail: Some(&detail), ..Subject::default() };
    audit::add(transaction, by, Action::AddWebhook, &subject)?;
    Ok(added)
}

pub(crate) fn remove(transaction: &Transaction<'_>, id: i64, by: &Actor) -> Result<(), Refusal> {
    if !webhooks::remove(transaction, id)? {
        return Err(Refusal::NotFound);
    }
    let detail = format!("webhook {id}");
    let subject = Subject { detail: Some(&detail), ..Subject::default() };
    Ok(audit::add(transaction, by, Action::RemoveWebhook, &subject)?)
}

/// How long the next attempt waits after so many failed ones before this one.
fn pause_ms(failed: u32) -> i64 {
    PAUSE_MS.saturating_mul(1 << failed.min(16)).min(LONGEST_PAUSE_MS)
}
