//! NOR flash with the U-Boot environment: erasing and programming are two calls, either tears in the
//! middle, and programming only clears bits.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use uboot_env::{Change, Environment, Flags, Flash, Format, Image, Layout, Location, Store};

use super::power::{Power, Reach};

pub const BLOCK: usize = 512;
const DEVICE: &str = "/dev/mtd1";

/// How the board keeps its environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    Nowhere,
    /// One copy.
    Single,
    /// Two copies, in erase blocks of their own.
    Redundant,
    /// One copy whose checksum does not fit.
    Damaged,
}

#[derive(Debug, Clone)]
struct Chip {
    bytes: Vec<u8>,
    /// Takes a write, says nothing, and stays as it is.
    swallows: bool,
    erases: u32,
    programs: u32,
}

/// The chip, which stays when the power is out.
#[derive(Debug)]
pub struct Environments {
    pub kept: Kept,
    /// It cannot be read by Linux: another program holds its lock, or its node is not there yet.
    pub locked: bool,
    /// The agent wanted to open it last when it could not.
    pub missed: bool,
    chip: Arc<Mutex<Chip>>,
}

impl Clone for Environments {
    /// Another chip with the same content.
    fn clone(&self) -> Self {
        Environments { chip: Arc::new(Mutex::new(self.chip().clone())), ..*self }
    }
}

impl Environments {
    pub fn new(kept: Kept, variables: &[(&str, &str)]) -> Self {
        let mut bytes = vec![0xff; 3 * BLOCK];
        let changes: Vec<Change<'_>> =
            variables.iter().map(|(name, value)| (*name, Some(*value))).collect();
        let image = |format| {
            let empty = Image::empty(BLOCK, format).expect("long enough");
            empty.changed(&changes).expect("fits")
        };
        let copies = match kept {
            Kept::Nowhere => vec![],
            Kept::Single | Kept::Damaged => vec![image(Format::Single)],
            Kept::Redundant => {
                let copy = image(Format::Redundant);
                vec![copy.clone().with_flag(1), copy.with_flag(0)]
            }
        };
        for (block, copy) in bytes.chunks_mut(BLOCK).zip(copies) {
            block.copy_from_slice(copy.bytes());
        }
        if kept == Kept::Damaged {
            bytes[0] ^= 1;
        }
        let chip = Chip { bytes, swallows: false, erases: 0, programs: 0 };
        Environments { kept, locked: false, missed: false, chip: Arc::new(Mutex::new(chip)) }
    }

    fn chip(&self) -> MutexGuard<'_, Chip> {
        self.chip.lock().expect("one thread")
    }

    pub fn erases(&self) -> u32 {
        self.chip().erases
    }

    pub fn writes(&self) -> u32 {
        let chip = self.chip();
        chip.erases + chip.programs
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.chip().bytes.clone()
    }

    pub fn swallow(&self, swallows: bool) {
        self.chip().swallows = swallows;
    }

    /// The environment on this supply.
    pub fn store(&self, power: &Power) -> Option<Store> {
        let at = |copy: usize| {
            let offset = i64::try_from(copy * BLOCK).expect("small");
            Location { device: DEVICE.into(), offset, size: BLOCK }
        };
        let layout = match self.kept {
            Kept::Nowhere => return None,
            Kept::Single | Kept::Damaged => Layout::single(at(0)),
            Kept::Redundant => Layout::redundant(at(0), at(1)).expect("of one size"),
        };
        let flash = |_: &Location| {
            let flash = PoweredFlash { chip: self.chip.clone(), power: power.clone() };
            Ok(Box::new(flash) as Box<dyn Flash>)
        };
        Some(Store::over(&layout, flash).expect("within the chip"))
    }

    /// What U-Boot finds when it starts; nothing if no checksum fits.
    pub fn found(&self) -> Option<Environment> {
        let environment = self.store(&Power::default())?.read().expect("power");
        (environment.health.good > 0).then_some(environment)
    }
}

struct PoweredFlash {
    chip: Arc<Mutex<Chip>>,
    power: Power,
}

impl PoweredFlash {
    fn change(&self, length: usize, effect: impl Fn(&mut Chip, usize)) -> io::Result<()> {
        self.power.call(|reach| {
            let mut chip = self.chip.lock().expect("one thread");
            let done = match reach {
                Reach::Nothing => 0,
                Reach::Half => length / 2,
                Reach::Whole => length,
            };
            if !chip.swallows {
                (0..done).for_each(|at| effect(&mut chip, at));
            }
        })
    }
}

impl Flash for PoweredFlash {
    fn size(&self) -> u64 {
        3 * BLOCK as u64
    }

    fn erase_size(&self) -> u64 {
        BLOCK as u64
    }

    fn flags(&self) -> Flags {
        Flags::ActiveObsolete
    }

    fn read(&mut self, at: u64, into: &mut [u8]) -> io::Result<()> {
        self.power.check()?;
        let at = at as usize;
        into.copy_from_slice(&self.chip.lock().expect("one thread").bytes[at..at + into.len()]);
        Ok(())
    }

    fn unlock(&mut self, _: u64, _: usize) -> io::Result<bool> {
        self.power.check()?;
        Ok(false)
    }

    fn erase(&mut self, at: u64, length: usize) -> io::Result<()> {
        self.chip.lock().expect("one thread").erases += u32::from(!self.power.is_out());
        self.change(length, |chip, index| chip.bytes[at as usize + index] = 0xff)
    }

    fn program(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.chip.lock().expect("one thread").programs += u32::from(!self.power.is_out());
        self.change(bytes.len(), |chip, index| chip.bytes[at as usize + index] &= bytes[index])
    }

    fn lock(&mut self, _: u64, _: usize) -> io::Result<()> {
        self.power.check()
    }
}
