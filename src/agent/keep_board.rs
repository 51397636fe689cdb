//! Between changes the board keeps the current identity, whoever else sets another.

use std::time::Duration;

use intercom_wire::Identity;

use super::Agent;
use super::seams::Seams;
use super::set_board::{SetBoardError, set_link, write_runtime_files};
use crate::board::Board;
use crate::clock::{Clock, Moment};

/// How often a board that did not take the identity is tried again.
const AGAIN: Duration = Duration::from_secs(60);

impl<S: Seams> Agent<S> {
    /// Puts link and runtime files right. Looked at when the daemon starts, and whenever upstream is
    /// reached or lost: another program may have set the link's address since.
    pub(super) fn keep_board(&mut self) {
        if self.record.change.is_some() {
            // It sets everything itself, also back.
            self.board_again = None;
            return;
        }
        let current = self.record.current.identity.clone();
        let link_mac = self.seams.board().link_mac();
        let is_right = link_mac.is_ok_and(|found| found == current.mac);
        if is_right && self.board_again.is_none() {
            return;
        }
        self.board_again = None;
        let link = set_link(self.seams.board(), current.mac);
        if link.is_ok() && !is_right {
            self.steps.tell(format!("the link carries {} again", current.mac));
        }
        let files = self.tell_software(&current);
        if let Err(why) = link.and(files) {
            self.try_board_again(&why);
        }
    }

    /// The board does not say everywhere who it is.
    pub(super) fn try_board_again(&mut self, why: &SetBoardError) {
        self.steps.warn(format!("{why}; trying again"));
        self.board_again = Some(self.seams.clock().now() + AGAIN);
    }

    pub(super) fn tell_software(&mut self, identity: &Identity) -> Result<(), SetBoardError> {
        write_runtime_files(self.seams.board(), &self.rules, &self.record, identity)
    }

    pub(super) fn tick_board(&mut self, now: Moment) {
        if self.board_again.is_some_and(|due| due <= now) {
            self.keep_board();
        }
    }
}
