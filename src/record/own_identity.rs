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

    /// Whether it is more than what a board without an address of its own shows at each boot.
    fn has_mac_or_request(&self) -> bool {
        self.has_mac() || self.serial_origin == Some(SerialOrigin::Request)
    }

    /// Whether the board's own serial number counts as soon as it is known.
    fn lacks_serial_number(&self) -> bool {
        matches!(self.serial_origin, None | Some(SerialOrigin::Unread))
    }

    /// What cannot be read leaves what was known before: the daemon may lack a right that `restore`
    /// has at boot.
    fn take_mac(&mut self, mac: Reading<OwnMac>, link_mac: Option<Mac>) {
        match mac {
            Reading::Found(own) if !self.has_mac() => {
                self.identity.mac = own.mac;
                self.mac_origin = own.kind.into();
            }
            _ => {
                if let Some(link_mac) = link_mac {
                    self.follow_link(link_mac);
                }
            }
        }
    }

    /// An address that is nobody's is whatever the link has now.
    pub fn follow_link(&mut self, link_mac: Mac) {
        if !self.has_mac() {
            self.identity.mac = link_mac;
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
        current.take_mac(reading.mac, reading.link_mac);
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
        let factory = factory(reading, reading.mac, &current);
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
            if let Some(link_mac) = reading.link_mac
                && change.boot_id != *boot_id
            {
                for part in [&mut self.current, &mut change.from, &mut change.to] {
                    part.follow_link(link_mac);
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
        let mac = self.trusted_mac(reading.mac, boot_id);
        self.current.take_mac(mac, reading.link_mac);
        if self.current.has_mac() && !had_mac {
            let differs = reading.link_mac != Some(self.current.identity.mac);
            self.link_kept_in = (keeps_link && differs).then(|| boot_id.clone());
        }
        self.current.take_serial_number(&reading.serial_number);
        match &mut self.factory {
            None => self.factory = factory(reading, mac, &self.current),
            Some(FactoryIdentity::Known(known)) if known.serial_number.is_none() => {
                if self.current.serial_origin == Some(SerialOrigin::Board) {
                    known.serial_number.clone_from(&self.current.identity.serial_number);
                }
            }
            Some(_) => {}
        }
        known(self) != before
    }

    /// What a change has put back on the link counts as set by someone, even if the driver had made
    /// it up: in that boot the link tells nothing.
    fn trusted_mac(&self, mac: Reading<OwnMac>, boot_id: &BootId) -> Reading<OwnMac> {
        match mac {
            Reading::Found(OwnMac { from_environment: false, .. })
                if !self.current.has_mac() && self.link_kept_in.as_ref() == Some(boot_id) =>
            {
                Reading::Unreadable
            }
            told => told,
        }
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
        self.has_unread() || self.factory.is_none() && self.current.has_mac_or_request()
    }
}

/// The factory identity, once every source that could tell it has answered; until then it stays open.
fn factory(
    reading: &BoardReading,
    mac: Reading<OwnMac>,
    current: &Current,
) -> Option<FactoryIdentity> {
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
    match (mac, current.mac_origin) {
        (Reading::Unreadable, _) => None,
        (Reading::Found(OwnMac { mac, kind: MacKind::Real, from_environment: true }), _) => {
            known(mac)
        }
        // The link has what the request gave, and tells nothing.
        (_, MacOrigin::Request) => Some(FactoryIdentity::Unknown),
        (Reading::Found(OwnMac { mac, kind: MacKind::Real, .. }), _) => known(mac),
        // The environment is about to be written, and tells no more of the factory afterwards.
        (Reading::Found(_) | Reading::Absent, _) => (current.serial_origin
            == Some(SerialOrigin::Request))
        .then_some(FactoryIdentity::Unknown),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;
    use crate::record::{Begun, Cause, Change, Goal};

    fn boot(number: u8) -> BootId {
        format!("boot-{number}").parse().expect("a boot ID")
    }

    /// What the link says, on a board whose environment says nothing or cannot be read.
    fn link(kind: MacKind, earlier: Reading<Earlier>) -> BoardReading {
        let link_mac = "08:00:00:00:00:01".parse().expect("a MAC");
        let found = OwnMac { mac: link_mac, kind, from_environment: false };
        BoardReading {
            link_mac: Some(link_mac),
            mac: if earlier.is_unreadable() { Reading::Unreadable } else { Reading::Found(found) },
            serial_number: Reading::Absent,
            earlier,
            board: None,
            warnings: Vec::new(),
        }
    }

    /// A first record, and a change that was taken back in the same boot.
    fn taken_back(first: &BoardReading) -> Record {
        let mut record = Record::first(first, &boot(1)).expect("a MAC");
        let mut to = record.current.clone();
        to.mac_origin = MacOrigin::Request;
        begin(&mut record, to);
        record.roll_back("not confirmed".to_owned());
        record
    }

    fn begin(record: &mut Record, to: Current) {
        let at = Moment::from_millis(0);
        let change = Change {
            cause: Cause::bare(None, Vec::new()),
            goal: Goal::Install,
            offline: false,
            from: record.current.clone(),
            to,
            boot_id: boot(1),
            deadline: at,
            attempts: 1,
        };
        record.begin(change, Begun { boot_id: boot(1), at });
    }

    #[test]
    fn an_address_that_was_put_back_counts_as_set_and_is_not_taken_for_the_boards_own() {
        for (earlier, origin) in
            [(Reading::Absent, MacOrigin::Random), (Reading::Unreadable, MacOrigin::Unread)]
        {
            let mut record = taken_back(&link(MacKind::Random, earlier));
            record.take_over(&link(MacKind::Real, Reading::Absent), &boot(1), true);
            assert_eq!((record.current.mac_origin, record.factory), (origin, None));
        }
    }

    #[test]
    fn nor_is_it_after_another_change_that_leaves_the_address_alone() {
        let mut record = taken_back(&link(MacKind::Random, Reading::Absent));
        let to = Current { serial_origin: Some(SerialOrigin::Request), ..record.current.clone() };
        begin(&mut record, to);
        record.install();
        record.take_over(&link(MacKind::Real, Reading::Absent), &boot(1), true);
        assert_eq!(record.current.mac_origin, MacOrigin::Random);
    }

    #[test]
    fn the_next_boot_tells_again_whose_address_it_is() {
        for (kind, origin) in
            [(MacKind::Random, MacOrigin::Random), (MacKind::Real, MacOrigin::Board)]
        {
            let mut record = taken_back(&link(MacKind::Random, Reading::Unreadable));
            assert!(record.take_over(&link(kind, Reading::Absent), &boot(2), false));
            assert_eq!(record.current.mac_origin, origin);
        }
    }
}
