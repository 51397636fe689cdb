//! What each row of a file would do, without doing it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use intercom_import::{Column, Fault, Layout, Row};
use intercom_wire::{Errors, Fields, Mac, SerialNumber};
use serde_json::{Map, Value};

use super::super::patch::SameIdentity;
use super::super::{Billing, Plan, Refusal};
use super::row;
use crate::store::import_rows::{Checked, Planned, Verdict, Wrong};

/// How many rows are looked at together. They share what the writer does at a time, and other calls wait
/// for no more of them.
const AT_ONCE: usize = 16;

/// What no two rows of a file may have in common.
#[derive(PartialEq, Eq, Hash)]
enum Claim {
    Intercom(i64),
    Mac(Mac),
    SerialNumber(SerialNumber),
}

/// What was found out about a row by itself.
struct Alone {
    row: Row,
    /// The intercom that it is about, where it is that far right.
    intercom_id: Option<i64>,
    claims: Vec<(Column, Claim)>,
    verdict: Verdict,
}

/// Checks every row, by itself and against the others.
///
/// # Errors
/// The database fails.
pub(super) async fn check(
    billing: &Billing,
    layout: &Layout,
    rows: Vec<Row>,
) -> Result<Vec<Checked>, Refusal> {
    let alone = stream::iter(rows.into_iter().map(|row| by_itself(billing, layout, row)));
    let mut alone: Vec<Alone> = alone.buffered(AT_ONCE).try_collect().await?;
    name_swaps(&mut alone);
    let mut claimed = HashMap::new();
    Ok(alone.into_iter().map(|alone| against_others(alone, &mut claimed)).collect())
}

async fn by_itself(billing: &Billing, layout: &Layout, row: Row) -> Result<Alone, Refusal> {
    let mut body = row::body(layout, &row.cells);
    let mut claims = claims(&body);
    let (intercom_id, verdict) = match row.fault {
        Some(fault) => (None, Verdict::Errors(vec![of_fault(fault)])),
        None => {
            let completed = billing.store.read(move |snapshot| {
                row::complete(snapshot, &mut body)?;
                Ok::<_, Refusal>(body)
            });
            let plan = match completed.await {
                Ok(body) => billing.plan(body, SameIdentity::IsThere).await,
                Err(refusal) => Err(refusal),
            };
            (plan.as_ref().ok().map(|plan| plan.intercom_id), verdict(plan)?)
        }
    };
    if let Some(id) = intercom_id {
        let named_by = match layout.columns.contains(&Column::Id) {
            true => Column::Id,
            false => Column::Mac,
        };
        claims.push((named_by, Claim::Intercom(id)));
    }
    Ok(Alone { row, intercom_id, claims, verdict })
}

/// What it asks for.
fn claims(body: &Map<String, Value>) -> Vec<(Column, Claim)> {
    let mut fields = Fields::new(body);
    let mac = fields.mac("new_mac").map(|mac| (Column::NewMac, Claim::Mac(mac)));
    let serial_number = fields
        .serial_number("new_serial_number")
        .map(|serial_number| (Column::NewSerialNumber, Claim::SerialNumber(serial_number)));
    mac.into_iter().chain(serial_number).collect()
}

fn of_fault(fault: Fault) -> Wrong {
    let field = match fault {
        Fault::Surplus => "row",
        Fault::LineBreak(column) => column.name(),
    };
    Wrong { field: field.to_owned(), text: fault.to_string(), intercom_id: None }
}

fn verdict(plan: Result<Plan, Refusal>) -> Result<Verdict, Refusal> {
    match plan {
        Ok(plan) => Ok(Verdict::of(plan)),
        Err(Refusal::Invalid(errors)) => Ok(Verdict::Errors(wrong(&errors))),
        // It was deleted in this moment.
        Err(Refusal::NotFound) => {
            let errors = Errors::on("row", "There is no such intercom any more.");
            Ok(Verdict::Errors(wrong(&errors)))
        }
        Err(refusal) => Err(refusal),
    }
}

