//! Rollback by hand: an installer wants an earlier identity back.

use intercom_wire::Identity;

use super::Agent;
use super::change::Plan;
use super::error::RollbackError;
use super::seams::Seams;
use crate::record::{Cause, Current, Goal, MacOrigin, SerialOrigin};

/// How far back a rollback by hand goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackTo {
    /// The identity before the last change.
    Previous,
    /// The identity that the board had when the agent first ran.
    Factory,
}

impl<S: Seams> Agent<S> {
    /// Begins the change back. It is reported under the last request's ID, so that billing puts its
    /// record back too.
    ///
    /// # Errors
    /// Why it cannot be begun.
    pub fn roll_back_by_hand(
        &mut self,
        back_to: BackTo,
        offline: bool,
    ) -> Result<(), RollbackError> {
        if self.changing() {
            return Err(RollbackError::Changing);
        }
        let record = &self.record;
        let last = record.ledger.last_installed_change();
        let identity = match back_to {
            BackTo::Factory => {
                record.factory.known().cloned().ok_or(RollbackError::FactoryUnknown)?
            }
            BackTo::Previous => last
                .map(|entry| entry.report.previous.clone())
                .ok_or(RollbackError::NothingToTakeBack)?,
        };
        if identity == record.current.identity {
            return Err(RollbackError::SameIdentity(identity));
        }
        let mut cause = Cause::bare(None, self.rules.routes.clone());
        if let Some(last) = last {
            cause.request_id.clone_from(&last.request_id);
            cause.hash.clone_from(&last.hash);
            cause.target.id = last.report.intercom.id;
            cause.model.clone_from(&last.report.intercom.model);
            cause.log_extra.clone_from(&last.report.log_extra);
        }
        let to = self.with_origins(identity);
        self.begin(Plan { cause, goal: Goal::GoBack, offline, to })?;
        self.set_new_identity();
        Ok(())
    }

    fn with_origins(&self, identity: Identity) -> Current {
        let factory = self.record.factory.known();
        let own_mac = factory.is_some_and(|factory| factory.mac == identity.mac);
        let own_serial =
            factory.is_some_and(|factory| factory.serial_number == identity.serial_number);
        Current {
            mac_origin: if own_mac { self.record.factory_mac_origin } else { MacOrigin::Request },
            serial_origin: identity.serial_number.is_some().then_some(if own_serial {
                SerialOrigin::Board
            } else {
                SerialOrigin::Request
            }),
            identity,
        }
    }
}
