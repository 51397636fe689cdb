//! The table of decisions, in its order.

use std::fmt;

use intercom_wire::signature::{Flaw, Signature};
use intercom_wire::{
    BoardName, Errors, Identity, Mac, Outcome, Patch, Report, Request, Unreadable, comparable_model,
};

use super::facts::{Delivered, Facts, MacOwner, Mine, Timing, Via, WithheldTopic, new_mac};
use crate::record::{SeqMark, SerialOrigin};

/// How often a request is deferred before it is rejected.
pub const MAX_DEFERRALS: u8 = 3;

/// What a request means for this board.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Not this board's business.
    Ignore(Ignored),
    /// Refused, with the 422 body.
    Reject(Errors),
    /// Decided before: the stored report goes out again, and nothing is touched.
    AlreadyDone(Box<Report>),
    /// The same content was installed before, and the board carries that identity: the same.
    StillHolds(Box<Report>),
    /// A later request for the same intercom was decided before: this one never will be applied. With
    /// the `seq` of that one.
    Overtaken(u64),
    /// It may be an old one: it does not answer what this panel last said upstream. Whoever wants it
    /// done sends it again when the panel says once more that it is there.
    Hint,
    /// The change in progress is this request's.
    InProgress,
    /// A change is in progress: decide when that one has ended.
    Keep,
    /// Find out who has this MAC address now, then decide again.
    LookUp(Mac),
    /// Another board has the new MAC now: decide again later.
    Defer(Option<BoardName>),
    /// What the board itself is could not be read yet: decide again when it is known.
    AwaitBoard,
    /// It could not be found out who has this MAC address now, perhaps since the broker withholds a topic:
    /// look it up again later.
    DeferUnknown(Mac, Option<WithheldTopic>),
    /// The board already has the identity that the request asks for.
    AlreadyInstalled,
    /// The board is to take this identity.
    Apply(Identity),
}

/// Why a delivery is ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ignored {
    /// A signature is required, and there is none, or one that could be replayed.
    NotSigned,
    /// It is signed, and badly: somebody is pretending, or a key is missing here.
    BadlySigned(Flaw),
    /// It cannot be told whom it is for.
    Unreadable,
    /// It is for another board.
    NotOurs,
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ignored::NotSigned => f.write_str(
                "it must be signed, with an `issuer`, or a `seq` and the `id` or `mac` of its target, in it",
            ),
            Ignored::BadlySigned(flaw) => write!(f, "it is signed badly: {flaw}"),
            Ignored::Unreadable => f.write_str("it cannot be told whom it is for"),
            Ignored::NotOurs => f.write_str("it is for another board"),
        }
    }
}

