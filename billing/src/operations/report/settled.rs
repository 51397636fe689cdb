//! What a report has changed, in a word for the log and for the list of the reports.

use std::fmt;

use crate::replacement::Ignored;

/// What a report has changed.
pub(in crate::operations) enum Settled {
    /// The newest request has ended.
    Ended,
    /// The panel has carried out an earlier request.
    Late,
    /// The panel is known to carry what an earlier request asked for.
    Found,
    /// A request with a higher `seq` is in its place.
    AskedAgain,
    /// The board decides later.
    Deferred,
    /// The board has confirmed its half of a swap.
    HalfConfirmed,
    /// The record follows a change by hand.
    MovedByHand,
    /// A change by hand waits for an operator.
    WaitsForAYes,
    Ignored(Ignored),
}

impl fmt::Display for Settled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Settled::Ended => f.write_str("the request has ended"),
            Settled::Late => f.write_str("the panel carried this out before the later request"),
            Settled::Found => f.write_str("the record has what the door's board carries"),
            Settled::AskedAgain => f.write_str("it is asked for again with a higher number"),
            Settled::Deferred => f.write_str("the board decides later"),
            Settled::HalfConfirmed => f.write_str("it waits for the other door of the swap"),
            Settled::MovedByHand => f.write_str("the record follows the change by hand"),
            Settled::WaitsForAYes => f.write_str("a change by hand: it waits for an operator"),
            Settled::Ignored(why) => why.fmt(f),
        }
    }
}
