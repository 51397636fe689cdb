//! `rollback`: back to an earlier identity, by hand.

use super::apply::{Ended, ask_for_change};
use super::args::Rollback;
use super::exit::{Exit, Failure};
use super::output;
use crate::control::Ask;

pub(super) fn rollback(rollback: &Rollback) -> Result<Exit, Failure> {
    let ask = Ask::Rollback { factory: rollback.factory, offline: rollback.offline };
    let common = rollback.common();
    let Ended { exit, told } = ask_for_change(super::panel(&common)?, &common, ask)?;
    output::told(common.json, &told)?;
    Ok(exit)
}
