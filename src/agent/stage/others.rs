//! Whether another board has the new MAC address: the other boards are asked, and only silence says
//! that none has it.

use std::time::Duration;

use crate::clock::Moment;
use crate::decide::MacOwner;

/// How long silence takes to be an answer. The question is asked so long before `settle` is over, so
/// that this wait is not added to it.
const SILENCE: Duration = Duration::from_secs(1);
/// Where `settle` is so long, the LAN is also asked at its beginning. That question makes the kernel meet again
/// the neighbours that it forgot when the link got the new MAC address; one that takes the address later
/// says so to those that have met it, and its answer to the last question may be lost.
const LONG: Duration = Duration::from_secs(3);
/// When what could not be found out is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// How far the question has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::agent) enum Others {
    /// The LAN is to be asked at the first moment, and all for the answer that counts at the second.
    AskEarly(Moment, Moment),
    /// It is to be asked at the moment.
    AskAt(Moment),
    /// It is asked, and not answered yet.
    Asked,
    /// No other board has the new MAC address.
    None,
}

impl Others {
    /// For a connection that is watched from now on.
    pub(super) fn within(settle: Duration, now: Moment) -> Self {
        let last = now + settle - SILENCE;
        if settle < LONG { Others::AskAt(last) } else { Others::AskEarly(now, last) }
    }

    /// It is asked now.
    pub(super) fn asked(self) -> Self {
        match self {
            Others::AskEarly(_, last) => Others::AskAt(last),
            Others::AskAt(_) | Others::Asked | Others::None => Others::Asked,
        }
    }

    /// When the question is to be asked.
    pub(super) fn due(self) -> Option<Moment> {
        match self {
            Others::AskEarly(at, _) | Others::AskAt(at) => Some(at),
            Others::Asked | Others::None => None,
        }
    }

    /// What an answer says, other than that another board has the address. An answer to an earlier
    /// question does not count.
    pub(super) fn answered(self, owner: &MacOwner, now: Moment) -> Self {
        match (self, owner) {
            (Others::Asked, MacOwner::Nobody) => Others::None,
            (Others::Asked, _) => Others::AskAt(now + ASK_AGAIN),
            (Others::AskEarly(..) | Others::AskAt(_) | Others::None, _) => self,
        }
    }
}
