//! Flash, and a backup on a disk, that lose their power in the middle of any call.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use uboot_env::{Backup, Blocks, Flags, Flash};

/// How far the call came in which the power failed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Tear {
    Nothing,
    FirstHalf,
    SecondHalf,
    EveryOtherByte,
    /// It was done, and nobody heard of it.
    All,
}

pub(super) const TEARS: [Tear; 5] =
    [Tear::Nothing, Tear::FirstHalf, Tear::SecondHalf, Tear::EveryOtherByte, Tear::All];

impl Tear {
    fn reaches(self, at: usize, length: usize) -> bool {
        match self {
            Tear::Nothing => false,
            Tear::FirstHalf => at < length / 2,
            Tear::SecondHalf => at >= length / 2,
            Tear::EveryOtherByte => at % 2 == 1,
            Tear::All => true,
        }
    }
}

/// One supply for flash and disk.
#[derive(Clone)]
pub(super) struct Power(Arc<Mutex<Supply>>);

struct Supply {
    /// Calls until it fails.
    left: usize,
    tear: Tear,
    is_out: bool,
    used: usize,
}

impl Power {
    pub(super) fn on() -> Self {
        Power::failing_in(usize::MAX, Tear::Nothing)
    }

    pub(super) fn failing_in(left: usize, tear: Tear) -> Self {
        Power(Arc::new(Mutex::new(Supply { left, tear, is_out: false, used: 0 })))
    }

    pub(super) fn is_out(&self) -> bool {
        self.0.lock().expect("power").is_out
    }

    /// How many calls changed something.
    pub(super) fn used(&self) -> usize {
        self.0.lock().expect("power").used
    }

    fn check(&self) -> io::Result<()> {
        if self.is_out() {
            return Err(io::Error::other("no power"));
        }
        Ok(())
    }

    /// Does one call as far as the power reaches.
    fn call(&self, effect: impl FnOnce(Tear)) -> io::Result<()> {
        self.check()?;
        let mut supply = self.0.lock().expect("power");
        if supply.left == 0 {
            supply.is_out = true;
            effect(supply.tear);
            return Err(io::Error::other("no power"));
        }
        supply.left -= 1;
        supply.used += 1;
        effect(Tear::All);
        Ok(())
    }
}

/// What stays when the power is out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chip {
    pub(super) bytes: Vec<u8>,
    pub(super) block: usize,
    pub(super) flags: Flags,
    /// Swallows every write until it is unlocked.
    pub(super) is_locked: bool,
    /// Says that it is unlocked, and swallows every write all the same.
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

/// A file's name on the simulated disk.
const FILE: &str = "backup";
const TEMPORARY: &str = "backup.new";

/// A backup on a disk that keeps after a power cut what was synced, and of the rest what it likes.
#[derive(Clone)]
pub(super) struct SimulatedDisk {
    pub(super) power: Power,
    /// Nothing can be kept on it.
    pub(super) is_full: bool,
    /// `fsync` of a file does what it says.
    pub(super) syncs_files: bool,
    /// `fsync` of the directory does what it says.
    pub(super) syncs_names: bool,
    /// The content of each inode: as written, and as durable.
    inodes: Vec<(Vec<u8>, Vec<u8>)>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
}

impl SimulatedDisk {
    pub(super) fn new(power: &Power) -> Self {
        SimulatedDisk {
            power: power.clone(),
            is_full: false,
            syncs_files: true,
            syncs_names: true,
            inodes: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
        }
    }

    /// What is found at the next start: with or without the names that were not synced.
    pub(super) fn after_a_cut(&self, keeps_names: bool, power: &Power) -> Self {
        let mut disk = self.clone();
        for (written, durable) in &mut disk.inodes {
            written.clone_from(durable);
        }
        if keeps_names {
            disk.durable_names.clone_from(&disk.names);
        } else {
            disk.names.clone_from(&disk.durable_names);
        }
        disk.power = power.clone();
        disk
    }

    /// Whether there is a backup, good or not.
    pub(super) fn has_file(&self) -> bool {
        self.names.contains_key(FILE)
    }

    fn inode(&self, name: &str) -> io::Result<usize> {
        let found = self.names.get(name).copied();
        found.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl SimulatedDisk {
    fn read(&mut self, name: &str) -> io::Result<Option<Vec<u8>>> {
        self.power.check()?;
        let inode = self.names.get(name);
        Ok(inode.map(|inode| self.inodes[*inode].0.clone()))
    }

    fn create(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        if self.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.power.clone().call(|tear| {
            // Content that was never synced may be on the disk in part.
            let torn = bytes.iter().enumerate();
            let torn = torn.filter(|(at, _)| tear.reaches(*at, bytes.len()));
            let half = bytes[..bytes.len() / 2].to_vec();
            self.names.insert(name.to_owned(), self.inodes.len());
            self.inodes.push((torn.map(|(_, byte)| *byte).collect(), half));
        })
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        let (inode, honest) = (self.inode(name)?, self.syncs_files);
        self.power.clone().call(|tear| {
            if honest && tear == Tear::All {
                self.inodes[inode].1 = self.inodes[inode].0.clone();
            }
        })
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let inode = self.inode(from)?;
        self.power.clone().call(|tear| {
            // jffs2 links the new name before it unlinks the old one.
            if tear != Tear::Nothing {
                self.names.insert(to.to_owned(), inode);
            }
            if tear == Tear::All {
                self.names.remove(from);
            }
        })
    }

    fn remove(&mut self, name: &str) -> io::Result<bool> {
        let there = self.names.contains_key(name);
        if there {
            self.power.clone().call(|tear| {
                if tear == Tear::All {
                    self.names.remove(name);
                }
            })?;
        }
        Ok(there)
    }

    fn sync_dir(&mut self) -> io::Result<()> {
        let honest = self.syncs_names;
        self.power.clone().call(|tear| {
            if honest && tear == Tear::All {
                self.durable_names = self.names.clone();
            }
        })
    }
}

impl Backup for SimulatedDisk {
    fn save(&mut self, blocks: &Blocks) -> io::Result<()> {
        if self.is_full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let mut bytes = format!("{}\n{}\n", blocks.device, blocks.start).into_bytes();
        bytes.extend(&blocks.bytes);
        bytes.extend(b"\nend");
        self.remove(TEMPORARY)?;
        self.create(TEMPORARY, &bytes)?;
        self.sync(TEMPORARY)?;
        self.rename(TEMPORARY, FILE)?;
        self.sync_dir()
    }

    fn load(&mut self) -> io::Result<Option<Blocks>> {
        let Some(bytes) = self.read(FILE)? else { return Ok(None) };
        let Some(content) = bytes.strip_suffix(b"\nend") else { return Ok(None) };
        let mut parts = content.splitn(3, |byte| *byte == b'\n');
        let mut line = || String::from_utf8_lossy(parts.next().expect("whole")).into_owned();
        let (device, start) = (line(), line().parse().expect("a number"));
        let bytes = parts.next().expect("whole").to_vec();
        Ok(Some(Blocks { device, start, bytes }))
    }

    fn discard(&mut self) -> io::Result<()> {
        self.remove(FILE)?;
        self.sync_dir()
    }
}
