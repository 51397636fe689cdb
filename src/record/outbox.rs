//! The outbox: reports that upstream has not acknowledged yet. How many wait, and that the oldest make
//! room, is in the transitions.

use intercom_wire::{Report, json_object, string_enum};

json_object! {
    /// A report with the routes that still owe an acknowledgement.
    #[derive(Debug, Clone, PartialEq)]
    pub struct OutboxEntry {
        /// Tells it from every other one in this record's life.
        pub number: u64,
        /// What is reported.
        pub report: Report,
        /// The routes on which it has not been acknowledged; never empty.
        pub routes: Vec<Route>,
    }
}

string_enum! {
    /// A way between billing and the panel.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Route {
        /// The broker.
        Mqtt = "mqtt",
        /// The HTTP service that is polled.
        Http = "http",
        /// The documented API, which the panel tells itself of what is installed.
        Billing = "billing",
    }
}

impl Route {
    /// Its name for people.
    pub fn label(self) -> &'static str {
        match self {
            Route::Mqtt => "MQTT",
            Route::Http => "HTTP",
            Route::Billing => "billing",
        }
    }
}
