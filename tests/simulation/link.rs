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
    /// Whether the interface is there yet.
    pub is_there: bool,
    /// It has no IP address until the hooks get it one.
    pub lacks_address: bool,
    /// The address that it has after power-on, where neither U-Boot nor the driver has another.
    pub hardware: Mac,
    /// Its driver invents another address at each boot.
    pub invents: bool,
    /// The address that U-Boot knows does not reach the kernel.
    pub ignores_uboot: bool,
    /// Whether its driver invented the address that it has. One that was set counts as given, as in
    /// the kernel's `addr_assign_type`.
    pub is_invented: bool,
    /// The address that it had after power-on.
    pub at_power_on: Mac,
    /// What other software has set it to.
    pub given: Vec<Mac>,
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
            is_there: true,
            lacks_address: false,
            hardware,
            invents: false,
            ignores_uboot: false,
            is_invented: false,
            at_power_on: hardware,
            given: Vec::new(),
            driver: Driver::default(),
            files: None,
            files_fail: false,
            sets: Vec::new(),
            touched: 0,
        }
    }

    /// Linux has started, with what U-Boot knows.
    pub fn power_on(&mut self, boot: u32, from_uboot: Option<Mac>) {
        let from_uboot = from_uboot.filter(|_| !self.ignores_uboot);
        self.is_invented = self.invents && from_uboot.is_none();
        let own = if self.invents { invented_in(boot) } else { self.hardware };
        self.at_power_on = from_uboot.unwrap_or(own);
        self.mac = self.at_power_on;
        self.files = None;
    }

    /// Other software sets it.
    pub fn give(&mut self, mac: Mac) {
        self.set(mac);
        self.given.push(mac);
    }

    fn set(&mut self, mac: Mac) {
        self.mac = mac;
        self.is_invented = false;
    }
}

/// The address that a driver makes up in this boot.
pub fn invented_in(boot: u32) -> Mac {
    let [_, _, high, low] = boot.to_be_bytes();
    Mac::try_from([0x02, 0xff, 0, 0, high, low]).expect("a MAC")
}

/// In which boot a driver made this address up, if one did.
pub fn boot_that_invented(mac: Mac) -> Option<u32> {
    match mac.octets() {
        [0x02, 0xff, 0, 0, high, low] => Some(u32::from_be_bytes([0, 0, high, low])),
        _ => None,
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
        if !world.link.is_there {
            return Err(LinkError::NoInterface { interface: "eth0".into() });
        }
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
                    world.link.set(mac);
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

    fn lacks_address(&mut self) -> bool {
        self.0.borrow().link.lacks_address
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
        let world = &mut *self.0.borrow_mut();
        world.environments.missed = world.environments.locked;
        if world.environments.locked {
            return Err(uboot_env::Error::Lock(io::ErrorKind::WouldBlock.into()));
        }
        Ok(world.environments.store(&world.power))
    }
}
