//! A board with an environment, its flash and a disk for the backup.

use std::sync::{Arc, Mutex};

use uboot_env::{
    Backup, Blocks, Error, Flags, Format, Layout, Location, Recovery, Store, Transaction, Written,
};

use super::disk::SimulatedDisk;
use super::flash::{Chip, SimulatedFlash};
use super::images::image;
use super::power::Power;

pub(super) const BLOCK: usize = 512;

pub(super) const VARIABLES: &[u8] = b"bootcmd=run linux\0ethaddr=00:00:23:34:45:66\0\0";

/// What is in the copy that does not count.
const OLDER: &[u8] = b"bootcmd=run old linux\0\0";

/// Both at once, so that a mix would show.
const CHANGES: &[(&str, &str)] = &[("ethaddr", "AA:BB:CC:DD:EE:FF"), ("serialno", "A1-0042")];

/// What a recovery did.
#[derive(Debug, PartialEq)]
pub(super) enum Healed {
    Whole,
    Restored,
    Damaged,
}

/// A board with some flash and one disk.
#[derive(Clone)]
pub(super) struct World {
    pub(super) power: Power,
    pub(super) places: Vec<(Location, SimulatedFlash)>,
    pub(super) disk: SimulatedDisk,
}

/// One copy: its place, and what is in it.
pub(super) struct Made {
    pub(super) offset: usize,
    pub(super) size: usize,
    /// `None`: it was never written, as on a board fresh from the factory.
    pub(super) flag: Option<u8>,
}

impl World {
    /// Copies on chips of their own, full of other data outside of the copies if `neighbours`.
    pub(super) fn new(flags: Flags, neighbours: bool, copies: &[Made]) -> Self {
        let power = Power::on();
        let flag = |copy: usize| copies.get(copy).and_then(|made| made.flag);
        let active = flags.active([flag(0), flag(1)]);
        let format = if copies.len() > 1 { Format::Redundant } else { Format::Single };
        let places = copies.iter().enumerate().map(|(number, made)| {
            let mut bytes = vec![if neighbours { 0x5a } else { 0xff }; 6 * BLOCK];
            let place = &mut bytes[made.offset..made.offset + made.size];
            match made.flag {
                Some(flag) => {
                    let variables = if active == Some(number) { VARIABLES } else { OLDER };
                    let copy = image(made.size, format, variables, 0).with_flag(flag);
                    place.copy_from_slice(copy.bytes());
                }
                None => place.fill(0xff),
            }
            let chip = Chip {
                bytes,
                block: BLOCK,
                flags,
                is_locked: true,
                is_stuck: false,
                fails_once: false,
                erased: 0,
                programmed: 0,
            };
            let flash = SimulatedFlash { chip: Arc::new(Mutex::new(chip)), power: power.clone() };
            let location = Location {
                device: format!("/dev/mtd{number}"),
                offset: made.offset as i64,
                size: made.size,
            };
            (location, flash)
        });
        World { places: places.collect(), disk: SimulatedDisk::new(&power), power }
    }

    pub(super) fn single() -> Self {
        let (offset, size) = (BLOCK, 256);
        World::new(Flags::ActiveObsolete, true, &[Made { offset, size, flag: Some(0) }])
    }

    pub(super) fn redundant(flags: Flags, first: Option<u8>, second: Option<u8>) -> Self {
        let (offset, size) = (BLOCK, BLOCK);
        let copy = |flag| Made { offset, size, flag };
        World::new(flags, false, &[copy(first), copy(second)])
    }

    pub(super) fn store(&self) -> Store {
        let location = |copy: usize| self.places[copy].0.clone();
        let layout = match self.places.len() {
            1 => Layout::single(location(0)),
            _ => Layout::redundant(location(0), location(1)).expect("of one size"),
        };
        let flash = |at: &Location| {
            let (_, flash) = self.places.iter().find(|place| place.0 == *at).expect("there");
            Ok(Box::new(flash.clone()) as _)
        };
        Store::over(&layout, flash).expect("within the chips")
    }

    pub(super) fn chip(&self, copy: usize) -> Chip {
        self.places[copy].1.chip().clone()
    }

    pub(super) fn write(&mut self) -> Result<Written, Error> {
        let mut store = self.store();
        let transaction = with_changes(store.begin()?);
        transaction.commit(&mut self.disk)
    }

    /// Looks for an interrupted write, and restores it.
    pub(super) fn recover(&mut self) -> Result<Healed, Error> {
        match self.store().recover(&mut self.disk)? {
            Recovery::Whole => Ok(Healed::Whole),
            Recovery::Damaged => Ok(Healed::Damaged),
            Recovery::Interrupted(write) => {
                write.restore(&mut self.disk)?;
                Ok(Healed::Restored)
            }
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<String> {
        let environment = self.store().read().expect("power");
        environment.get(name).map(|value| value.into_owned())
    }

    pub(super) fn is_new(&self) -> bool {
        CHANGES.iter().all(|(name, value)| self.get(name).as_deref() == Some(value))
    }

    /// A backup as if a write had been interrupted.
    pub(super) fn save_backup(&mut self, device: &str, bytes: Vec<u8>) {
        let blocks = Blocks { device: device.into(), start: BLOCK as u64, bytes };
        self.disk.save(&blocks).expect("saved");
    }

    pub(super) fn has_backup(&self) -> bool {
        self.disk.has_file()
    }
}

pub(super) fn with_changes(mut transaction: Transaction<'_>) -> Transaction<'_> {
    for (name, value) in CHANGES {
        transaction.set(*name, *value);
    }
    transaction
}

/// The same board with another supply.
pub(super) fn powered_by(world: &World, power: &Power) -> World {
    let places = world.places.iter().map(|(location, flash)| {
        let chip = Arc::clone(&flash.chip);
        let power = power.clone();
        (location.clone(), SimulatedFlash { chip, power })
    });
    let mut disk = world.disk.clone();
    disk.power = power.clone();
    World { places: places.collect(), disk, power: power.clone() }
}
