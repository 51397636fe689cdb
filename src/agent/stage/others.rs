//! Whether another board has the new MAC address: the other boards are asked, and only silence says
//! that none has it.

use std::time::Duration;

use crate::clock::Moment;
use crate::decide::MacOwner;

/// How long silence takes to be an answer. The question is asked so long before `settle` is over, so
/// that this wait is not added to it.
const SILENCE: Duration = Duration::from_secs(1);
/// When what could not be found out is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// How far the question has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::agent) enum Others {
    /// It is to be asked at the moment.
    AskAt(Moment),
    /// It is asked, and not answered yet.
    Asked,
    /// No other board has the new MAC address.
    None,
}

impl Others {
    /// For a connection that is watched until this moment.
    pub(super) fn before(end_of_settle: Moment) -> Self {
        Others::AskAt(end_of_settle - SILENCE)
    }

    /// When the question is to be asked.
    pub(super) fn due(self) -> Option<Moment> {
        match self {
            Others::AskAt(at) => Some(at),
            Others::Asked | Others::None => None,
        }
    }

    /// What an answer says, other than that another board has the address. An answer to an earlier
    /// question does not count.
    pub(super) fn answered(self, owner: &MacOwner, now: Moment) -> Self {
        match (self, owner) {
            (Others::Asked, MacOwner::Nobody) => Others::None,
            (Others::Asked, _) => Others::AskAt(now + ASK_AGAIN),
            (Others::AskAt(_) | Others::None, _) => self,
        }
    }
}
