//! The board: a link that forgets its MAC address without power, runtime files, the environment.

use std::io;

use intercom_agent::board::{Board, LinkError, RuntimeFiles};
use intercom_wire::Mac;

use super::power::Reach;
use super::world::Shared;

/// What the driver does with a new address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Driver {
    #[default]
    Takes,
    /// Says no.
    Refuses,
    /// Says no to one address.
    RefusesOne(Mac),
    /// Says yes, and keeps what it has.
    Ignores,
}

#[derive(Debug, Clone)]
pub struct LinkState {
    pub mac: Mac,
    /// The address that it has after power-on, before anybody sets one.
    pub hardware: Mac,
    pub driver: Driver,
    pub files: Option<RuntimeFiles>,
    /// The runtime directory is full.
    pub files_fail: bool,
    /// In which boot it was set to what.
    pub sets: Vec<(u32, Mac)>,
    /// How often it was set at all.
    pub touched: u32,
}

impl LinkState {
    pub fn new(hardware: Mac) -> Self {
        LinkState {
            mac: hardware,
            hardware,
            driver: Driver::default(),
            files: None,
            files_fail: false,
            sets: Vec::new(),
            touched: 0,
        }
    }
}

/// The agent's side of it.
pub struct SimulatedBoard(pub Shared);

fn refused(mac: Mac, why: io::Error) -> LinkError {
    LinkError::Refused { interface: "eth0".into(), mac, why }
}

impl Board for SimulatedBoard {
    fn link_mac(&mut self) -> Result<Mac, LinkError> {
        let world = self.0.borrow();
        let unreadable =
            |why| LinkError::Unreadable { path: "/sys/class/net/eth0/address".into(), why };
        world.power.check().map_err(unreadable)?;
        Ok(world.link.mac)
    }

    fn set_link_mac(&mut self, mac: Mac) -> Result<(), LinkError> {
        let (power, driver, found) = {
            let world = self.0.borrow();
            (world.power.clone(), world.link.driver, world.link.mac)
        };
        if found == mac {
            return Ok(());
        }
        let takes = match driver {
            Driver::Takes => true,
            Driver::RefusesOne(refused) => mac != refused,
            Driver::Refuses | Driver::Ignores => false,
        };
        power
            .call(|reach| {
                let world = &mut *self.0.borrow_mut();
                world.link.touched += 1;
                if takes && reach != Reach::Nothing {
                    world.link.mac = mac;
                    world.link.sets.push((world.boot, mac));
                }
            })
            .map_err(|why| refused(mac, why))?;
        let world = &mut *self.0.borrow_mut();
        world.disk.started();
        world.weather_changed();
        match driver {
            _ if takes => Ok(()),
            Driver::Ignores => {
                Err(LinkError::Ignored { interface: "eth0".into(), wanted: mac, found })
            }
            _ => Err(refused(mac, io::ErrorKind::ResourceBusy.into())),
        }
    }

    fn write_runtime_files(&mut self, files: &RuntimeFiles) -> io::Result<()> {
        let power = self.0.borrow().power.clone();
        if self.0.borrow().link.files.as_ref() == Some(files) {
            return power.check();
        }
        if self.0.borrow().link.files_fail {
            power.check()?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        power.call(|reach| {
            if reach == Reach::Whole {
                self.0.borrow_mut().link.files = Some(files.clone());
            }
        })
    }

    fn environment(&mut self) -> Result<Option<uboot_env::Store>, uboot_env::Error> {
        let world = self.0.borrow();
        Ok(world.environments.store(&world.power))
    }
}
