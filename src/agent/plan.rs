//! What a change would do: set the identity that a request asks for, or an earlier one by hand.

use intercom_wire::Identity;

use super::error::RollbackError;
use super::rules::Rules;
use crate::clock::{BootId, Moment};
use crate::record::{Cause, Change, Current, Entry, Goal, MacOrigin, Record, SerialOrigin};

/// A change that is to be begun.
#[derive(Debug, PartialEq)]
pub(super) struct Plan {
    cause: Cause,
    goal: Goal,
    offline: bool,
    to: Current,
}

/// How far back a rollback by hand goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackTo {
    /// The identity before the last change.
    Previous,
    /// The identity that the board had when the agent first ran.
    Factory,
}

impl Plan {
    /// Sets the identity that a request asks for.
    pub(super) fn install(
        cause: Cause,
        current: &Current,
        identity: Identity,
        offline: bool,
    ) -> Self {
        let same_mac = identity.mac == current.identity.mac;
        let same_serial_number = identity.serial_number == current.identity.serial_number;
        let to = Current {
            mac_origin: if same_mac { current.mac_origin } else { MacOrigin::Request },
            serial_origin: if same_serial_number {
                current.serial_origin
            } else {
                Some(SerialOrigin::Request)
            },
            identity,
        };
        Plan { cause, goal: Goal::Install, offline, to }
    }

    /// Puts an earlier identity back. It is reported under the last request's ID, so that billing
    /// puts its record back too.
    ///
    /// # Errors
    /// When there is no such identity, or the board already carries it.
    pub(super) fn go_back(
        record: &Record,
        rules: &Rules,
        back_to: BackTo,
        offline: bool,
    ) -> Result<Self, RollbackError> {
        let last = record.ledger.last_installed_change();
        let identity = match back_to {
            BackTo::Factory => {
                record.factory().known().cloned().ok_or(RollbackError::FactoryUnknown)?
            }
            BackTo::Previous => last
                .map(|entry| entry.report.previous.clone())
                .ok_or(RollbackError::NothingToTakeBack)?,
        };
        if identity == record.current.identity {
            return Err(RollbackError::SameIdentity(identity));
        }
        let mut cause = Cause::bare(None, rules.routes.clone());
        if let Some(last) = last {
            cause.request_id.clone_from(&last.request_id);
            cause.hash.clone_from(&last.hash);
            cause.target.id = last.report.intercom.id;
            cause.model.clone_from(&last.report.intercom.model);
            cause.log_extra.clone_from(&last.report.log_extra);
        }
        Ok(Plan { cause, goal: Goal::GoBack, offline, to: earlier(record, identity) })
    }

    /// The change, begun in this boot and rolled back at `deadline` unless it is confirmed.
    pub(super) fn begin(self, from: Current, boot_id: BootId, deadline: Moment) -> Change {
        let Plan { cause, goal, offline, to } = self;
        Change { cause, goal, offline, from, to, boot_id, deadline, attempts: 1 }
    }
}

/// An identity that the board had, with where it came from.
fn earlier(record: &Record, identity: Identity) -> Current {
    let factory = record.factory();
    let factory = factory.known();
    let own_mac = factory.is_some_and(|factory| factory.mac == identity.mac);
    let own_serial_number =
        factory.is_some_and(|factory| factory.serial_number == identity.serial_number);
    let given = |entry: &Entry| entry.report.intercom.mac == Some(identity.mac);
    let mac_origin = if own_mac {
        MacOrigin::Board
    } else if record.factory.is_some() || record.ledger.entries().iter().any(given) {
        MacOrigin::Request
    } else {
        // Nobody gave it: it is what the link had before the first change.
        MacOrigin::Unread
    };
    Current {
        mac_origin,
        serial_origin: identity.serial_number.is_some().then_some(if own_serial_number {
            SerialOrigin::Board
        } else {
            SerialOrigin::Request
        }),
        identity,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::fixtures::{FACTORY_MAC, identity, record, record_changing_to, rules};

    const OTHER: &str = "AA:BB:CC:DD:EE:FF";

    /// The record of a board that a request gave the MAC address [`OTHER`].
    fn changed() -> Record {
        let mut record = record_changing_to(OTHER);
        record.install();
        record
    }

    #[test]
    fn only_what_a_request_changes_comes_from_it() {
        let current = record().current;
        let mut wanted = identity(FACTORY_MAC);
        wanted.serial_number = "S-1".parse().ok();
        let cause = Cause::bare(None, Vec::new());
        let plan = Plan::install(cause, &current, wanted, false);
        assert_eq!(plan.to.mac_origin, MacOrigin::Board);
        assert_eq!(plan.to.serial_origin, Some(SerialOrigin::Request));
    }

    #[test]
    fn going_back_is_reported_under_the_last_requests_id() {
        let plan = Plan::go_back(&changed(), &rules(), BackTo::Previous, true).expect("a plan");
        assert_eq!((plan.goal, plan.offline), (Goal::GoBack, true));
        assert_eq!(plan.cause.request_id, "r-1".parse().ok());
        assert_eq!(plan.to, record().current, "its own MAC address is the board's again");
    }

    #[test]
    fn there_must_be_somewhere_to_go_back_to() {
        let why = |record: &Record, back_to| Plan::go_back(record, &rules(), back_to, false);
        let never_changed = record();
        assert!(matches!(
            why(&never_changed, BackTo::Previous),
            Err(RollbackError::NothingToTakeBack)
        ));
        assert!(matches!(
            why(&never_changed, BackTo::Factory),
            Err(RollbackError::SameIdentity(_))
        ));
        let erased = Record { factory: Some(intercom_wire::FactoryIdentity::Unknown), ..changed() };
        assert!(matches!(why(&erased, BackTo::Factory), Err(RollbackError::FactoryUnknown)));
    }
}
