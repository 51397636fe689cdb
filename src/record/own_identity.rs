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

    /// An earlier record wrote down what the factory had: what differs was given since.
    fn tell_given(&mut self, earlier: &Reading<Earlier>) {
        let Some(factory) = earlier.found().and_then(|earlier| earlier.factory.as_ref()) else {
            return;
        };
        if self.mac_origin == MacOrigin::Board && self.identity.mac != factory.mac {
            self.mac_origin = MacOrigin::Request;
        }
        let serial_number = &self.identity.serial_number;
        if self.serial_origin == Some(SerialOrigin::Board)
            && serial_number.is_some()
            && *serial_number != factory.serial_number
        {
            self.serial_origin = Some(SerialOrigin::Request);
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
        current.tell_given(&reading.earlier);
        let factory = factory(reading, reading.mac, &current);
        let board = board_name(reading, &current, boot_id);
        let interface = Some(reading.interface.clone());
        Ok(Record { interface, ..Record::new(board, factory, current) })
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
            (mac_origin, serial_origin, record.factory.clone(), record.interface.clone())
        };
        let before = known(self);
        self.belong_to(&reading.interface);
        let had_mac = self.current.has_mac();
        let mac = self.trusted_mac(reading.mac, boot_id);
        self.current.take_mac(mac, reading.link_mac);
        if self.current.has_mac() && !had_mac {
            let differs = reading.link_mac != Some(self.current.identity.mac);
            self.link_kept_in = (keeps_link && differs).then(|| boot_id.clone());
        }
        let had_serial_number = !self.current.lacks_serial_number();
        self.current.take_serial_number(self.trusted_serial_number(&reading.serial_number));
        if !had_mac || !had_serial_number {
            self.current.tell_given(&reading.earlier);
        }
        let written = reading.earlier.found().and_then(|earlier| earlier.factory.clone());
        match &mut self.factory {
            // The record was lost, and the environment tells it.
            Some(unknown @ FactoryIdentity::Unknown) => {
                if let Some(written) = written {
                    *unknown = FactoryIdentity::Known(written);
                }
            }
            None => self.factory = factory(reading, mac, &self.current),
            Some(FactoryIdentity::Known(known)) if known.serial_number.is_none() => {
                if self.current.serial_origin == Some(SerialOrigin::Board) {
                    known.serial_number.clone_from(&self.current.identity.serial_number);
                }
            }
            Some(FactoryIdentity::Known(_)) => {}
        }
        known(self) != before
    }

    /// Another interface is configured: an address that the board has for the one before is not this
    /// one's, or two interfaces of the panel would have one address. What a request gave is the panel's.
    fn belong_to(&mut self, interface: &str) {
        let moved = self.interface.as_deref().is_some_and(|before| before != interface);
        if moved && self.current.mac_origin == MacOrigin::Board {
            self.current.mac_origin = MacOrigin::Unread;
            self.factory = None;
        }
        if self.interface.as_deref() != Some(interface) {
            self.interface = Some(interface.to_owned());
        }
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

    /// A serial number that the board went back from may still be in the environment, which could not be
    /// written at that time. It is not the board's own.
    fn trusted_serial_number<'a>(
        &self,
        told: &'a Reading<SerialNumber>,
    ) -> &'a Reading<SerialNumber> {
        match told {
            Reading::Found(found)
                if self.current.serial_origin.is_none() && self.ledger.tells_of(found) =>
            {
                &Reading::Absent
            }
            told => told,
        }
    }

    /// Whether the link is given the address of the record in this boot.
    pub fn sets_link(&self, boot_id: &BootId) -> bool {
        self.carried().has_mac() && self.link_kept_in.as_ref() != Some(boot_id)
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
    use crate::clock::{Moment, WallTime};
    use crate::record::{Begun, Cause, Change, Goal};

    const THEN: WallTime = WallTime::from_unix_seconds(1_800_000_000);

    fn boot(number: u8) -> BootId {
        format!("boot-{number}").parse().expect("a boot ID")
    }

    /// What the link says, on a board whose environment says nothing or cannot be read.
    fn link(kind: MacKind, earlier: Reading<Earlier>) -> BoardReading {
        let link_mac = "08:00:00:00:00:01".parse().expect("a MAC");
        let found = OwnMac { mac: link_mac, kind, from_environment: false };
        BoardReading {
            interface: "eth0".to_owned(),
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
        record.roll_back("not confirmed".to_owned(), THEN);
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
        record.install(THEN);
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

    /// The same board, whose record was lost while its environment could not be read.
    #[test]
    fn what_an_earlier_record_wrote_down_counts_as_soon_as_it_can_be_read() {
        let factory =
            Identity { mac: "08:00:00:00:00:99".parse().expect("a MAC"), serial_number: None };
        let mut record =
            Record::first(&link(MacKind::Real, Reading::Unreadable), &boot(1)).expect("a MAC");
        record.factory = Some(FactoryIdentity::Unknown);
        let earlier = Earlier { factory: Some(factory.clone()), board: "b".parse().ok() };
        assert!(record.take_over(&link(MacKind::Real, Reading::Found(earlier)), &boot(1), true));
        assert_eq!(record.factory, Some(FactoryIdentity::Known(factory)));
        assert_eq!(record.current.mac_origin, MacOrigin::Request, "it is not the factory's");
    }

    #[test]
    fn a_serial_number_that_was_taken_back_is_not_the_boards_own() {
        let serial = |text: &str| BoardReading {
            serial_number: Reading::Found(text.parse().expect("a serial number")),
            ..link(MacKind::Real, Reading::Absent)
        };
        let mut record =
            Record::first(&link(MacKind::Real, Reading::Absent), &boot(1)).expect("a MAC");
        let before = record.current.clone();
        record.current.identity.serial_number = "SN-2".parse().ok();
        record.current.serial_origin = Some(SerialOrigin::Request);
        begin(&mut record, before);
        record.install(THEN);
        record.take_over(&serial("SN-2"), &boot(2), false);
        assert_eq!(record.current.identity.serial_number, None, "it is a left-over copy");
        record.take_over(&serial("SN-1"), &boot(2), false);
        assert_eq!(record.current.identity.serial_number, "SN-1".parse().ok());
    }

    #[test]
    fn an_address_of_one_interface_is_not_taken_along_to_another() {
        let first = link(MacKind::Real, Reading::Absent);
        let wlan0 = || {
            let link_mac = "08:00:00:00:00:55".parse().expect("a MAC");
            let own = OwnMac { mac: link_mac, kind: MacKind::Real, from_environment: false };
            BoardReading {
                interface: "wlan0".to_owned(),
                link_mac: Some(link_mac),
                mac: Reading::Found(own),
                ..link(MacKind::Real, Reading::Absent)
            }
        };
        let mut record = Record::first(&first, &boot(1)).expect("a MAC");
        assert!(!record.take_over(&first, &boot(2), false));
        assert!(record.take_over(&wlan0(), &boot(2), false));
        let own = Identity { mac: wlan0().link_mac.expect("one"), serial_number: None };
        assert_eq!(record.current.identity, own);
        assert_eq!(record.factory, Some(FactoryIdentity::Known(own)));

        let mut given = Record::first(&first, &boot(1)).expect("a MAC");
        given.current.mac_origin = MacOrigin::Request;
        let before = given.current.clone();
        given.take_over(&wlan0(), &boot(2), false);
        assert_eq!(given.current, before, "what a request gave is the panel's");
    }
}
