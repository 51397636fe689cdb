//! An identity is asked for with the documented body, or only what would come of it.

use intercom_wire::{BoardName, Errors, Patch, Reader, RequestId};
use serde::Serialize;
use serde_json::{Map, Value};

use super::credentials::Given;
use super::patch::SameIdentity;
use super::updated::Updated;
use super::wait::{self, Wait};
use super::{Billing, Refusal, credentials, find, patch, scheduled};
use crate::audit::Actor;
use crate::offer::Rule;
use crate::replacement::State;
use crate::schedule::rfc_3339;
use crate::store::history::Shown;
use crate::store::intercoms::{self, Name, Record};
use crate::store::macs::Believed;
use crate::store::sightings::{self, Sighting};
use crate::store::{self, Transaction, owners, pending, requests};

/// What comes of a body, or would.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// Nothing was changed.
    pub dry_run: bool,
    /// The intercom.
    pub intercom_id: i64,
    /// Its name.
    pub title: Option<String>,
    /// What its panel is known to carry.
    pub from: Shown,
    /// What is asked for; `None` if the body is refused.
    pub to: Option<Shown>,
    /// The request. `None` in a dry run that would make a new one.
    pub request_id: Option<RequestId>,
    /// The pending request that it takes the place of.
    pub supersedes: Option<RequestId>,
    /// Why the body is refused. Only a dry run has any.
    pub conflicts: Vec<Taken>,
    /// The intercom's panel.
    pub panel: Panel,
    /// Whom it waits for first.
    pub wait: Option<Wait>,
    /// A request was made, or would be; the same one was not pending already.
    #[serde(skip)]
    pub is_new: bool,
}

/// Something that the body cannot have.
#[derive(Debug, Clone, Serialize)]
pub struct Taken {
    /// The field.
    pub field: String,
    /// What is wrong with it.
    pub text: String,
    /// The intercom that has it.
    pub intercom_id: Option<i64>,
}

/// The panel of an intercom.
#[derive(Debug, Clone, Serialize)]
pub struct Panel {
    /// The board, where it is known.
    pub board: Option<BoardName>,
    /// It is there now.
    pub online: bool,
    /// When it was there last, RFC 3339 in UTC; `None` if it never was.
    pub last_seen_at: Option<String>,
}

impl Plan {
    /// A request that was undone has no ID, and nothing can be decided about it.
    fn only_planned(self) -> Self {
        let wait = self.wait.map(|wait| match self.is_new {
            true => Wait { decisions: Vec::new(), ..wait },
            false => wait,
        });
        let request_id = self.request_id.filter(|_| !self.is_new);
        Plan { dry_run: true, request_id, wait, ..self }
    }
}

/// Why what was done is undone.
enum Undone {
    Planned(Box<Plan>),
    Refused(Refusal),
}

impl Billing {
    /// Does what the documented PATCH does with this body, and tells what is waited for.
    ///
    /// # Errors
    /// As [`Billing::patch`]; or the body asks for no identity.
    pub async fn request(
        &self,
        body: Map<String, Value>,
        asked_by: Actor,
    ) -> Result<Plan, Refusal> {
        let (rule, believed) = (self.rule(), self.believed);
        let given = credentials::read(&body, self.credential_key.as_ref())?;
        let same = SameIdentity::IsAsked;
        let (plan, updated) = self
            .store
            .write(move |transaction| {
                make(transaction, rule, believed, &body, &given, &asked_by, same)
            })
            .await?;
        updated.log();
        Ok(plan)
    }

    /// What [`Billing::request`] would do. It is done, and undone.
    ///
    /// # Errors
    /// The body is invalid, there is no such intercom, or the database fails.
    pub async fn dry_run(&self, body: Map<String, Value>) -> Result<Plan, Refusal> {
        self.plan(body, SameIdentity::IsAsked).await
    }

    pub(super) async fn plan(
        &self,
        body: Map<String, Value>,
        same: SameIdentity,
    ) -> Result<Plan, Refusal> {
        let (rule, believed, patch) = (self.rule(), self.believed, read(&body)?);
        let undone = self.store.write(move |transaction| {
            let before = Before::of(transaction, &patch)?;
            let schedule = scheduled::read(&body, transaction.now_ms()).map_err(Refusal::from)?;
            let updated = patch::update(transaction, &patch, &schedule, "", believed, same);
            let plan = match updated {
                Ok(_) => before.plan(transaction, rule)?,
                Err(Refusal::Invalid(errors)) => before.refused(transaction, &patch, &errors)?,
                Err(refusal) => return Err(Undone::Refused(refusal)),
            };
            Err::<Plan, _>(Undone::Planned(Box::new(plan)))
        });
        match undone.await {
            Ok(plan) => Ok(plan),
            Err(Undone::Planned(plan)) => Ok(plan.only_planned()),
            Err(Undone::Refused(refusal)) => Err(refusal),
        }
    }
}

