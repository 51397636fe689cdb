//! One panel: its configuration, its root, and what its board says of itself.

use std::path::PathBuf;
use std::sync::Arc;

use intercom_wire::{BoardName, FactoryIdentity, Identity};
use uboot_env::Environment;

use crate::agent::Rules;
use crate::agent::environment_copy::{BOARD, FACTORY_MAC, FACTORY_SERIAL_NUMBER};
use crate::board::{MacKind, RealBoard, Survey, survey};
use crate::clock::WallTime;
use crate::config::Settings;
use crate::environment;
use crate::hooks::Hooks;
use crate::record::{Current, MacOrigin, Record, Route, SerialOrigin};
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
    environment: Option<Environment>,
}

impl Panel {
    /// Looks at the board; changes nothing.
    pub fn open(root: Root, settings: Settings) -> Self {
        let (environment, warning) = match environment::read(&root) {
            Ok(environment) => (environment, None),
            Err(why) => (None, Some(format!("the U-Boot environment cannot be read: {why}"))),
        };
        let variable = |name: &str| {
            environment
                .as_ref()
                .and_then(|environment| environment.get(name))
                .map(|v| v.into_owned())
        };
        let mut survey = survey(&root, &settings, &variable);
        survey.warnings.extend(warning);
        Panel { settings, root, survey, environment }
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

    /// The record of a board that has none yet: what the board is by itself.
    ///
    /// # Errors
    /// When the board has no MAC address at all, in words.
    pub fn first_record(&self) -> Result<Record, String> {
        let mac = self.survey.mac.as_ref().ok_or_else(|| {
            format!(
                "the board has no MAC address: there is no interface {} and no ethaddr; set \
                 interface in the configuration",
                self.settings.interface
            )
        })?;
        let serial_number = self.survey.serial_number.as_ref().map(|known| known.value.clone());
        let identity = Identity { mac: mac.mac.value, serial_number };
        let factory = self.factory_in_environment().unwrap_or_else(|| identity.clone());
        let given = factory != identity;
        let current = Current {
            mac_origin: match mac.kind {
                MacKind::Real if given && factory.mac != identity.mac => MacOrigin::Request,
                MacKind::Real => MacOrigin::Board,
                MacKind::Placeholder => MacOrigin::Placeholder,
                MacKind::Random => MacOrigin::Random,
            },
            serial_origin: identity.serial_number.as_ref().map(|serial_number| {
                if given && factory.serial_number.as_ref() != Some(serial_number) {
                    SerialOrigin::Request
                } else {
                    SerialOrigin::Board
                }
            }),
            identity,
        };
        let factory_mac_origin = match current.mac_origin {
            MacOrigin::Request => MacOrigin::Board,
            origin => origin,
        };
        let board = self.board_name(&factory);
        Ok(Record::first(board, FactoryIdentity::Known(factory), factory_mac_origin, current))
    }

    /// What an earlier life of the record wrote down beside the identity.
    fn factory_in_environment(&self) -> Option<Identity> {
        Some(Identity {
            mac: self.variable(FACTORY_MAC)?.parse().ok()?,
            serial_number: self.variable(FACTORY_SERIAL_NUMBER).and_then(|text| text.parse().ok()),
        })
    }

    fn board_name(&self, factory: &Identity) -> BoardName {
        let written = self.variable(BOARD).and_then(|text| text.parse().ok());
        let surveyed = self.survey.board.as_ref().map(|known| known.value.clone());
        surveyed.or(written).unwrap_or_else(|| BoardName::from_mac(factory.mac))
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.environment.as_ref()?.get(name).map(|value| value.into_owned())
    }
}
