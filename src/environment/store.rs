//! The environment of this board: read, changed, and healed after a power cut.

use std::borrow::Cow;

use super::backup::Backup;
use super::config::Location;
use super::copy::{Blocks, Copy, Fault};
use super::error::Error;
use super::flags::{Flags, OBSOLETE};
use super::flash::{self, Flash};
use super::format::{Change, Image};
use super::layout::Layout;
use super::lock::{self, LockFile};
use super::policy::{Facts, Policy, Refusal, may_write};
use crate::board::Root;
use crate::storage::Disk;

/// Where the environment is kept.
pub struct Store {
    copies: Vec<Copy>,
    lock: Option<LockFile>,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Copies that there should be: 1, or 2 if it is redundant.
    pub copies: usize,
    /// How many of them have a checksum that fits.
    pub good: usize,
    /// Two copies that one erase would take together.
    pub shared_block: bool,
    active: Option<Image>,
}

/// What [`Store::write`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Nothing, as all variables were as wanted.
    Unchanged,
    /// One erase and one write, read back.
    Changed,
}

/// What [`Store::heal`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Healed {
    /// A good copy; nothing was written to it.
    Whole,
    /// A write that a power cut had ended half-way, and put back what was there before.
    Restored,
    /// No good copy, and no backup: nothing was written.
    Damaged,
}

struct Reading {
    blocks: Vec<Blocks>,
    active: Option<usize>,
}

impl Store {
    /// The devices of a layout.
    ///
    /// # Errors
    /// If a device cannot be opened, or is too small.
    pub fn open(root: &Root, layout: &Layout) -> Result<Self, Error> {
        let copies = layout
            .copies
            .iter()
            .map(|location| {
                let flash = flash::open(&root.path(&location.device))
                    .map_err(|why| Error::Unreadable(location.device.clone(), why))?;
                Ok((location.clone(), flash))
            })
            .collect::<Result<_, Error>>()?;
        let mut store = Store::over(copies)?;
        store.lock = Some(LockFile::new(root.path(lock::PATH)));
        Ok(store)
    }

    /// Any flash, without the tools' lock.
    ///
    /// # Errors
    /// If a copy is not within its device.
    pub fn over(copies: Vec<(Location, Box<dyn Flash>)>) -> Result<Self, Error> {
        let redundant = copies.len() > 1;
        let copies = copies
            .into_iter()
            .map(|(location, flash)| Copy::new(&location, flash, redundant))
            .collect::<Result<_, Error>>()?;
        let lock = None;
        Ok(Store { copies, lock })
    }

    /// Reads all copies.
    ///
    /// # Errors
    /// If a device cannot be read, or another program holds the lock.
    pub fn load(&mut self) -> Result<Environment, Error> {
        let _held = self.hold()?;
        let mut reading = self.read()?;
        Ok(Environment {
            copies: self.copies.len(),
            good: reading.good(),
            shared_block: self.shared_block(),
            active: reading.active.map(|active| reading.blocks.swap_remove(active).image),
        })
    }