/// Decides. The rows are numbered as in the table of docs/protocol.md.
pub fn decide(
    request: &Result<Request, Unreadable>,
    delivered: &Delivered,
    facts: &Facts<'_>,
) -> Decision {
    // 1. Before anything else is looked at. A bad signature counts for less than none: whoever signs
    // wants it checked.
    if let Signature::Bad(flaw) = &delivered.signature {
        return Decision::Ignore(Ignored::BadlySigned(flaw.clone()));
    }
    if facts.require_signature && !well_signed(request, delivered) {
        return Decision::Ignore(Ignored::NotSigned);
    }

    // 2. Whom is it for?
    let request = match request {
        Ok(request) => request,
        Err(unreadable) => return decide_unreadable(unreadable, delivered),
    };

    // 4, first of all: an old offer is worth nothing, whatever it says.
    if request.issuer.is_some() && !delivered.is_fresh {
        return Decision::Hint;
    }

    // 3. Is it for me, or am I the replacement?
    let mine = Mine::of(request, facts);
    let current = &facts.current.identity;
    let replacement = !mine.at_all() && new_mac(request) == Some(current.mac);
    if !mine.at_all() && !replacement {
        return match delivered.via {
            Via::MacTopic | Via::Installer => Decision::Reject(names_another(request, facts)),
            Via::BoardTopic | Via::PendingList => Decision::Ignore(Ignored::NotOurs),
        };
    }

    // 5, before its own mark overtakes it.
    if facts.in_progress.is_some_and(|cause| cause.is_of(request)) {
        return Decision::InProgress;
    }

    // 4. Was it decided before?
    if let Some(decision) = decided_before(request, delivered, facts) {
        return decision;
    }

    // 5. One change at a time.
    if facts.changing {
        return Decision::Keep;
    }

    // 6. Is it valid?
    let patch = match &request.content {
        Ok(patch) => patch,
        Err(errors) => return Decision::Reject(errors.clone()),
    };

    // 7. Is this the model that it is for?
    if mine.at_all()
        && let Some(errors) = wrong_model(patch, facts)
    {
        return Decision::Reject(errors);
    }

    // 8 to 10. I carry the new MAC already: the replacement on the wall.
    if replacement {
        return decide_replacement(patch, facts);
    }

    // 11. What is mine by a MAC address that is not this board's own may be others' too. An installer
    // who names this very board knows which one it is.
    let is_named_by_hand = delivered.via == Via::Installer && !mine.only_by_mac();
    if facts.awaits_mac() && !is_named_by_hand {
        return Decision::AwaitBoard;
    }
    if mine.only_by_mac() && !facts.current.has_mac() {
        return Decision::Reject(Errors::on(
            "mac",
            format!(
                "The mac field is ambiguous: {} is not known to be this board's own, and others \
                 may carry it too. Name the intercom by id.",
                current.mac
            ),
        ));
    }

    // 12. Would it make me another board's double?
    if let Some(new_mac) = patch.new_mac.filter(|new_mac| *new_mac != current.mac) {
        match &facts.owner {
            MacOwner::NotLookedUp => return Decision::LookUp(new_mac),
            MacOwner::AnotherBoard(board) if delivered.deferrals < MAX_DEFERRALS => {
                return Decision::Defer(board.clone());
            }
            MacOwner::AnotherBoard(board) => return Decision::Reject(conflict(new_mac, board)),
            MacOwner::Unknown(why) if delivered.deferrals < MAX_DEFERRALS => {
                return Decision::DeferUnknown(new_mac, why.clone());
            }
            MacOwner::Unknown(why) => {
                return Decision::Reject(unknown_owner(new_mac, why.as_ref()));
            }
            MacOwner::Nobody => {}
        }
    }

    // 13 and 14.
    let wanted = Identity {
        mac: patch.new_mac.unwrap_or(current.mac),
        serial_number: patch.new_serial_number.clone().or_else(|| current.serial_number.clone()),
    };
    if wanted == *current { Decision::AlreadyInstalled } else { Decision::Apply(wanted) }
}

/// A signed request must be known for an old one when it is: by the nonce that it names, if it has an
/// issuer, else by a `seq` and the intercom that it counts for. The clock may be wrong, so an expiry
/// alone would protect nothing.
fn well_signed(request: &Result<Request, Unreadable>, delivered: &Delivered) -> bool {
    let is_dated = |request: &Request| request.issuer.is_some() || SeqMark::of(request).is_some();
    delivered.via == Via::Installer
        || delivered.signature == Signature::Good && request.as_ref().is_ok_and(is_dated)
}

/// The field that names another panel, and what this one has there.
fn names_another(request: &Request, facts: &Facts<'_>) -> Errors {
    let (field, own) = match (request.target.mac, request.target.id, facts.id) {
        (None, Some(_), Some(own)) => ("id", format!("ID is {}", own.value())),
        (None, Some(_), None) => ("id", "ID is not known".to_owned()),
        _ => ("mac", format!("MAC is {}", facts.current.identity.mac)),
    };
    Errors::on(field, format!("The {field} field does not name this panel: its {own}."))
}

