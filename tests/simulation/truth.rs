//! Rule 7: nothing that could not be read is taken for absent, and nothing that was made up is written
//! anywhere as the board's own.

use intercom_agent::agent::environment_copy::FACTORY_MAC;
use intercom_agent::record::{Current, Record};
use intercom_wire::{FactoryIdentity, Mac, SerialNumber};

use super::flash::Environments;
use super::link::{Driver, LinkState, boot_that_invented};
use super::requests::{mac, serial};
use super::rules::Watch;
use super::world::Hardware;

const RULE: u8 = 7;

/// What the board itself is, whether it can be read or not.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    /// `None` if neither its environment nor its hardware has an address.
    pub mac: Option<Mac>,
    pub serial_number: Option<SerialNumber>,
}

impl Truth {
    pub fn of(link: &LinkState, environments: &Environments, has_serial_number: bool) -> Self {
        let found = environments.found();
        let in_environment = found.and_then(|found| found.get("ethaddr")?.parse().ok());
        let own = (!link.invents).then_some(link.hardware);
        let own_serial = serial('A').parse().expect("a serial number");
        Truth {
            mac: in_environment.or(own),
            serial_number: has_serial_number.then_some(own_serial),
        }
    }

    /// Whether this address is the board's, or other software has given it to the link.
    pub fn is_own(&self, link: &LinkState, mac: Mac) -> bool {
        self.mac == Some(mac) || link.given.contains(&mac)
    }
}

/// Checked after each start and after each step.
pub fn is_told(world: &Hardware, record: &Record, watch: &mut Watch) {
    nothing_is_made_up(world, record, watch);
    nothing_is_taken_for_absent(world, record, watch);
    what_is_not_read_is_left_alone(world, record, watch);
}

fn nothing_is_made_up(world: &Hardware, record: &Record, watch: &mut Watch) {
    let parts = record.change.iter().flat_map(|change| [&change.from, &change.to]);
    let told = parts.chain([&record.current]).filter(|part| part.has_mac());
    let mut written: Vec<(&str, Mac)> = told.map(|part| ("record", part.identity.mac)).collect();
    // To look at it takes long.
    let is_written = watch.environment_writes != Some(world.environments.writes());
    if let Some(environment) = is_written.then(|| world.environments.found()).flatten() {
        for name in ["ethaddr", FACTORY_MAC] {
            let value = environment.get(name).and_then(|text| text.parse().ok());
            written.extend(value.map(|mac| ("environment", mac)));
        }
    }
    let files = world.link.files.as_ref();
    written.extend(files.and_then(|files| files.mac).map(|mac| ("runtime files", mac)));
    for (place, mac) in written {
        if boot_that_invented(mac).is_some() {
            watch.broke(RULE, format!("the driver invented {mac}, and the {place} has it"));
        }
    }
    for (boot, mac) in &world.link.sets {
        if boot_that_invented(*mac).is_some_and(|of| of != *boot) {
            watch.broke(RULE, format!("boot {boot} set {mac}, which another one invented"));
        }
    }
}

fn nothing_is_taken_for_absent(world: &Hardware, record: &Record, watch: &mut Watch) {
    let was_absent = world.sources.serial_was_absent;
    let truth = &watch.truth;
    if let Some(FactoryIdentity::Known(factory)) = &record.factory {
        let is_serial = factory.serial_number == truth.serial_number
            || factory.serial_number.is_none() && was_absent;
        if !truth.is_own(&world.link, factory.mac) || !is_serial {
            let what = format!("the factory identity is {factory}, and the board's own {truth:?}");
            return watch.broke(RULE, what);
        }
    }
    let Current { identity, serial_origin, .. } = &record.current;
    if identity.serial_number.is_none() && serial_origin.is_none() && !was_absent {
        watch.broke(RULE, "a serial number that could not be read is said to be absent");
    }
}

/// Neither the link nor the environment is touched for a part that is not known. A change that a
/// request began is another matter.
fn what_is_not_read_is_left_alone(world: &Hardware, record: &Record, watch: &mut Watch) {
    let writes = world.environments.writes();
    let before = watch.environment_writes.replace(writes);
    if watch.faulty || watch.spoiled || world.link.driver != Driver::Takes {
        return;
    }
    let Hardware { link, .. } = world;
    if record.change.is_none()
        && !record.current.has_mac()
        && link.mac != link.at_power_on
        && !link.given.contains(&link.mac)
    {
        watch.broke(RULE, format!("the link was set to {}, which nobody gave", link.mac));
    }
    if record.has_unread() && before.is_some_and(|before| before != writes) {
        watch.broke(RULE, "the environment was written before it could be read");
    }
}

/// The address that stands for whatever the driver invents.
pub fn nobodys() -> Mac {
    mac('?')
}
