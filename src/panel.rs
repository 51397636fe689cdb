//! One panel: its configuration, its root, and what its board says of itself.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use intercom_wire::Identity;

use crate::agent::Rules;
use crate::agent::environment_copy::{BOARD, FACTORY_MAC, FACTORY_SERIAL_NUMBER};
use crate::board::{RealBoard, Survey, survey};
use crate::clock::{Clock, RealClock, WallTime};
use crate::config::Settings;
use crate::environment::LookedAt;
use crate::hooks::Hooks;
use crate::record::{BoardReading, Earlier, OwnMac, Record, Route};
use crate::record_store::RecordStore;
use crate::root::Root;
use crate::storage::StateDir;

/// Everything that the commands need to know before they start.
#[derive(Debug, Clone)]
pub struct Panel {
    /// The configuration.
    pub settings: Settings,
    /// Where everything is read and written.
    pub root: Root,
    /// What the board says of itself.
    pub survey: Survey,
    /// The U-Boot environment.
    pub environment: Arc<LookedAt>,
}

impl Panel {
    /// Looks at the board; changes nothing.
    pub fn open(root: Root, settings: Settings) -> Self {
        let environment = LookedAt::now(&root);
        let mut survey = survey(&root, &settings, &|name| environment.variable(name));
        survey.warnings.extend(environment.warning());
        Panel { settings, root, survey, environment: Arc::new(environment) }
    }

    /// Looks at the board once more.
    pub fn look_again(&self) -> Self {
        Panel::open(self.root.clone(), self.settings.clone())
    }

    /// What the agent's decisions and changes depend on.
    pub fn rules(&self) -> Rules {
        let settings = &self.settings;
        let mqtt = settings.mqtt.as_ref().map(|_| Route::Mqtt);
        let http = settings.http.as_ref().map(|_| Route::Http);
        Rules {
            interface: settings.interface.clone(),
            configured_id: settings.id,
            models: self.survey.models.iter().map(|model| model.value.clone()).collect(),
            require_signature: settings.signature.required,
            confirm_within: settings.confirm_within,
            settle: settings.settle,
            changes_per_hour: settings.changes_per_hour as usize,
            routes: mqtt.into_iter().chain(http).collect(),
            tells_billing: settings.billing.is_some(),
            environment: settings.environment,
            mac_variable: settings.mac_variable.clone(),
            serial_number_variable: settings.serial_number.environment_variable.clone(),
        }
    }

    /// The hardware.
    pub fn board(&self) -> RealBoard {
        RealBoard::new(&self.root, &self.settings.interface, &self.settings.runtime_dir)
    }

    /// The operator's own programs.
    pub fn hooks(&self) -> Arc<Hooks> {
        Arc::new(Hooks::new(
            self.root.path(&self.settings.hooks_dir),
            self.settings.hook_time_limit,
            &self.settings.interface,
        ))
    }

    /// The files that must survive a power cut.
    pub fn state(&self) -> StateDir {
        StateDir::new(&self.root, &self.settings.state_dir)
    }

    /// The last good time that the record knows of.
    pub fn last_good_time(&self) -> Option<WallTime> {
        let record = RecordStore::new(self.state()).peek().ok().flatten();
        record.and_then(|record| record.last_good_time)
    }

    /// Where they really are.
    pub fn state_dir(&self) -> PathBuf {
        self.root.path(&self.settings.state_dir)
    }

    /// Where the runtime files and the control socket are.
    pub fn runtime_dir(&self) -> PathBuf {
        self.root.path(&self.settings.runtime_dir)
    }

    /// What the board says of itself, for the record.
    pub fn board_reading(&self) -> BoardReading {
        let survey = &self.survey;
        BoardReading {
            interface: self.settings.interface.clone(),
            link_mac: survey.link.as_ref().map(|link| link.mac.value),
            mac: survey.mac.clone().map(|own| OwnMac {
                mac: own.mac.value,
                kind: own.kind,
                from_environment: survey.environment_mac.found().is_some(),
            }),
            serial_number: survey.serial_number.clone().map(|known| known.value),
            earlier: self.environment.whole().map(|_| self.earlier()),
            board: survey.board.as_ref().map(|known| known.value.clone()),
            warnings: survey.warnings.clone(),
        }
    }

    /// The record that a start would go by now; nothing is written.
    ///
    /// # Errors
    /// When the record cannot be read, or there is none and nothing to begin one with.
    pub fn record(&self) -> io::Result<Record> {
        let reading = self.board_reading();
        let boot_id = RealClock::start(&self.root)?.boot_id();
        match RecordStore::new(self.state()).peek()? {
            Some(mut record) => {
                record.take_over(&reading, &boot_id, false);
                Ok(record)
            }
            None => Record::first(&reading, &boot_id).map_err(io::Error::other),
        }
    }

    /// What an earlier life of the record wrote down beside the identity.
    fn earlier(&self) -> Earlier {
        let variable = |name| self.environment.variable(name).found().cloned();
        let parsed = |name| variable(name).and_then(|text| text.parse().ok());
        let serial_number = variable(FACTORY_SERIAL_NUMBER).and_then(|text| text.parse().ok());
        Earlier {
            factory: parsed(FACTORY_MAC).map(|mac| Identity { mac, serial_number }),
            board: variable(BOARD).and_then(|text| text.parse().ok()),
        }
    }
}
