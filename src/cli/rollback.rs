//! `rollback`: back to an earlier identity, by hand.

use super::apply::{Ended, ask_for_change};
use super::args::Rollback;
use super::exit::{Exit, Failure};
use super::output;
use crate::control::Ask;

pub(super) fn rollback(rollback: &Rollback) -> Result<Exit, Failure> {
    let ask = Ask::Rollback { factory: rollback.factory, offline: rollback.offline };
    let common = rollback.common();
    match ask_for_change(super::panel(&common)?, &common, ask)? {
        Some(Ended::Back(told)) => {
            output::told(common.json, &told)?;
            Ok(Exit::Done)
        }
        Some(Ended::Request(outcome, told)) => {
            output::told(common.json, &told)?;
            Ok(Exit::from(outcome))
        }
        None => Err(Failure::new("the daemon ended before the rollback did")),
    }
}
