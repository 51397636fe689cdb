//! The proof when `settle` is over: upstream answers once more, and no other board has the new MAC.

use std::time::Duration;

use crate::agent::rollback_reason::RollbackReason;
use crate::clock::Moment;
use crate::record::Route;

/// When the other boards are asked again if it could not be found out what they have.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// What of it is there.
#[derive(Debug)]
pub(in crate::agent) struct Proof {
    /// The route that must answer once more.
    route: Route,
    is_reached: bool,
    others: Others,
}

/// The other boards.
#[derive(Debug)]
enum Others {
    /// They are asked.
    Asked,
    /// They could not be asked; tried again at the moment.
    Unknown(Moment),
    /// None of them has the new MAC.
    None,
}

impl Proof {
    /// Both questions are asked now.
    pub(super) fn on(route: Route) -> Self {
        Proof { route, is_reached: false, others: Others::Asked }
    }

    /// Whether it is this route that must answer.
    pub(super) fn is_on(&self, route: Route) -> bool {
        self.route == route
    }

    /// Upstream has answered on this route.
    pub(super) fn reached(self, route: Route) -> Self {
        Proof { is_reached: self.is_reached || self.is_on(route), ..self }
    }

    /// No other board has the new MAC.
    pub(super) fn alone(self) -> Self {
        Proof { others: Others::None, ..self }
    }

    /// It could not be found out whether another board has it.
    pub(super) fn unknown(self, now: Moment) -> Self {
        match self.others {
            Others::Asked => Proof { others: Others::Unknown(now + ASK_AGAIN), ..self },
            Others::Unknown(_) | Others::None => self,
        }
    }

    /// The other boards are asked again.
    pub(super) fn looking_up(self) -> Self {
        Proof { others: Others::Asked, ..self }
    }

    /// When they are.
    pub(super) fn due(&self) -> Option<Moment> {
        match self.others {
            Others::Unknown(at) => Some(at),
            Others::Asked | Others::None => None,
        }
    }

    /// Whether nothing is missing.
    pub(super) fn is_complete(&self) -> bool {
        self.is_reached && matches!(self.others, Others::None)
    }

    /// What is missing at the deadline.
    pub(super) fn missing(&self) -> RollbackReason {
        match self.is_reached {
            false => RollbackReason::NotReachedAgain(self.route),
            true => RollbackReason::OthersUnknown,
        }
    }
}