    /// Changes variables, all at once: after a power cut it is the old or the new environment, at
    /// the latest when [`Store::heal`] has run. The block is written as a whole, so that rules of
    /// other tools, such as write-once `ethaddr` and `serial#`, do not matter.
    ///
    /// Of a redundant environment the copy that does not count is written, so that the one that
    /// counts is the backup. A single copy is backed up in a file first; so are both kinds if other
    /// data is in the same erase blocks, which no second copy has.
    ///
    /// # Errors
    /// If the policy forbids it, or it did not work; the environment is then as it was, except
    /// after [`Error::Torn`].
    pub fn write(
        &mut self,
        disk: &mut impl Disk,
        policy: Policy,
        changes: &[Change<'_>],
    ) -> Result<Written, Error> {
        let _held = self.hold()?;
        let reading = self.read()?;
        let Some(active) = reading.active else {
            return Err(Refusal::Damaged.into());
        };
        let old = &reading.blocks[active].image;
        let new = old.changed(changes)?;
        if new == *old {
            return Ok(Written::Unchanged);
        }
        may_write(policy, self.facts(&reading, false))?;
        let target = if self.copies.len() == 2 { 1 - active } else { active };
        let new = match old.flag() {
            Some(flag) => new.with_flag(self.flags().next(flag)),
            None => new,
        };
        let before = &reading.blocks[target].span;
        let after = self.copies[target].span_with(before, &new);
        let in_a_file = self.copies.len() == 1 || self.copies[target].has_neighbours(before);
        if in_a_file {
            self.back_up(target, before)?
                .save(disk)
                .map_err(|why| Error::NoBackup(why.to_string()))?;
        }
        if let Err(fault) = self.copies[target].put(&after) {
            return Err(self.put_back(disk, target, before, in_a_file, fault));
        }
        let marks = self.flags() == Flags::ActiveObsolete;
        if marks && old.flag().is_some_and(|flag| flag != OBSOLETE) {
            // Whether it worked shows below: without it both are active, and the first one counts.
            if let Err(why) = self.copies[active].mark_obsolete() {
                log::warn!("{} was not marked obsolete: {why}", self.copies[active].device);
            }
        }
        if in_a_file {
            Backup::remove(disk);
        }
        let now = self.read()?;
        if now.active != Some(target) {
            let device = self.copies[active].device.clone();
            return Err(Error::NotWritten(device, None));
        }
        Ok(Written::Changed)
    }

    /// Puts right what a power cut during [`Store::write`] left behind. To be called at every
    /// start, before anything else; without a backup on the disk it only reads.
    ///
    /// Variables that are whole are never replaced by older ones: only the backup of a write that
    /// was under way is there, and a checksum that fits is an environment that somebody wanted.
    ///
    /// # Errors
    /// If the policy forbids what has to be written, or it did not work.
    pub fn heal(&mut self, disk: &mut impl Disk, policy: Policy) -> Result<Healed, Error> {
        let _held = self.hold()?;
        let reading = self.read()?;
        let whole = match reading.active {
            Some(_) => Healed::Whole,
            None => Healed::Damaged,
        };
        let Some((target, wanted)) = self.wanted(disk, &reading)? else {
            return Ok(whole);
        };
        if wanted == reading.blocks[target].span {
            Backup::remove(disk);
            return Ok(whole);
        }
        may_write(policy, self.facts(&reading, true))?;
        let device = self.copies[target].device.clone();
        match self.copies[target].put(&wanted) {
            Ok(()) => {
                Backup::remove(disk);
                Ok(Healed::Restored)
            }
            Err(_) => Err(Error::Torn(device)),
        }
    }

    /// Which copy has a backup, and what its erase blocks should hold.
    fn wanted(
        &self,
        disk: &mut impl Disk,
        reading: &Reading,
    ) -> Result<Option<(usize, Vec<u8>)>, Error> {
        let Some(backup) = Backup::read(disk).map_err(Error::Backup)? else {
            return Ok(None);
        };
        let found = self.copies.iter().enumerate().find_map(|(index, copy)| {
            let (start, length) = copy.place()?;
            Some((index, backup.span(&copy.device, start, length)?))
        });
        let Some((target, old)) = found else {
            log::warn!("the environment's backup is of another place and not used");
            return Ok(None);
        };
        let copy = &self.copies[target];
        let now = &reading.blocks[target].image;
        if now.is_good() {
            // The old one, the new one, or a later one; what is around it may still be torn.
            return Ok(Some((target, copy.span_with(&old, now))));
        }
        let is_good = copy.image_in(&old).is_some_and(|image| image.is_good());
        Ok((is_good || self.copies.len() == 2).then_some((target, old)))
    }

    /// After a write that failed: everything as it was, if the flash still lets us.
    fn put_back(
        &mut self,
        disk: &mut impl Disk,
        target: usize,
        before: &[u8],
        in_a_file: bool,
        fault: Fault,
    ) -> Error {
        let copy = &mut self.copies[target];
        let device = copy.device.clone();
        let why = match fault {
            Fault::Io(why) => Some(why),
            Fault::Differs => None,
        };
        let as_it_was = copy.read().is_ok_and(|now| now.span == before);
        // Of a redundant environment with nothing around it, nothing that counts was touched.
        if as_it_was || !in_a_file || copy.put(before).is_ok() {
            if in_a_file {
                Backup::remove(disk);
            }
            return Error::NotWritten(device, why);
        }
        Error::Torn(device)
    }

    fn back_up(&self, target: usize, span: &[u8]) -> Result<Backup, Error> {
        let copy = &self.copies[target];
        let (start, _) = copy.place().ok_or_else(|| Error::Outside(copy.device.clone()))?;
        Ok(Backup::of(&copy.device, start, span))
    }

    fn read(&mut self) -> Result<Reading, Error> {
        let blocks =
            self.copies.iter_mut().map(Copy::read).collect::<Result<Vec<Blocks>, Error>>()?;
        let good = |at: usize| blocks.get(at).filter(|blocks| blocks.image.is_good());
        let active = if blocks.len() == 2 {
            let flag = |at| good(at).and_then(|blocks| blocks.image.flag());
            self.flags().active([flag(0), flag(1)])
        } else {
            good(0).map(|_| 0)
        };
        Ok(Reading { blocks, active })
    }

    /// A redundant environment is NOR's only if both copies are; the tools refuse a mixture.
    fn flags(&self) -> Flags {
        let nor = |copy: &Copy| copy.flags() == Flags::ActiveObsolete;
        if self.copies.iter().all(nor) { Flags::ActiveObsolete } else { Flags::Counter }
    }

    fn facts(&self, reading: &Reading, from_backup: bool) -> Facts {
        Facts {
            copies: self.copies.len(),
            good: reading.good(),
            shared_block: self.shared_block(),
            from_backup,
        }
    }

    fn shared_block(&self) -> bool {
        matches!(&self.copies[..], [first, second] if first.shares_blocks_with(second))
    }

    /// The tools' lock, until the answer is dropped.
    fn hold(&self) -> Result<Option<lock::Held>, Error> {
        self.lock.as_ref().map_or(Ok(None), LockFile::take)
    }
}

impl Reading {
    fn good(&self) -> usize {
        let good = self.blocks.iter().filter(|blocks| blocks.image.is_good());
        good.count()
    }
}

impl Environment {
    /// A variable's value, with U+FFFD for what is not UTF-8; nothing if no checksum fits.
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.active.as_ref()?.get(name)
    }
}
