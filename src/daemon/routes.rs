//! Starts the routes that are configured.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::neighbours::Neighbours;
use crate::panel::Panel;
#[cfg(feature = "http")]
use crate::record::Route;
#[cfg(feature = "http")]
use crate::upstream::http;
#[cfg(feature = "mqtt")]
use crate::upstream::mqtt;
use crate::upstream::{LinkProof, Place, RouteEnd, RouteEvent, RouteHandle, Routes, route};

#[cfg(not(any(feature = "http", feature = "mqtt")))]
compile_error!("without the features `http` and `mqtt` the agent has no way to hear of a request");

/// Whether upstream is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connectivity {
    /// On each route that is configured.
    Online,
    /// On none: an installer says that there is no uplink here. Reports wait for the next run.
    Offline,
}

pub(super) fn start(
    panel: &Panel,
    connectivity: Connectivity,
    tasks: &mut JoinSet<()>,
    events: &mpsc::Sender<RouteEvent>,
) -> Routes {
    let neighbours =
        (!panel.root.is_sandbox()).then(|| Arc::new(Neighbours::new(&panel.settings.interface)));
    let link_proof = neighbours
        .clone()
        .map(|neighbours| Arc::new(LinkProof::new(panel.settings.uplink(), neighbours)));
    let events_in = Some(events.clone());
    let mut routes = Routes { neighbours, link_proof, events: events_in, ..Routes::default() };
    if connectivity == Connectivity::Offline {
        return routes;
    }
    let keys = &panel.settings.signature.keys;
    let place = Place::new(panel.root.clone(), panel.last_good_time());
    // A section of a route that this build does not have is refused with the configuration.
    #[cfg(feature = "mqtt")]
    if let Some(settings) = panel.settings.mqtt.clone() {
        let (handle, end) = ends(&place, settings.brokers.tls() && settings.tls.judges());
        routes.mqtt = Some(handle);
        tasks.spawn(mqtt::run(settings, place.clone(), keys.clone(), end, events.clone()));
    }
    #[cfg(feature = "http")]
    for (which, settings, of_agent) in [
        (Route::Http, &panel.settings.http, &mut routes.http),
        (Route::Billing, &panel.settings.billing, &mut routes.billing),
    ] {
        let Some(settings) = settings.clone() else { continue };
        let (handle, end) = ends(&place, settings.base.tls && settings.tls.judges());
        *of_agent = Some(handle);
        let (place, keys) = (place.clone(), keys.clone());
        tasks.spawn(http::run(which, settings, place, keys, end, events.clone()));
    }
    routes
}

fn ends(place: &Place, judges: bool) -> (RouteHandle, RouteEnd) {
    let (handle, end) = route();
    (if judges { handle.judging(place) } else { handle }, end)
}
