//! The panels on the broker.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result};
use intercom_agent::config::{self, MqttSettings};
use intercom_agent::root::Root;
use intercom_agent::upstream::{self, Place, Routes, mqtt};
use intercom_wire::signature::Keys;
use tokio::sync::mpsc;

use crate::connected::Connected;
use crate::identities;
use crate::panel::Panel;

/// Panels with one configuration.
pub(super) struct Fleet {
    settings: MqttSettings,
    pub(super) connected: Connected,
}

impl Fleet {
    /// A fleet for this broker, without panels.
    pub(super) fn new(broker: SocketAddr) -> Result<Self> {
        let text = format!("[mqtt]\nurl = \"mqtt://{broker}\"\n");
        let settings = config::parse(&text, Path::new("the fleet's configuration"))?;
        Ok(Fleet { settings: settings.mqtt.context("no broker")?, connected: Connected::default() })
    }

    /// Starts a panel.
    pub(super) fn add(&self, number: usize) -> Result<()> {
        let connect_as = identities::connect_as(number, identities::old(number)?)?;
        let (handle, end) = upstream::route();
        let (events_in, events) = mpsc::channel(16);
        let place = Place::new(Root::sandbox("/nonexistent"), None);
        let route =
            mqtt::run(self.settings.clone(), place, Keys::default(), end, events_in.clone());
        tokio::spawn(route);
        let routes = Routes { mqtt: Some(handle), events: Some(events_in), ..Routes::default() };
        tokio::spawn(Panel::new(connect_as, routes, self.connected.clone()).run(events));
        Ok(())
    }
}
