//! The connections upstream that count now.

use super::seams::Connection;
use crate::record::Route;

/// The routes on which upstream is reached, since it was last connected anew.
#[derive(Debug, Default)]
pub(super) struct Connections {
    current: Connection,
    reached: Vec<Route>,
}

impl Connections {
    /// All connections are given up for new ones; events of the old ones no longer count.
    pub(super) fn renew(&mut self) -> Connection {
        self.current = self.current.next();
        self.reached.clear();
        self.current
    }

    /// The ones that count.
    pub(super) fn current(&self) -> Connection {
        self.current
    }

    /// Whether an event of `connection` counts.
    pub(super) fn is_current(&self, connection: Connection) -> bool {
        self.current == connection
    }

    /// There is a connection on this route.
    pub(super) fn reached(&mut self, route: Route) {
        if !self.reached.contains(&route) {
            self.reached.push(route);
        }
    }

    /// There is none any more.
    pub(super) fn lost(&mut self, route: Route) {
        self.reached.retain(|reached| *reached != route);
    }

    /// The routes on which there is one, in the order in which they were reached.
    pub(super) fn routes(&self) -> &[Route] {
        &self.reached
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_that_is_reached_again_counts_once_until_it_is_lost() {
        let mut connections = Connections::default();
        connections.renew();
        for route in [Route::Http, Route::Mqtt, Route::Http] {
            connections.reached(route);
        }
        assert_eq!(connections.routes(), [Route::Http, Route::Mqtt]);
        connections.lost(Route::Http);
        assert_eq!(connections.routes(), [Route::Mqtt]);
    }

    #[test]
    fn connections_that_were_given_up_do_not_count() {
        let mut connections = Connections::default();
        let old = connections.renew();
        connections.reached(Route::Mqtt);
        let new = connections.renew();
        assert!(connections.routes().is_empty());
        assert!(connections.is_current(new) && !connections.is_current(old));
    }
}
