//! What the board says of itself: each source found, absent or unreadable.

use intercom_agent::agent::environment_copy::{
    BOARD as BOARD_VARIABLE, FACTORY_MAC, FACTORY_SERIAL_NUMBER,
};
use intercom_agent::record::{BoardReading, Earlier, MacKind, OwnMac, Reading};
use intercom_wire::{Identity, Mac};
use uboot_env::Environment;

use super::flash::Kept;
use super::requests::{BOARD, serial};
use super::world::{Hardware, SERIAL};

/// Where the serial number is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SerialSource {
    /// A variable of the U-Boot environment.
    Environment,
    /// A source of its own, such as the device tree; the letter is the serial number's.
    Own(Reading<char>),
}

/// How the sources answer, besides what the environment and the link know.
#[derive(Debug, Clone)]
pub struct Sources {
    pub serial: SerialSource,
    /// The source of the serial number was read, and had none.
    pub serial_was_absent: bool,
    /// What cannot be read is said to be absent: for the tests of the tests.
    pub hides_unreadable: bool,
    /// An address that the driver invented is said to be the board's own: for the tests of the tests.
    pub hides_invented: bool,
}

impl Default for Sources {
    fn default() -> Self {
        Sources {
            serial: SerialSource::Environment,
            serial_was_absent: false,
            hides_unreadable: false,
            hides_invented: false,
        }
    }
}

impl Hardware {
    /// What the board says of itself now.
    pub fn board_reading(&mut self) -> BoardReading {
        let environment = self.environment();
        let variable = |name: &str| match &environment {
            Reading::Found(found) => found.get(name).map(|value| value.into_owned()).into(),
            Reading::Absent => Reading::Absent,
            Reading::Unreadable => Reading::Unreadable,
        };
        let in_environment = variable("ethaddr").map(|text: String| text.parse().expect("a MAC"));
        let link_mac = self.link.is_there.then_some(self.link.mac);
        let mac = match (in_environment, link_mac) {
            (Reading::Found(mac), _) => {
                Reading::Found(OwnMac { mac, kind: MacKind::Real, from_environment: true })
            }
            (Reading::Absent, Some(mac)) => {
                Reading::Found(OwnMac { mac, kind: self.link_kind(), from_environment: false })
            }
            (Reading::Unreadable, _) | (Reading::Absent, None) => Reading::Unreadable,
        };
        let serial_number = match self.sources.serial {
            SerialSource::Environment => variable(SERIAL),
            SerialSource::Own(letter) => letter.map(serial),
        };
        self.sources.serial_was_absent |= serial_number == Reading::Absent;
        let parsed = |name| variable(name).found().and_then(|text: &String| text.parse().ok());
        let earlier = match &environment {
            Reading::Found(_) => Reading::Found(Earlier {
                factory: parsed(FACTORY_MAC).map(|mac: Mac| Identity {
                    mac,
                    serial_number: variable(FACTORY_SERIAL_NUMBER)
                        .found()
                        .and_then(|text| text.parse().ok()),
                }),
                board: variable(BOARD_VARIABLE).found().and_then(|text| text.parse().ok()),
            }),
            Reading::Absent => Reading::Absent,
            Reading::Unreadable => Reading::Unreadable,
        };
        let mut reading = BoardReading {
            interface: "eth0".to_owned(),
            link_mac,
            mac,
            serial_number: serial_number.map(|text| text.parse().expect("printable")),
            earlier,
            board: BOARD.parse().ok(),
            warnings: Vec::new(),
        };
        if self.sources.hides_unreadable {
            self.hide_unreadable(&mut reading);
        }
        reading
    }

    fn environment(&self) -> Reading<Environment> {
        match (self.environments.kept, self.environments.found()) {
            (Kept::Nowhere, _) => Reading::Absent,
            (_, Some(found)) if !self.environments.locked => Reading::Found(found),
            _ => Reading::Unreadable,
        }
    }

    fn link_kind(&self) -> MacKind {
        if self.link.is_invented && !self.sources.hides_invented {
            MacKind::Random
        } else {
            MacKind::Real
        }
    }

    fn hide_unreadable(&self, reading: &mut BoardReading) {
        if let (Reading::Unreadable, Some(mac)) = (reading.mac, reading.link_mac) {
            let kind = self.link_kind();
            reading.mac = Reading::Found(OwnMac { mac, kind, from_environment: false });
        }
        if reading.serial_number.is_unreadable() {
            reading.serial_number = Reading::Absent;
        }
        if reading.earlier.is_unreadable() {
            reading.earlier = Reading::Absent;
        }
    }
}
