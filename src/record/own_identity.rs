//! What the record takes from the board itself. What could not be read is no fact: it stays open, is
//! asked for again, and is taken over when it answers.

use std::fmt;

use intercom_wire::{BoardName, FactoryIdentity, Identity, Mac, SerialNumber};

use super::board_reading::{BoardReading, Earlier, MacKind, OwnMac, Reading};
use super::{Current, MacOrigin, Record, SerialOrigin};
use crate::clock::BootId;

/// The board has no MAC address at all, so there is nothing to begin a record with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoMac;

impl fmt::Display for NoMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the board has no MAC address: its network interface is not there, and the U-Boot \
             environment has no address for it; set `interface` in the configuration",
        )
    }
}

impl std::error::Error for NoMac {}

impl From<MacKind> for MacOrigin {
    fn from(kind: MacKind) -> Self {
        match kind {
            MacKind::Real => MacOrigin::Board,
            MacKind::Placeholder => MacOrigin::Placeholder,
            MacKind::Random => MacOrigin::Random,
        }
    }
}

impl Current {
    /// Whether the MAC address is this board's own or was given to it by a request. Any other one is
    /// what the link happens to have, and is never set or written anywhere.
    pub fn has_mac(&self) -> bool {
        match self.mac_origin {
            MacOrigin::Board | MacOrigin::Request => true,
            MacOrigin::Placeholder | MacOrigin::Random | MacOrigin::Unread => false,
        }
    }

    /// Whether the board's own serial number counts as soon as it is known.
    fn lacks_serial_number(&self) -> bool {
        matches!(self.serial_origin, None | Some(SerialOrigin::Unread))
    }

    /// What cannot be read leaves what was known before: the daemon may lack a right that `restore`
    /// has at boot.
    fn take_mac(&mut self, reading: &BoardReading) {
        match reading.mac {
            Reading::Found(own) if !self.has_mac() => {
                self.identity.mac = own.mac;
                self.mac_origin = own.kind.into();
            }
            _ => self.follow_link(reading.link_mac),
        }
    }

    /// An address that is nobody's is whatever the link has now.
    fn follow_link(&mut self, link_mac: Option<Mac>) {
        if let Some(mac) = link_mac.filter(|_| !self.has_mac()) {
            self.identity.mac = mac;
        }
    }

    fn take_serial_number(&mut self, reading: &Reading<SerialNumber>) {
        if !self.lacks_serial_number() {
            return;
        }
        match reading {
            Reading::Found(own) => {
                self.identity.serial_number = Some(own.clone());
                self.serial_origin = Some(SerialOrigin::Board);
            }
            Reading::Absent => self.serial_origin = None,
            Reading::Unreadable => {}
        }
    }
}

impl Record {
    /// The record of a board that has none yet, in this boot.
    ///
    /// # Errors
    /// When the board has no MAC address.
    pub fn first(reading: &BoardReading, boot_id: &BootId) -> Result<Record, NoMac> {
        let own = reading.mac.found();
        let mac = own.map(|own| own.mac).or(reading.link_mac).ok_or(NoMac)?;
        let mut current = Current {
            identity: Identity { mac, serial_number: None },
            mac_origin: MacOrigin::Unread,
            serial_origin: Some(SerialOrigin::Unread),
        };
        current.take_mac(reading);
        current.take_serial_number(&reading.serial_number);
        // An earlier record wrote down what the factory had: what differs was given since.
        if let Some(factory) = reading.earlier.found().and_then(|e| e.factory.as_ref()) {
            if current.has_mac() && current.identity.mac != factory.mac {
                current.mac_origin = MacOrigin::Request;
            }
            let serial_number = &current.identity.serial_number;
            if serial_number.is_some() && *serial_number != factory.serial_number {
                current.serial_origin = Some(SerialOrigin::Request);
            }
        }
        let factory = factory(reading, &current);
        Ok(Record::new(board_name(reading, &current, boot_id), factory, current))
    }

