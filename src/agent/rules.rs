//! The settings that the agent's decisions and changes depend on.

use std::time::Duration;

use crate::decide::OwnId;
use crate::environment::Policy;
use crate::record::{Record, Route};

/// A part of the configuration, as plain values.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The interface that carries the panel's MAC address.
    pub interface: String,
    /// The intercom's ID, if the configuration says it.
    pub configured_id: Option<i64>,
    /// The models that the board answers to.
    pub models: Vec<String>,
    /// Whether unsigned requests are ignored.
    pub require_signature: bool,
    /// How long a change may take until it is confirmed.
    pub confirm_within: Duration,
    /// How long a new connection must stay alive.
    pub settle: Duration,
    /// How many changes may be begun within an hour.
    pub changes_per_hour: usize,
    /// The routes on which requests come.
    pub routes: Vec<Route>,
    /// Whether billing is told of what is installed by its documented API.
    pub tells_billing: bool,
    /// Whether the U-Boot environment may be written.
    pub environment: Policy,
    /// The U-Boot variable that has the interface's MAC address, where one has.
    pub mac_variable: Option<String>,
    /// The variable that the serial number is copied to, if one is configured.
    pub serial_number_variable: Option<String>,
}

impl Rules {
    /// The intercom's ID: what the configuration says counts more than what was learnt.
    pub fn own_id(&self, record: &Record) -> Option<OwnId> {
        let configured = self.configured_id.map(OwnId::Configured);
        configured.or(record.learnt_id.map(OwnId::Learnt))
    }
}
