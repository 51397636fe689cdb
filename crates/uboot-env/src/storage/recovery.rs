//! Repairing what a power cut during a write left behind.

use super::backup::{Backup, Blocks};
use super::error::Error;
use super::lock::Held;
use super::store::{Health, Reading, Store};
use super::transaction::discard;

/// What [`Store::recover`] found.
#[must_use = "an interrupted write is repaired only by `Interrupted::restore`"]
pub enum Recovery<'a> {
    /// A good copy, and nothing to do.
    Whole,
    /// No good copy, and no backup of one: nothing can be done.
    Damaged,
    /// A write that was interrupted, and a backup of what was there before.
    Interrupted(Interrupted<'a>),
}

/// A write that was interrupted. It holds the lock of the tools, and nothing is written before
/// [`Interrupted::restore`].
pub struct Interrupted<'a> {
    store: &'a mut Store,
    health: Health,
    target: usize,
    wanted: Vec<u8>,
    _held: Option<Held>,
}

impl Store {
    /// Looks for a write that a power cut interrupted. To be called at every start, before anything
    /// else; without a backup it only reads.
    ///
    /// Variables that are whole are never replaced by older ones: the backup is only there while a
    /// write is under way, and a checksum that fits is an environment that somebody wanted.
    ///
    /// # Errors
    /// As [`Store::read`], and if the backup cannot be read.
    pub fn recover(&mut self, backup: &mut dyn Backup) -> Result<Recovery<'_>, Error> {
        let held = self.hold()?;
        let reading = self.read_copies()?;
        let nothing_to_do = match reading.active {
            Some(_) => Recovery::Whole,
            None => Recovery::Damaged,
        };
        let Some(saved) = backup.load().map_err(Error::BackupUnreadable)? else {
            return Ok(nothing_to_do);
        };
        let Some((target, wanted)) = self.wanted(&saved, &reading) else {
            return Ok(nothing_to_do);
        };
        if wanted == reading.contents[target].span {
            discard(backup);
            return Ok(nothing_to_do);
        }
        let health = self.health(&reading);
        Ok(Recovery::Interrupted(Interrupted { store: self, health, target, wanted, _held: held }))
    }

    /// Which copy the backup is of, and what its erase blocks should hold.
    fn wanted(&self, saved: &Blocks, reading: &Reading) -> Option<(usize, Vec<u8>)> {
        let Some(target) = self.copies.iter().position(|copy| copy.is_at(saved)) else {
            log::warn!("the environment's backup is of another place and not used");
            return None;
        };
        let copy = &self.copies[target];
        let now = &reading.contents[target];
        if now.is_good {
            // The old one, the new one, or a later one; what is around it may still be torn.
            return Some((target, copy.span_with(&saved.bytes, &now.image)));
        }
        let is_good = copy.image_in(&saved.bytes).is_some_and(|image| image.is_good());
        (is_good || self.copies.len() == 2).then(|| (target, saved.bytes.clone()))
    }
}

impl Interrupted<'_> {
    /// What state the copies are in now.
    pub fn health(&self) -> Health {
        self.health
    }

    /// Writes what was there before, and forgets the backup.
    ///
    /// # Errors
    /// If it is not safe to write, or did not work; the backup is kept.
    pub fn restore(self, backup: &mut dyn Backup) -> Result<(), Error> {
        self.health.allows_restore()?;
        let copy = &mut self.store.copies[self.target];
        copy.put(&self.wanted).map_err(|_| Error::Torn { device: copy.device.clone() })?;
        discard(backup);
        Ok(())
    }
}