fn wrong(errors: &Errors) -> Vec<Wrong> {
    let each = errors.fields().flat_map(|(field, texts)| {
        texts.iter().map(|text| Wrong {
            field: field.to_owned(),
            text: text.clone(),
            intercom_id: None,
        })
    });
    each.collect()
}

/// Two rows that each ask for the MAC address of the other's intercom mean panels that have changed
/// places. No panel is changed for that, so it is another call's.
fn name_swaps(rows: &mut [Alone]) {
    let wanted: HashMap<i64, i64> = rows.iter().filter_map(Alone::wants_that_of).collect();
    for row in rows {
        if let Some((id, other)) = row.wants_that_of()
            && wanted.get(&other) == Some(&id)
            && let Verdict::Errors(wrong) = &mut row.verdict
        {
            for wrong in wrong.iter_mut().filter(|wrong| wrong.field == Column::NewMac.name()) {
                wrong.text = format!(
                    "Intercoms {id} and {other} exchange their panels: POST /api/v1/swaps does that."
                );
            }
        }
    }
}

impl Alone {
    /// The intercom that it is about, and the one that has the MAC address that it asks for.
    fn wants_that_of(&self) -> Option<(i64, i64)> {
        let Verdict::Errors(wrong) = &self.verdict else { return None };
        let of_mac = |wrong: &&Wrong| wrong.field == Column::NewMac.name();
        Some((self.intercom_id?, wrong.iter().find(of_mac)?.intercom_id?))
    }
}

/// The first row that claims something has it.
fn against_others(alone: Alone, claimed: &mut HashMap<Claim, u64>) -> Checked {
    let Alone { row, claims, verdict, .. } = alone;
    let mut doubles = Vec::new();
    for (column, claim) in claims {
        match claimed.entry(claim) {
            Entry::Vacant(free) => {
                free.insert(row.line);
            }
            Entry::Occupied(first) => doubles.push(double(column, *first.get())),
        }
    }
    let verdict = match verdict {
        Verdict::Errors(wrong) => Verdict::Errors(wrong.into_iter().chain(doubles).collect()),
        Verdict::Plan(_) if !doubles.is_empty() => Verdict::Errors(doubles),
        plan @ Verdict::Plan(_) => plan,
    };
    let line = i64::try_from(row.line).unwrap_or(i64::MAX);
    Checked { line, cells: row.cells, verdict }
}

fn double(column: Column, first: u64) -> Wrong {
    let text = match column {
        Column::NewMac | Column::NewSerialNumber => format!("Line {first} asks for the same."),
        _ => format!("Line {first} is about the same intercom."),
    };
    Wrong { field: column.name().to_owned(), text, intercom_id: None }
}

impl Verdict {
    /// Of what would come of a body.
    fn of(plan: Plan) -> Self {
        match Planned::of(&plan) {
            Some(planned) => Verdict::Plan(Box::new(planned)),
            None => Verdict::Errors(
                plan.conflicts
                    .into_iter()
                    .map(|taken| Wrong {
                        field: taken.field,
                        text: taken.text,
                        intercom_id: taken.intercom_id,
                    })
                    .collect(),
            ),
        }
    }
}

impl Planned {
    /// What would come of a body that is not refused.
    pub(super) fn of(plan: &Plan) -> Option<Self> {
        Some(Planned {
            intercom_id: plan.intercom_id,
            title: plan.title.clone(),
            from: plan.from.clone(),
            to: plan.to.clone()?,
            supersedes: plan.supersedes.as_ref().map(ToString::to_string),
            online: plan.panel.online,
            waits_for: plan.wait.as_ref().map(|wait| wait.text.clone()),
        })
    }

    /// Whether the same would be done, whoever is there or waited for by now.
    pub(super) fn does_as(&self, other: &Planned) -> bool {
        self.intercom_id == other.intercom_id
            && self.from == other.from
            && self.to == other.to
            && self.supersedes == other.supersedes
    }
}
