//! Panels in one process of their own: all of them would need more open files than a process may have.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use intercom_agent::config::{self, MqttSettings};
use intercom_agent::root::Root;
use intercom_agent::upstream::{self, Place, Routes, mqtt};
use intercom_wire::signature::Keys;
use tokio::sync::{mpsc, watch};

use crate::identities;
use crate::panel::Panel;
use crate::processes::allow_panels;

/// Upper bound on the panels of one process that are connecting at once when it starts.
const CONNECTING: usize = 200;
/// The same where they connect to nodes of NATS, which make a consumer for each new panel, and never get ready
/// with it when too many ask at once: they close what has waited for too long, and it comes again.
const CONNECTING_TO_NATS: usize = 20;

/// Which panels.
#[derive(Debug, Args)]
pub(crate) struct Panels {
    /// The nodes of the broker, in the order in which they are tried.
    #[arg(long = "broker", value_delimiter = ',')]
    pub(crate) brokers: Vec<SocketAddr>,
    /// The number of the first panel.
    #[arg(long)]
    pub(crate) first: usize,
    /// The number after that of the last one.
    #[arg(long)]
    pub(crate) end: usize,
}

impl Panels {
    /// Runs them until the process is killed.
    ///
    /// # Errors
    /// The system does not allow as many open files.
    pub(crate) async fn run(self) -> Result<()> {
        allow_panels(self.end - self.first)?;
        let urls: Vec<String> =
            self.brokers.iter().map(|broker| format!("\"mqtt://{broker}\"")).collect();
        // As billing/nats says: each filter of requests is a consumer, which the nodes keep in step.
        let mac_topics = if urls.len() > 1 { "mac_topics = false\n" } else { "" };
        let text = format!("[mqtt]\nurl = [{}]\n{mac_topics}", urls.join(", "));
        let settings = config::parse(&text, Path::new("the fleet's configuration"))?;
        let settings = settings.mqtt.context("no broker")?;
        let connected = watch::Sender::new(0);
        let mut is_enough = connected.subscribe();
        let at_once = if urls.len() > 1 { CONNECTING_TO_NATS } else { CONNECTING };
        for (started, number) in (self.first..self.end).enumerate() {
            is_enough.wait_for(|connected| *connected + at_once > started).await?;
            start(&settings, number, connected.clone())?;
        }
        loop {
            tokio::time::sleep(Duration::from_secs(3600)).await;
        }
    }
}

fn start(settings: &MqttSettings, number: usize, connected: watch::Sender<usize>) -> Result<()> {
    let connect_as = identities::connect_as(number, identities::old(number)?)?;
    let (handle, end) = upstream::route();
    let (events_in, events) = mpsc::channel(16);
    let place = Place::new(Root::sandbox("/nonexistent"), None);
    let route = mqtt::run(settings.clone(), place, Keys::default(), end, events_in.clone());
    tokio::spawn(route);
    let routes = Routes { mqtt: Some(handle), events: Some(events_in), ..Routes::default() };
    tokio::spawn(Panel::new(connect_as, routes, connected).run(events));
    Ok(())
}
