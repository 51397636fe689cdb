//! How the routes fare, as `status` shows it.

use intercom_wire::json_object;

use crate::record::Route;

/// What it means that the broker refuses the topic of the panel's MAC address.
pub const NOT_HEARD_BY_MAC: &str = "requests by MAC address are not heard";

json_object! {
    /// How one route fares. Times are in seconds: the board's wall clock may be wrong.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct RouteStatus {
        /// Which one.
        pub route: Route,
        /// The URL that it reaches, or has tried last.
        pub server: String,
        /// Whether upstream is reached on it.
        pub reached: bool,
        /// For how long it is, or is not.
        pub for_seconds: u64,
        /// How often it was reached again since the daemon started.
        pub reconnects: u64,
        /// When it is tried or polled next, where it only waits for that.
        pub next_attempt_in: Option<u64>,
        /// The topic of the panel's MAC address, where the broker refuses it: requests by MAC address
        /// are not heard, and all others are.
        pub refused_topic: Option<String>,
        /// What went wrong last; it need not be so any more.
        pub last_error: Option<RouteError>,
    }
}

json_object! {
    /// What went wrong on a route.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct RouteError {
        /// The cause's stable name, as in docs/troubleshooting.md.
        pub cause: String,
        /// The server, what happened, and what to do.
        pub text: String,
        /// When.
        pub seconds_ago: u64,
    }
}
