//! The proof that a route's traffic leaves by the link that bears the identity.

use std::net::IpAddr;
use std::sync::Arc;

use intercom_wire::Mac;
use log::warn;
use tokio::net::lookup_host;

use crate::board::{Uplink, UplinkError};
use crate::config::Settings;
use crate::neighbours::{Asked, Neighbours};
use crate::record::Route;

/// The uplink, and the host that each route connects to.
#[derive(Debug)]
pub struct LinkProof {
    uplink: Uplink,
    mqtt: Option<String>,
    http: Option<String>,
    neighbours: Arc<Neighbours>,
}

impl LinkProof {
    /// Of the routes that are configured.
    pub fn new(settings: &Settings, neighbours: Arc<Neighbours>) -> Self {
        LinkProof {
            uplink: settings.uplink(),
            mqtt: settings.host(Route::Mqtt).map(str::to_owned),
            http: settings.host(Route::Http).map(str::to_owned),
            neighbours,
        }
    }

    /// Whether packets on this route leave by the link that bears `mac`. Where they leave by another
    /// one on purpose, somebody on the link that bears it must answer too.
    ///
    /// # Errors
    /// Why that is not proven.
    pub async fn judge(&self, route: Route, mac: Mac) -> Result<(), UplinkError> {
        let host = match route {
            Route::Mqtt => self.mqtt.as_deref(),
            Route::Http | Route::Billing => self.http.as_deref(),
        };
        let host = host.unwrap_or_default();
        let mut judged = Err(UplinkError::NoAddress { host: host.to_owned() });
        for peer in addresses(host).await {
            judged = self.uplink.carries(peer, mac);
            // The route connects to an address that can be reached.
            if !matches!(judged, Err(UplinkError::NoRoute { .. })) {
                break;
            }
        }
        judged?;
        match self.uplink.other {
            None => Ok(()),
            Some(_) => self.own_link_answers().await,
        }
    }

    async fn own_link_answers(&self) -> Result<(), UplinkError> {
        let interface = &self.uplink.interface;
        let asked = match self.neighbours.anybody_answers().await {
            Ok(Asked { answered: true, .. }) => return Ok(()),
            Ok(Asked { neighbours, .. }) => neighbours,
            Err(why) => {
                warn!("the neighbours on {interface} could not be asked: {why}");
                0
            }
        };
        Err(UplinkError::NoAnswer { interface: interface.clone(), asked })
    }
}

async fn addresses(host: &str) -> Vec<IpAddr> {
    match lookup_host((host, 0)).await {
        Ok(found) => found.map(|address| address.ip()).collect(),
        Err(why) => {
            warn!("no address of {host} can be found: {why}");
            Vec::new()
        }
    }
}