/// Does what [`Billing::request`] does.
pub(super) fn make(
    transaction: &Transaction<'_>,
    rule: Rule,
    believed: Believed,
    body: &Map<String, Value>,
    given: &Given,
    by: &Actor,
    same: SameIdentity,
) -> Result<(Plan, Updated), Refusal> {
    let patch = read(body)?;
    let before = Before::of(transaction, &patch)?;
    let schedule = scheduled::read(body, transaction.now_ms())?;
    let updated = patch::update(transaction, &patch, &schedule, &by.to_string(), believed, same)?;
    credentials::keep(transaction, before.record.id, given)?;
    updated.record(transaction, by, body, given)?;
    Ok((before.plan(transaction, rule)?, updated))
}

fn read(body: &Map<String, Value>) -> Result<Patch, Errors> {
    let patch = Patch::read(body, Reader::Service)?;
    if patch.changes_identity() {
        return Ok(patch);
    }
    let text = "The new mac field is required when new serial number is not present.";
    Err(Errors::on("new_mac", text))
}

/// The intercom before its record is changed.
struct Before {
    record: Record,
    pending: Option<RequestId>,
}

impl Before {
    fn of(transaction: &Transaction<'_>, patch: &Patch) -> Result<Self, Refusal> {
        let record = find(transaction, &Name::from(patch.named_by))?;
        Ok(Before { pending: pending_of(transaction, record.id)?, record })
    }

    fn plan(self, transaction: &Transaction<'_>, rule: Rule) -> Result<Plan, Refusal> {
        let after = find(transaction, &Name::Id(self.record.id))?;
        let request_id = pending_of(transaction, after.id)?;
        let wait = match &request_id {
            Some(request_id) => pending::by_id(transaction, request_id)?,
            None => None,
        };
        let wait = wait.map(|pending| wait::of(transaction, rule, &pending)).transpose()?;
        let supersedes = self.pending.clone().filter(|before| Some(before) != request_id.as_ref());
        Ok(Plan {
            to: Some(Shown::from(&after.desired)),
            is_new: request_id != self.pending,
            request_id,
            supersedes,
            wait,
            ..self.described(transaction)?
        })
    }

    fn refused(
        self,
        transaction: &Transaction<'_>,
        patch: &Patch,
        errors: &Errors,
    ) -> Result<Plan, Refusal> {
        let id = self.record.id;
        let mut conflicts = Vec::new();
        for (field, texts) in errors.fields() {
            let owner = match (field, patch.new_mac, &patch.new_serial_number) {
                ("new_mac", Some(mac), _) => owners::of_mac(transaction, mac, id)?,
                ("new_serial_number", _, Some(serial_number)) => {
                    owners::of_serial_number(transaction, serial_number, id)?
                }
                _ => None,
            };
            conflicts.extend(texts.iter().map(|text| Taken {
                field: field.to_owned(),
                text: text.clone(),
                intercom_id: owner,
            }));
        }
        Ok(Plan { conflicts, ..self.described(transaction)? })
    }

    fn described(self, transaction: &Transaction<'_>) -> Result<Plan, Refusal> {
        let board = intercoms::board(transaction, self.record.id)?;
        let sighting = match &board {
            Some(board) => sightings::of_board(transaction, board)?,
            None => sightings::with_mac(transaction, self.record.confirmed.identity.mac)?,
        };
        let last_ms = sighting.at_ms(transaction.now_ms());
        Ok(Plan {
            dry_run: false,
            intercom_id: self.record.id,
            title: self.record.shown.title,
            from: Shown::from(&self.record.confirmed),
            to: None,
            request_id: None,
            supersedes: None,
            conflicts: Vec::new(),
            panel: Panel {
                board,
                online: sighting == Sighting::Online,
                last_seen_at: last_ms.map(rfc_3339),
            },
            wait: None,
            is_new: false,
        })
    }
}

fn pending_of(transaction: &Transaction<'_>, id: i64) -> Result<Option<RequestId>, Refusal> {
    let newest = requests::newest(transaction, id)?;
    let pending = newest.filter(|newest| newest.state == State::Pending);
    Ok(pending.map(|newest| newest.request_id))
}

impl From<Refusal> for Undone {
    fn from(refusal: Refusal) -> Self {
        Undone::Refused(refusal)
    }
}

impl From<store::Error> for Undone {
    fn from(error: store::Error) -> Self {
        Undone::Refused(error.into())
    }
}
