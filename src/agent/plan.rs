//! What a change would do: set the identity that a request asks for, or an earlier one by hand.

use intercom_wire::{FactoryIdentity, Identity};

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
        let to = match back_to {
            BackTo::Factory => match &record.factory {
                Some(FactoryIdentity::Known(factory)) => earlier(record, factory.clone()),
                Some(FactoryIdentity::Unknown) => return Err(RollbackError::FactoryUnknown),
                None => return Err(RollbackError::FactoryNotReadYet),
            },
            BackTo::Previous => before(record, last.ok_or(RollbackError::NothingToTakeBack)?)?,
        };
        if to.identity == record.current.identity {
            return Err(RollbackError::SameIdentity(to.identity));
        }
        let mut cause = Cause::bare(None, rules.routes.clone());
        if let Some(last) = last {
            cause.request_id.clone_from(&last.request_id);
            cause.issuer.clone_from(&last.report.issuer);
            cause.hash.clone_from(&last.hash);
            cause.target.id = last.report.intercom.id;
            cause.model.clone_from(&last.report.intercom.model);
            cause.log_extra.clone_from(&last.report.log_extra);
        }
        Ok(Plan { cause, goal: Goal::GoBack, offline, to })
    }

    /// The change, begun in this boot and rolled back at `deadline` unless it is confirmed.
    pub(super) fn begin(self, from: Current, boot_id: BootId, deadline: Moment) -> Change {
        let Plan { cause, goal, offline, to } = self;
        Change { cause, goal, offline, from, to, boot_id, deadline, attempts: 1 }
    }
}

/// The identity before a change.
///
/// # Errors
/// When its MAC address was not known to be the board's own, and the board has got one since.
fn before(record: &Record, change: &Entry) -> Result<Current, RollbackError> {
    let previous = change.report.previous.clone();
    let mac = previous.mac;
    let to = earlier(record, previous);
    match change.previous_mac_origin {
        None | Some(MacOrigin::Board | MacOrigin::Request) => Ok(to),
        Some(MacOrigin::Placeholder | MacOrigin::Random | MacOrigin::Unread) => {
            let Current { identity, mac_origin, .. } = &record.current;
            if record.current.has_mac() {
                return Err(RollbackError::PreviousMacNotOwn(mac));
            }
            // Nobody's then, and nobody's now: the link keeps what it has.
            let identity = Identity { mac: identity.mac, ..to.identity };
            Ok(Current { identity, mac_origin: *mac_origin, ..to })
        }
    }
}

/// An identity that the board had, with where it came from.
fn earlier(record: &Record, identity: Identity) -> Current {
    let factory = record.factory();
    let factory = factory.known();
    let own_mac = factory.is_some_and(|factory| factory.mac == identity.mac);
    let own_serial_number =
        factory.is_some_and(|factory| factory.serial_number == identity.serial_number);
    let serial_origin = match (&identity.serial_number, own_serial_number) {
        (Some(_), true) => Some(SerialOrigin::Board),
        (Some(_), false) => Some(SerialOrigin::Request),
        (None, true) => None,
        // Whether the board has none, or it could not be read then, is not known any more.
        (None, false) => Some(SerialOrigin::Unread),
    };
    let mac_origin = if own_mac { MacOrigin::Board } else { MacOrigin::Request };
    Current { identity, mac_origin, serial_origin }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::fixtures::{FACTORY_MAC, THEN, identity, record, record_changing_to, rules};

    const OTHER: &str = "AA:BB:CC:DD:EE:FF";

    /// The record of a board that a request gave the MAC address [`OTHER`].
    fn changed() -> Record {
        let mut record = record_changing_to(OTHER);
        record.install(THEN);
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

    /// The record of a board whose driver had made its MAC address up, changed to `to`.
    fn changed_from_an_invented_mac(to: Current) -> Record {
        let mut record = record_changing_to(OTHER);
        record.factory = None;
        if let Some(change) = &mut record.change {
            change.from.mac_origin = MacOrigin::Random;
            change.to = to;
        }
        record.install(THEN);
        record
    }

    #[test]
    fn a_mac_address_that_was_made_up_is_never_set_again() {
        let given = record_changing_to(OTHER).change.expect("one").to;
        let record = changed_from_an_invented_mac(given);
        let why = Plan::go_back(&record, &rules(), BackTo::Previous, false);
        assert!(
            matches!(why, Err(RollbackError::PreviousMacNotOwn(mac)) if mac.to_string() == FACTORY_MAC)
        );
    }

    #[test]
    fn a_serial_number_is_taken_back_without_the_mac_address_that_was_made_up() {
        let mut named = record().current;
        named.mac_origin = MacOrigin::Random;
        named.identity.serial_number = "S-1".parse().ok();
        let mut record = changed_from_an_invented_mac(named);
        // Another boot, another address.
        record.current.identity.mac = identity(OTHER).mac;
        let plan = Plan::go_back(&record, &rules(), BackTo::Previous, false).expect("a plan");
        assert_eq!((plan.to.identity, plan.to.mac_origin), (identity(OTHER), MacOrigin::Random));
        assert_eq!(plan.to.serial_origin, Some(SerialOrigin::Unread), "nobody knows any more");
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
        let erased = Record { factory: Some(FactoryIdentity::Unknown), ..changed() };
        assert!(matches!(why(&erased, BackTo::Factory), Err(RollbackError::FactoryUnknown)));
        let unread = Record { factory: None, ..changed() };
        assert!(matches!(why(&unread, BackTo::Factory), Err(RollbackError::FactoryNotReadYet)));
    }
}