fn decide_unreadable(unreadable: &Unreadable, delivered: &Delivered) -> Decision {
    let to_me = match delivered.via {
        Via::MacTopic | Via::BoardTopic | Via::Installer => true,
        // Without an ID, billing could not tell which one the rejection is for.
        Via::PendingList => unreadable.id.is_some(),
    };
    if to_me {
        Decision::Reject(unreadable.errors.clone())
    } else {
        Decision::Ignore(Ignored::Unreadable)
    }
}

fn decided_before(request: &Request, delivered: &Delivered, facts: &Facts<'_>) -> Option<Decision> {
    let done = |report: &Report| {
        let mut report = Box::new(report.clone());
        report.request_id.clone_from(&request.id);
        report
    };
    let is_retried = delivered.timing == Timing::Retried;
    let by_id = || request.id.as_ref().and_then(|id| facts.past.by_id(id));
    if let Some(entry) = by_id().filter(|_| !is_retried) {
        return Some(Decision::AlreadyDone(done(&entry.report)));
    }
    if let Some(mark) = facts.past.overtaken_by(request, delivered.timing) {
        return Some(Decision::Overtaken(mark));
    }
    let entry = facts.past.durable.by_hash(&request.hash)?;
    let maybe_old = request.id.is_none() && delivered.timing == Timing::Again;
    if maybe_old {
        return Some(Decision::AlreadyDone(done(&entry.report)));
    }
    let still_holds = entry.report.outcome() == Some(Outcome::Installed)
        && entry.report.identity().as_ref() == Some(&facts.current.identity);
    still_holds.then(|| Decision::StillHolds(done(&entry.report)))
}

fn decide_replacement(patch: &Patch, facts: &Facts<'_>) -> Decision {
    let current = facts.current;
    if facts.awaits_mac() {
        return Decision::AwaitBoard;
    }
    let Some(wanted) = &patch.new_serial_number else { return Decision::AlreadyInstalled };
    let own = &current.identity.serial_number;
    if own.as_ref() == Some(wanted) {
        return Decision::AlreadyInstalled;
    }
    let wrong = |text| Decision::Reject(Errors::on("new_serial_number", text));
    match (own, current.serial_origin) {
        (Some(own), Some(SerialOrigin::Board)) => wrong(format!(
            "The new serial number field must be {own}, which is this board's own: the wrong board \
             is on the wall."
        )),
        (None, Some(SerialOrigin::Unread)) if facts.still_reading => Decision::AwaitBoard,
        (None, Some(SerialOrigin::Unread)) => wrong(
            "The new serial number field cannot be checked: this board's own serial number cannot \
             be read. `intercom-agent doctor` on the panel says why."
                .to_owned(),
        ),
        _ => match wrong_model(patch, facts) {
            Some(errors) => Decision::Reject(errors),
            None => Decision::Apply(Identity {
                mac: current.identity.mac,
                serial_number: Some(wanted.clone()),
            }),
        },
    }
}

fn wrong_model(patch: &Patch, facts: &Facts<'_>) -> Option<Errors> {
    let model = patch.model.as_ref()?;
    if facts.models.is_empty() {
        return Some(Errors::on(
            "model",
            "The model field cannot be checked: this board does not know its model. Set models in \
             its configuration.",
        ));
    }
    let asked = comparable_model(model);
    if facts.models.iter().any(|own| comparable_model(own) == asked) {
        return None;
    }
    let own = facts.models.join(", ");
    Some(Errors::on("model", format!("The selected model is invalid: this board is a {own}.")))
}

fn conflict(new_mac: Mac, board: &Option<BoardName>) -> Errors {
    let owner = board.as_ref().map_or_else(|| "another board".into(), |b| format!("board {b}"));
    Errors::on(
        "new_mac",
        format!("The new mac field is an identity conflict: {owner} answers to {new_mac} now."),
    )
}

fn unknown_owner(new_mac: Mac, why: Option<&WithheldTopic>) -> Errors {
    let why = why.map_or_else(String::new, |why| format!(": {why}"));
    Errors::on(
        "new_mac",
        format!(
            "It could not be found out whether another board has the new mac {new_mac} now{why}."
        ),
    )
}
