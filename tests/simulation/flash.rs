//! NOR flash with the U-Boot environment: erasing and programming are two calls, either tears in the
//! middle, and programming only clears bits.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use intercom_agent::environment::{Environment, Flags, Flash, Location, Store};

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
    chip: Arc<Mutex<Chip>>,
}

impl Clone for Environments {
    /// Another chip with the same content.
    fn clone(&self) -> Self {
        Environments { kept: self.kept, chip: Arc::new(Mutex::new(self.chip().clone())) }
    }
}

impl Environments {
    pub fn new(kept: Kept, variables: &[(&str, &str)]) -> Self {
        let mut bytes = vec![0xff; 3 * BLOCK];
        let data: String =
            variables.iter().map(|(name, value)| format!("{name}={value}\0")).collect();
        let flag: &[Option<u8>] = match kept {
            Kept::Nowhere => &[],
            Kept::Single | Kept::Damaged => &[None],
            Kept::Redundant => &[Some(1), Some(0)],
        };
        for (copy, flag) in bytes.chunks_mut(BLOCK).zip(flag) {
            copy.fill(0);
            let head = 4 + usize::from(flag.is_some());
            copy[head..head + data.len()].copy_from_slice(data.as_bytes());
            let crc = crc32fast::hash(&copy[head..]);
            copy[..4].copy_from_slice(&crc.to_le_bytes());
            if let Some(flag) = flag {
                copy[4] = *flag;
            }
            if kept == Kept::Damaged {
                copy[0] ^= 1;
            }
        }
        let chip = Chip { bytes, swallows: false, erases: 0, programs: 0 };
        Environments { kept, chip: Arc::new(Mutex::new(chip)) }
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
        let copies = match self.kept {
            Kept::Nowhere => return None,
            Kept::Single | Kept::Damaged => 1,
            Kept::Redundant => 2,
        };
        let copies = (0..copies).map(|copy| {
            let offset = i64::try_from(copy * BLOCK).expect("small");
            let location = Location { device: DEVICE.into(), offset, size: BLOCK };
            let flash = PoweredFlash { chip: self.chip.clone(), power: power.clone() };
            (location, Box::new(flash) as Box<dyn Flash>)
        });
        Some(Store::over(copies.collect()).expect("within the chip"))
    }

    /// What U-Boot finds when it starts; nothing if no checksum fits.
    pub fn found(&self) -> Option<Environment> {
        let environment = self.store(&Power::default())?.load().expect("power");
        (environment.good > 0).then_some(environment)
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
