//! The outbox: reports that upstream has not acknowledged yet.

use std::fmt;

use intercom_wire::Report;
use intercom_wire::json::{from_object, words};
use serde::Serialize;

/// A report with the routes that still owe an acknowledgement.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Parcel {
    /// Tells it from every other one in this record's life.
    pub number: u64,
    /// What is reported.
    pub report: Report,
    /// The routes on which it has not been acknowledged; never empty.
    pub routes: Vec<Route>,
}

from_object!(Parcel { number, report, routes });

/// A way between billing and the panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Route {
    /// The broker.
    Mqtt,
    /// The HTTP service that is polled.
    Http,
    /// The documented API, which the panel tells itself of what is installed.
    Billing,
}

words!(Route { Mqtt = "mqtt", Http = "http", Billing = "billing" });

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Route::Mqtt => "MQTT",
            Route::Http => "HTTP",
            Route::Billing => "billing",
        })
    }
}
