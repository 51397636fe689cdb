//! The environment of a system: its devices, the lock, and what was read.

use std::borrow::Cow;
use std::path::Path;

use super::copy::{Contents, Copy};
use super::error::{Error, Unsafe};
use super::flash::Flash;
use super::lock::{Held, LockFile};
use super::open::open;
use crate::codec::flags::Flags;
use crate::codec::image::{Format, Image};
use crate::codec::layout::{Layout, Location};

/// The place where an environment is kept: one copy or two.
pub struct Store {
    pub(crate) copies: Vec<Copy>,
    lock: Option<LockFile>,
}

/// An environment as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// What state its copies are in.
    pub health: Health,
    active: Option<Image>,
}

/// What state the copies of an environment are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// Copies that there should be: 1, or 2 if it is redundant.
    pub copies: usize,
    /// How many of them have a checksum that fits.
    pub good: usize,
    /// Two copies that one erase would take together.
    pub shared_block: bool,
}

/// All copies as they were read, and which one counts.
pub(crate) struct Reading {
    pub(crate) contents: Vec<Contents>,
    pub(crate) active: Option<usize>,
}

impl Store {
    /// The environment of the system whose root is `root` (`/` for this one), where
    /// [`Layout::find`] finds it; `None` if there is none.
    ///
    /// # Errors
    /// As [`Layout::find`] and [`Store::open`].
    pub fn find(root: impl AsRef<Path>) -> Result<Option<Self>, Error> {
        let root = root.as_ref();
        match Layout::find(root)? {
            Some((layout, _)) => Store::open(root, &layout).map(Some),
            None => Ok(None),
        }
    }

    /// The devices of a layout, and the lock `/var/lock/fw_printenv.lock` of the tools, all of them
    /// under `root`.
    ///
    /// # Errors
    /// If a device cannot be opened, is flash that is not NOR, or is too small.
    pub fn open(root: impl AsRef<Path>, layout: &Layout) -> Result<Self, Error> {
        let root = root.as_ref();
        let mut store = Store::over(layout, |copy| open(root, &copy.device))?;
        store.lock = Some(LockFile::of(root));
        Ok(store)
    }

    /// Any flash, without the tools' lock; `flash` opens the device of each copy.
    ///
    /// # Errors
    /// If a device cannot be opened, or a copy is not within it.
    pub fn over(
        layout: &Layout,
        mut flash: impl FnMut(&Location) -> Result<Box<dyn Flash>, Error>,
    ) -> Result<Self, Error> {
        let format = match layout.copies() {
            [_] => Format::Single,
            _ => Format::Redundant,
        };
        let copies = layout.copies().iter();
        let copies = copies
            .map(|location| Copy::new(location, flash(location)?, format))
            .collect::<Result<_, Error>>()?;
        Ok(Store { copies, lock: None })
    }

    /// Reads and checks all copies.
    ///
    /// # Errors
    /// If a device cannot be read, or another program holds the lock for more than five seconds.
    pub fn read(&mut self) -> Result<Environment, Error> {
        let _held = self.hold()?;
        let mut reading = self.read_copies()?;
        Ok(Environment {
            health: self.health(&reading),
            active: reading.active.map(|active| reading.contents.swap_remove(active).image),
        })
    }

    pub(crate) fn read_copies(&mut self) -> Result<Reading, Error> {
        let contents =
            self.copies.iter_mut().map(Copy::read).collect::<Result<Vec<Contents>, Error>>()?;
        let good = |at: usize| contents.get(at).filter(|copy| copy.is_good);
        let active = if contents.len() == 2 {
            let flag = |at| good(at).and_then(|copy| copy.image.flag());
            self.flags().active([flag(0), flag(1)])
        } else {
            good(0).map(|_| 0)
        };
        Ok(Reading { contents, active })
    }

    pub(crate) fn health(&self, reading: &Reading) -> Health {
        let good = reading.contents.iter().filter(|copy| copy.is_good);
        let shared_block =
            matches!(&self.copies[..], [first, second] if first.shares_blocks_with(second));
        Health { copies: self.copies.len(), good: good.count(), shared_block }
    }

    /// A redundant environment is NOR's only if both copies are; the tools refuse a mixture.
    pub(crate) fn flags(&self) -> Flags {
        let nor = |copy: &Copy| copy.flags() == Flags::ActiveObsolete;
        if self.copies.iter().all(nor) { Flags::ActiveObsolete } else { Flags::Counter }
    }

    /// The tools' lock, until the answer is dropped.
    pub(crate) fn hold(&self) -> Result<Option<Held>, Error> {
        self.lock.as_ref().map_or(Ok(None), LockFile::take)
    }
}

impl Environment {
    /// A variable's value, with U+FFFD for what is not UTF-8; nothing if no checksum fits.
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.active.as_ref()?.get(name)
    }

    /// All names and values, as [`Image::variables`]; none if no checksum fits.
    pub fn variables(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        self.active.iter().flat_map(Image::variables)
    }
}

impl Health {
    /// Whether a [`Transaction`](crate::Transaction) may write here.
    ///
    /// # Errors
    /// Why it could lose the environment, whatever is done.
    pub fn allows_write(self) -> Result<(), Unsafe> {
        self.allows_restore()?;
        if self.good == 0 { Err(Unsafe::Damaged) } else { Ok(()) }
    }

    /// Whether [`Interrupted::restore`](crate::Interrupted::restore) may write here.
    ///
    /// # Errors
    /// Why it could lose the environment, whatever is done.
    pub fn allows_restore(self) -> Result<(), Unsafe> {
        if self.shared_block { Err(Unsafe::SharedBlock) } else { Ok(()) }
    }
}
