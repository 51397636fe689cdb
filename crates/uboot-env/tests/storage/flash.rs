//! A flash chip that loses its power in the middle of any call.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use uboot_env::{Flags, Flash};

use super::power::{Power, Tear};

/// What stays when the power is out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chip {
    pub(super) bytes: Vec<u8>,
    pub(super) block: usize,
    pub(super) flags: Flags,
    /// Swallows every write until it is unlocked.
    pub(super) is_locked: bool,
    /// Says that it is unlocked, and swallows every write.
    pub(super) is_stuck: bool,
    /// The next call of `program` fails half-way, with the power on.
    pub(super) fails_once: bool,
    pub(super) erased: usize,
    pub(super) programmed: usize,
}

/// A chip with power.
#[derive(Clone)]
pub(super) struct SimulatedFlash {
    pub(super) chip: Arc<Mutex<Chip>>,
    pub(super) power: Power,
}

impl SimulatedFlash {
    pub(super) fn chip(&self) -> MutexGuard<'_, Chip> {
        self.chip.lock().expect("chip")
    }
}

impl Flash for SimulatedFlash {
    fn size(&self) -> u64 {
        self.chip().bytes.len() as u64
    }

    fn erase_size(&self) -> u64 {
        self.chip().block as u64
    }

    fn flags(&self) -> Flags {
        self.chip().flags
    }

    fn read(&mut self, at: u64, into: &mut [u8]) -> io::Result<()> {
        self.power.check()?;
        let at = at as usize;
        into.copy_from_slice(&self.chip().bytes[at..at + into.len()]);
        Ok(())
    }

    fn unlock(&mut self, _: u64, _: usize) -> io::Result<bool> {
        let was_locked = self.chip().is_locked;
        self.power.call(|tear| {
            self.chip().is_locked = was_locked && tear != Tear::All;
        })?;
        Ok(was_locked)
    }

    fn erase(&mut self, at: u64, length: usize) -> io::Result<()> {
        let (at, block) = (at as usize, self.chip().block);
        assert!(
            length > 0 && at.is_multiple_of(block) && length.is_multiple_of(block),
            "whole blocks"
        );
        self.power.call(|tear| {
            let mut chip = self.chip();
            chip.erased += 1;
            if chip.is_locked || chip.is_stuck {
                return;
            }
            for index in (0..length).filter(|index| tear.reaches(*index, length)) {
                chip.bytes[at + index] = 0xff;
            }
        })
    }

    fn program(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let (at, fails) = (at as usize, std::mem::take(&mut self.chip().fails_once));
        self.power.call(|tear| {
            let mut chip = self.chip();
            chip.programmed += 1;
            if chip.is_locked || chip.is_stuck {
                return;
            }
            let tear = if fails { Tear::FirstHalf } else { tear };
            for (index, byte) in bytes.iter().enumerate() {
                if tear.reaches(index, bytes.len()) {
                    chip.bytes[at + index] &= byte;
                }
            }
        })?;
        if fails {
            return Err(io::Error::other("the chip failed"));
        }
        Ok(())
    }

    fn lock(&mut self, _: u64, _: usize) -> io::Result<()> {
        self.power.call(|tear| {
            let mut chip = self.chip();
            chip.is_locked |= tear == Tear::All;
        })
    }
}
