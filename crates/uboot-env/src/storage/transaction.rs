//! Changing variables, all at once.

use std::borrow::Cow;

use super::backup::Backup;
use super::copy::Fault;
use super::error::{Error, Unsafe};
use super::lock::Held;
use super::store::{Health, Reading, Store};
use crate::codec::flags::{Flags, OBSOLETE};
use crate::codec::image::{Change, Image, VariableError};

/// What [`Transaction::commit`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Nothing, since all variables were as wanted.
    Unchanged,
    /// One erase and one write, read back.
    Changed,
}

/// Changes to several variables that take effect together, or not at all. It holds the lock of the
/// tools, and nothing is written before [`Transaction::commit`].
///
/// The copy is written as a whole, so that rules of other tools, such as write-once `ethaddr` and
/// `serial#`, do not matter.
#[must_use = "nothing is written before `commit`"]
pub struct Transaction<'a> {
    store: &'a mut Store,
    reading: Reading,
    active: usize,
    changes: Vec<(String, Option<String>)>,
    _held: Option<Held>,
}

impl Store {
    /// Takes the lock, reads all copies, and begins a transaction on what they hold.
    ///
    /// # Errors
    /// As [`Store::read`]; [`Unsafe::Damaged`] if no checksum fits.
    pub fn begin(&mut self) -> Result<Transaction<'_>, Error> {
        let held = self.hold()?;
        let reading = self.read_copies()?;
        let active = reading.active.ok_or(Unsafe::Damaged)?;
        Ok(Transaction { store: self, reading, active, changes: Vec::new(), _held: held })
    }
}

impl Transaction<'_> {
    /// A variable's value as it was when the transaction began.
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.old().get(name)
    }

    /// What state the copies were in when the transaction began.
    pub fn health(&self) -> Health {
        self.store.health(&self.reading)
    }

    /// Sets a variable. An empty value removes it, as in U-Boot.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) -> &mut Self {
        self.changes.push((name.into(), Some(value.into())));
        self
    }

    /// Removes a variable, if it is there.
    pub fn remove(&mut self, name: impl Into<String>) -> &mut Self {
        self.changes.push((name.into(), None));
        self
    }

    /// Whether [`Transaction::commit`] would write anything.
    ///
    /// # Errors
    /// If the changes cannot be written.
    pub fn is_change(&self) -> Result<bool, VariableError> {
        self.old().is_changed_by(&self.changes())
    }

    /// Writes the changes. After a power cut it is the old environment or the new one: with two
    /// copies at once, with one copy at the latest when [`Store::recover`] has restored it. Until
    /// then U-Boot may find a single copy damaged, and boots its built-in default environment.
    ///
    /// Of a redundant environment the copy that does not count is written, so that the one that
    /// counts is the backup. A single copy is saved in `backup` first; so are both kinds if other
    /// data is in the same erase blocks, which no second copy has.
    ///
    /// # Errors
    /// The environment is then as it was, except after [`Error::Torn`].
    pub fn commit(self, backup: &mut dyn Backup) -> Result<Written, Error> {
        let old = self.old();
        let new = old.changed(&self.changes())?;
        if new == *old {
            return Ok(Written::Unchanged);
        }
        self.health().allows_write()?;
        let Transaction { store, reading, active, .. } = &self;
        let target = if store.copies.len() == 2 { 1 - active } else { *active };
        let flags = store.flags();
        let new = match old.flag() {
            Some(flag) => new.with_flag(flags.next(flag)),
            None => new,
        };
        let before = &reading.contents[target].span;
        let after = store.copies[target].span_with(before, &new);
        let needs_backup = store.copies.len() == 1 || store.copies[target].has_neighbours(before);
        let marks = flags == Flags::ActiveObsolete && old.flag().is_some_and(|it| it != OBSOLETE);
        if needs_backup {
            let blocks = store.copies[target].blocks(before)?;
            backup.save(&blocks).map_err(Error::BackupNotSaved)?;
        }
        self.write(target, &after, marks, needs_backup.then_some(backup))
    }

    /// Replaces the erase blocks of one copy, of which there is a backup if one is needed.
    fn write(
        self,
        target: usize,
        after: &[u8],
        marks: bool,
        mut backup: Option<&mut dyn Backup>,
    ) -> Result<Written, Error> {
        let Transaction { store, reading, active, _held, .. } = self;
        if let Err(fault) = store.copies[target].put(after) {
            let before = &reading.contents[target].span;
            return Err(store.put_back(target, before, backup, fault));
        }
        if marks && let Err(why) = store.copies[active].mark_obsolete() {
            // Whether it matters shows below: with both active, the first one counts.
            log::warn!("{} was not marked obsolete: {why}", store.copies[active].device);
        }
        if let Some(backup) = &mut backup {
            discard(*backup);
        }
        if store.read_copies()?.active != Some(target) {
            let device = store.copies[active].device.clone();
            return Err(Error::WriteIgnored { device });
        }
        Ok(Written::Changed)
    }

    fn old(&self) -> &Image {
        &self.reading.contents[self.active].image
    }

    fn changes(&self) -> Vec<Change<'_>> {
        self.changes.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect()
    }
}

impl Store {
    /// After a write that failed: everything as it was, if the flash still allows it.
    fn put_back(
        &mut self,
        target: usize,
        before: &[u8],
        backup: Option<&mut dyn Backup>,
        fault: Fault,
    ) -> Error {
        let copy = &mut self.copies[target];
        let device = copy.device.clone();
        let as_it_was = copy.read().is_ok_and(|now| now.span == before);
        // Of a redundant environment with nothing around it, nothing that counts was touched.
        if !as_it_was && backup.is_some() && copy.put(before).is_err() {
            return Error::Torn { device };
        }
        if let Some(backup) = backup {
            discard(backup);
        }
        match fault {
            Fault::Io(error) => Error::NotWritten { device, error },
            Fault::Differs => Error::WriteIgnored { device },
        }
    }
}

/// Forgets a backup that is not needed any more.
pub(crate) fn discard(backup: &mut dyn Backup) {
    if let Err(why) = backup.discard() {
        log::warn!("the environment's backup is not needed any more and cannot be removed: {why}");
    }
}
