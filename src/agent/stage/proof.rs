//! The proof when `settle` is over: upstream answers once more, the traffic leaves by the link that
//! bears the new identity, and no other board has the new MAC.

use std::time::Duration;

use super::others::Others;
use crate::agent::rollback_reason::RollbackReason;
use crate::agent::seams::LOOK_UP;
use crate::board::UplinkError;
use crate::clock::Moment;
use crate::decide::{MacOwner, WithheldTopic};
use crate::record::Route;

/// When what could not be found out is looked at again.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// What of it is there.
#[derive(Debug)]
pub(in crate::agent) struct Proof {
    /// The route that must answer once more.
    route: Route,
    is_reached: bool,
    link: Link,
    others: Others,
    /// Why they could not be asked the last time, where that is known.
    withheld: Option<WithheldTopic>,
    /// From when the LAN alone says who has the new MAC address, if the broker is away until then.
    lan_counts_from: Moment,
}

/// The link that the traffic leaves by. It is found out last: a link that was right before upstream
/// answered says nothing about the path of that answer.
#[derive(Debug)]
enum Link {
    /// Something else is still missing.
    NotAsked,
    /// It is being found out.
    Asked,
    /// It is not proven, for this reason; looked at again at the moment.
    Unproven(Moment, UplinkError),
    /// It bears the new identity.
    Proven,
}

impl Proof {
    /// Upstream is asked now; the other boards may have been asked before.
    pub(super) fn on(route: Route, others: Others, now: Moment) -> Self {
        let lan_counts_from = now + LOOK_UP;
        Proof {
            route,
            is_reached: false,
            link: Link::NotAsked,
            others,
            withheld: None,
            lan_counts_from,
        }
    }

    /// The broker is there, or was a moment ago.
    pub(super) fn broker_is_there(self, now: Moment) -> Self {
        Proof { lan_counts_from: now + LOOK_UP, ..self }
    }

    /// Whether the LAN alone says who has the new MAC address, as it does before a change. The broker has
    /// been away for as long as a request waits for it, and the change is confirmed without it.
    pub(super) fn counts_lan_alone(&self, now: Moment) -> bool {
        let is_asked = matches!(self.others, Others::Asked);
        is_asked && self.route != Route::Mqtt && self.lan_counts_from <= now
    }

    /// The route that must answer.
    pub(super) fn route(&self) -> Route {
        self.route
    }

    /// Whether it is this route that must answer.
    pub(super) fn is_on(&self, route: Route) -> bool {
        self.route == route
    }

    /// Upstream has answered on this route.
    pub(super) fn reached(self, route: Route) -> Self {
        Proof { is_reached: self.is_reached || self.is_on(route), ..self }
    }

    /// It was found out whether the traffic leaves by the link that bears the new identity.
    pub(super) fn link_judged(self, judged: Result<(), UplinkError>, now: Moment) -> Self {
        let link = match judged {
            Ok(()) => Link::Proven,
            Err(why) => Link::Unproven(now + ASK_AGAIN, why),
        };
        Proof { link, ..self }
    }

    /// Whether only the link is missing, and it is not being found out yet.
    pub(super) fn lacks_link(&self) -> bool {
        let is_last = self.is_reached && matches!(self.others, Others::None);
        is_last && matches!(self.link, Link::NotAsked)
    }

    /// Whether the link is being found out.
    pub(super) fn judges_link(&self) -> bool {
        matches!(self.link, Link::Asked)
    }

    /// The link is being found out.
    pub(super) fn judging_link(self) -> Self {
        Proof { link: Link::Asked, ..self }
    }

    /// How far the question to the other boards has come.
    pub(super) fn others(&self) -> Others {
        self.others
    }

    /// The same, with the question to the other boards so far.
    pub(super) fn with(self, others: Others) -> Self {
        Proof { others, ..self }
    }

    /// The same, after an answer about the other boards.
    pub(super) fn answered(self, owner: MacOwner, now: Moment) -> Self {
        let others = self.others.answered(&owner, now);
        let withheld = match owner {
            MacOwner::Unknown(withheld) => withheld,
            _ => None,
        };
        Proof { others, withheld, ..self }
    }

    /// When the next question is asked.
    pub(super) fn due(&self) -> Option<Moment> {
        self.link_due().into_iter().chain(self.others.due()).min()
    }

    /// When it is found out again by which link the traffic leaves.
    pub(super) fn link_due(&self) -> Option<Moment> {
        match self.link {
            Link::Unproven(at, _) => Some(at),
            Link::NotAsked | Link::Asked | Link::Proven => None,
        }
    }

    /// Whether nothing is missing.
    pub(super) fn is_complete(&self) -> bool {
        self.is_reached && matches!(self.link, Link::Proven) && matches!(self.others, Others::None)
    }

    /// What is missing at the deadline.
    pub(super) fn missing(&self) -> RollbackReason {
        match (self.is_reached, &self.link) {
            (false, _) => RollbackReason::NotReachedAgain(self.route),
            (true, Link::Unproven(_, why)) => RollbackReason::Uplink(why.clone()),
            (true, Link::Asked) => RollbackReason::Uplink(UplinkError::NotFoundOut),
            (true, Link::NotAsked | Link::Proven) => {
                RollbackReason::OthersUnknown(self.withheld.clone())
            }
        }
    }
}
