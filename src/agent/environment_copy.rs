//! The U-Boot environment as a copy of the record, where the policy allows it to be written.

use log::debug;
use uboot_env::{Change, Transaction, Written};

use super::Agent;
use super::growing_delay::GrowingDelay;
use super::rules::Rules;
use super::seams::Seams;
use crate::board::Board;
use crate::clock::{Clock, Moment};
use crate::environment::{self, Error, Healed, Refusal};
use crate::record::{MacOrigin, Record, SerialOrigin};

/// The factory MAC address: an erased overlay must not make today's MAC the factory's.
pub const FACTORY_MAC: &str = "intercom_factory_mac";
/// The factory serial number.
pub const FACTORY_SERIAL_NUMBER: &str = "intercom_factory_serial";
/// The board's stable name.
pub const BOARD: &str = "intercom_board";

/// When a copy is tried again that a held lock has kept from being made.
#[derive(Debug, Default)]
pub(super) struct LockedCopy {
    again: Option<Moment>,
    delay: GrowingDelay,
}

/// What became of the copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copied {
    /// It says what the record says, or cannot for a reason that does not pass by itself.
    AsFarAsItCanBe,
    /// Another program holds the lock.
    Locked,
}

impl LockedCopy {
    /// When it is tried again.
    fn due(&self) -> Option<Moment> {
        self.again
    }

    /// It was tried.
    pub(super) fn tried(&mut self, copied: Copied, now: Moment) {
        match copied {
            Copied::AsFarAsItCanBe => *self = LockedCopy::default(),
            Copied::Locked => self.again = Some(now + self.delay.next()),
        }
    }
}

impl<S: Seams> Agent<S> {
    /// When a copy that a held lock kept from being made is tried again. Not while a change is in progress:
    /// waiting for the lock takes time that the change does not have.
    pub(super) fn locked_copy_due(&self) -> Option<Moment> {
        self.locked_copy.due().filter(|_| self.record.change.is_none())
    }

    /// Whether another program's lock has kept the last copy from being made.
    pub fn environment_is_locked(&self) -> bool {
        self.locked_copy.due().is_some()
    }

    pub(super) fn copy_to_environment(&mut self) {
        let mut remarks = Vec::new();
        let copied = put_right(&mut self.seams, &self.rules, &self.record, &mut remarks);
        self.locked_copy.tried(copied, self.seams.clock().now());
        for remark in remarks {
            self.steps.tell(remark);
        }
    }
}

/// Tells why the environment is not what it should be.
fn failed(what: &str, why: &Error, remarks: &mut Vec<String>) -> Copied {
    remarks.push(format!("{what}: {why}"));
    match why {
        Error::Store(uboot_env::Error::Lock(_)) => Copied::Locked,
        Error::Store(_) | Error::Refused(_) => Copied::AsFarAsItCanBe,
    }
}

/// Heals the environment after a power cut and makes it say what the record says. Writes nothing if
/// it says so already, and nothing while the record waits to read the board: what the factory had goes
/// along with the first identity, and the write may replace the only place that tells it.
pub(super) fn put_right<S: Seams>(
    seams: &mut S,
    rules: &Rules,
    record: &Record,
    remarks: &mut Vec<String>,
) -> Copied {
    let (board, disk) = seams.board_and_disk();
    let mut store = match board.environment() {
        Ok(Some(store)) => store,
        Ok(None) => return Copied::AsFarAsItCanBe,
        Err(why) => {
            return failed("the U-Boot environment cannot be opened", &why.into(), remarks);
        }
    };
    match environment::heal(&mut store, disk, rules.environment) {
        Ok(Healed::Whole) => {}
        Ok(Healed::Restored) => {
            remarks.push("the U-Boot environment was put back from its backup".to_owned());
        }
        Ok(Healed::Damaged) => {
            remarks.push("the U-Boot environment is damaged and has no backup".to_owned());
            return Copied::AsFarAsItCanBe;
        }
        Err(why) => return failed("the U-Boot environment is not healed", &why, remarks),
    }
    // Healed all the same: a write that was cut off may be why it could not be read.
    if record.wants_reading() {
        return Copied::AsFarAsItCanBe;
    }
    // What is compared and what is written are one reading: a copy on slow flash is read no more often.
    let transaction = match store.begin() {
        Ok(transaction) => transaction,
        Err(why) => return failed("the U-Boot environment cannot be read", &why.into(), remarks),
    };
    let wanted = wanted(&transaction, rules, record);
    if wanted.is_empty() {
        return Copied::AsFarAsItCanBe;
    }
    let changes: Vec<Change<'_>> =
        wanted.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
    match environment::write(transaction, disk, rules.environment, &changes) {
        Ok(Written::Unchanged) => {}
        Ok(Written::Changed) => {
            remarks.push(match wanted.first() {
                Some((name, Some(value))) => {
                    format!("the U-Boot environment now says {name}={value}")
                }
                _ => "the U-Boot environment now says that there is no serial number".to_owned(),
            });
        }
        // As the operator wants it: the MAC is set at each boot instead.
        Err(Error::Refused(why @ (Refusal::Never | Refusal::SingleCopy))) => {
            debug!("the U-Boot environment is left alone: {why}");
        }
        Err(why) => return failed("the U-Boot environment is not written", &why, remarks),
    }
    Copied::AsFarAsItCanBe
}