    /// Takes over what was open and can be read now, in this boot. With `keeps_link` a link that has
    /// another address keeps it until the next boot: a live link is not given another one without a
    /// word.
    ///
    /// Answers whether something became known. That the link of a board without an address of its own
    /// has another one at each boot is not worth a write.
    pub fn take_over(
        &mut self,
        reading: &BoardReading,
        boot_id: &BootId,
        keeps_link: bool,
    ) -> bool {
        if let Some(change) = &mut self.change {
            // Its end decides what the board is. In its own boot the link may have what it sets.
            if change.boot_id != *boot_id {
                for part in [&mut self.current, &mut change.from, &mut change.to] {
                    part.follow_link(reading.link_mac);
                }
            }
            return false;
        }
        let known = |record: &Record| {
            let Current { mac_origin, serial_origin, .. } = record.current;
            (mac_origin, serial_origin, record.factory.clone())
        };
        let before = known(self);
        let had_mac = self.current.has_mac();
        self.current.take_mac(reading);
        if self.current.has_mac() && !had_mac {
            let differs = reading.link_mac != Some(self.current.identity.mac);
            self.link_kept_in = (keeps_link && differs).then(|| boot_id.clone());
        }
        self.current.take_serial_number(&reading.serial_number);
        match &mut self.factory {
            None => self.factory = factory(reading, &self.current),
            Some(FactoryIdentity::Known(known)) if known.serial_number.is_none() => {
                if self.current.serial_origin == Some(SerialOrigin::Board) {
                    known.serial_number.clone_from(&self.current.identity.serial_number);
                }
            }
            Some(_) => {}
        }
        known(self) != before
    }

    /// Whether the link is given the address of the record in this boot.
    pub fn sets_link(&self, boot_id: &BootId) -> bool {
        let wanted = self.change.as_ref().map_or(&self.current, |change| &change.to);
        wanted.has_mac() && self.link_kept_in.as_ref() != Some(boot_id)
    }

    /// Whether something of the current identity could not be read yet.
    pub fn has_unread(&self) -> bool {
        self.current.mac_origin == MacOrigin::Unread
            || self.current.serial_origin == Some(SerialOrigin::Unread)
    }

    /// Whether the board must be read again. (A board without an address of its own has told all.)
    pub fn wants_reading(&self) -> bool {
        self.has_unread() || self.factory.is_none() && self.current.has_mac()
    }
}

/// The factory identity, once every source that could tell it has answered; until then it stays open.
fn factory(reading: &BoardReading, current: &Current) -> Option<FactoryIdentity> {
    match &reading.earlier {
        Reading::Unreadable => return None,
        Reading::Found(Earlier { factory: Some(factory), .. }) => {
            return Some(FactoryIdentity::Known(factory.clone()));
        }
        // An earlier record has written the environment, and did not know the factory either.
        Reading::Found(Earlier { board: Some(_), .. }) => return Some(FactoryIdentity::Unknown),
        Reading::Found(_) | Reading::Absent => {}
    }
    let serial_number = match &reading.serial_number {
        Reading::Found(serial_number) => Some(serial_number.clone()),
        Reading::Absent => None,
        Reading::Unreadable => return None,
    };
    let known = |mac| Some(FactoryIdentity::Known(Identity { mac, serial_number }));
    match (reading.mac, current.mac_origin) {
        (Reading::Unreadable, _) => None,
        (Reading::Found(OwnMac { mac, kind: MacKind::Real, from_environment: true }), _) => {
            known(mac)
        }
        // The link has what the request gave, and tells nothing.
        (_, MacOrigin::Request) => Some(FactoryIdentity::Unknown),
        (Reading::Found(OwnMac { mac, kind: MacKind::Real, .. }), _) => known(mac),
        (Reading::Found(_) | Reading::Absent, _) => None,
    }
}

/// The name that the board keeps. A MAC address that is not known to be its own would give several
/// boards one name, and with it one MQTT client id.
fn board_name(reading: &BoardReading, current: &Current, boot_id: &BootId) -> BoardName {
    let earlier = reading.earlier.found();
    let written = earlier.and_then(|earlier| earlier.board.clone());
    let factory = earlier.and_then(|earlier| earlier.factory.as_ref()).map(|factory| factory.mac);
    let own = current.has_mac().then_some(current.identity.mac);
    let named_after = factory.or(own).map(BoardName::from_mac);
    let name = reading.board.clone().or(written).or(named_after);
    name.unwrap_or_else(|| BoardName::random(boot_id.as_str()))
}