/// A variable's name and what it should say; `None` if it should not be there.
type Wanted = (String, Option<String>);

/// The variables that differ; none if the identity is there already. What tells the board's past
/// goes along with an identity, never alone.
fn wanted(environment: &Transaction<'_>, rules: &Rules, record: &Record) -> Vec<Wanted> {
    let current = &record.current;
    let mut identity = Vec::new();
    let has = |name: &str| environment.get(name).is_some();
    if let Some(name) = &rules.mac_variable {
        // An address of the link's own making is not written down as if somebody had given it.
        if current.mac_origin == MacOrigin::Request
            || current.mac_origin == MacOrigin::Board && has(name)
        {
            identity.push((name.clone(), Some(current.identity.mac.to_string())));
        }
    }
    if let Some(name) = &rules.serial_number_variable {
        match &current.identity.serial_number {
            Some(serial) if current.serial_origin == Some(SerialOrigin::Request) || has(name) => {
                identity.push((name.clone(), Some(serial.to_string())));
            }
            // Back to having none: the one that is there is ours if the board's name is.
            None if has(BOARD) => identity.push((name.clone(), None)),
            Some(_) | None => {}
        }
    }
    let says = |name: &str, value: Option<&str>| match (environment.get(name), value) {
        (Some(found), Some(value)) => same_value(rules, name, &found, value),
        (found, value) => found.is_none() && value.is_none(),
    };
    identity.retain(|(name, value)| !says(name, value.as_deref()));
    if identity.is_empty() {
        return identity;
    }
    identity.push((BOARD.to_owned(), Some(record.board.to_string())));
    if let Some(factory) = record.factory().known() {
        identity.push((FACTORY_MAC.to_owned(), Some(factory.mac.to_string())));
        if let Some(serial) = &factory.serial_number {
            identity.push((FACTORY_SERIAL_NUMBER.to_owned(), Some(serial.to_string())));
        }
    }
    identity
}

/// A MAC address in another notation is the same one: no reason to erase a block.
fn same_value(rules: &Rules, name: &str, found: &str, value: &str) -> bool {
    if rules.mac_variable.as_deref() == Some(name) {
        return found.parse::<intercom_wire::Mac>().is_ok_and(|mac| mac.to_string() == value);
    }
    found == value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::fixtures::NOW;
    use crate::agent::growing_delay::FIRST_DELAY;

    #[test]
    fn a_copy_that_a_lock_kept_from_being_made_is_tried_again_with_growing_delays() {
        let (mut copy, mut delays) = (LockedCopy::default(), Vec::new());
        assert_eq!(copy.due(), None);
        for _ in 0..9 {
            copy.tried(Copied::Locked, NOW);
            delays.push(copy.due().expect("tried again").since(NOW).as_secs());
        }
        assert_eq!(delays, [5, 10, 20, 40, 80, 160, 320, 600, 600]);
        copy.tried(Copied::AsFarAsItCanBe, NOW);
        assert_eq!(copy.due(), None);
        copy.tried(Copied::Locked, NOW);
        assert_eq!(copy.due(), Some(NOW + FIRST_DELAY));
    }
}
