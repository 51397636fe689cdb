//! Between changes the board keeps the current identity, whoever else sets another.

use std::time::Duration;

use intercom_wire::{Identity, Mac};

use super::contested_link::{ContestedLink, LinkContest};
use super::rules::Rules;
use super::seams::{HookRun, Phase};
use super::set_board::{SetBoardError, set_link, write_runtime_files};
use super::steps::Steps;
use crate::board::Board;
use crate::clock::{BootId, Moment};
use crate::record::{Current, Record};

/// How often a board that did not take the identity is tried again.
const AGAIN: Duration = Duration::from_secs(60);

/// Makes link and runtime files say the current identity, and tries again until they do.
#[derive(Debug, Default)]
pub(super) struct BoardKeeper {
    /// When to try again; `None` while the board says everywhere who it is.
    again: Option<Moment>,
    contested: ContestedLink,
}

impl BoardKeeper {
    /// When it is tried again to make the board say who it is.
    pub(super) fn due(&self) -> Option<Moment> {
        self.again
    }

    /// Sets both at the next [`BoardKeeper::keep`], even if the link is right.
    pub(super) fn set_at(&mut self, now: Moment) {
        self.again = Some(now);
    }

    /// What other software has done to the link since the daemon started.
    pub(super) fn link_contest(&self, now: Moment) -> Option<LinkContest> {
        self.contested.status(now)
    }

    /// Puts link and runtime files right. Looked at when the daemon starts, whenever something happens to
    /// the link, and whenever upstream is reached or lost. Gives the hooks to run: the lease of a link
    /// that other software had set belongs to another address.
    pub(super) fn keep(
        &mut self,
        board: &mut impl Board,
        rules: &Rules,
        record: &Record,
        boot_id: &BootId,
        now: Moment,
        steps: &mut Steps,
    ) -> Option<HookRun> {
        let was_wrong = self.again.take().is_some();
        if record.change.is_some() {
            // It sets everything itself, also back.
            return None;
        }
        let current = &record.current;
        let mac = current.identity.mac;
        let found = board.link_mac();
        let link_is_right =
            !record.sets_link(boot_id) || found.as_ref().is_ok_and(|found| *found == mac);
        if link_is_right && !was_wrong {
            return None;
        }
        let from = self.contested.from(now);
        if !link_is_right && now < from {
            self.again = Some(from);
            return None;
        }
        let link = if link_is_right { Ok(()) } else { set_link(board, mac) };
        let run = match (&link, found) {
            (Ok(()), Ok(had)) if !link_is_right => {
                steps.tell(format!("the link carries {mac} again"));
                self.was_put_right(had, current, now)
            }
            _ => None,
        };
        let files = write_runtime_files(board, rules, record, current);
        if let Err(why) = link.and(files) {
            self.try_again(&why, now, steps);
        }
        run
    }

    /// The link had this address and was put right. Gives the hooks to run, as after a change from it.
    pub(super) fn was_put_right(
        &mut self,
        had: Mac,
        current: &Current,
        now: Moment,
    ) -> Option<HookRun> {
        let to = current.identity.clone();
        let from = Identity { mac: had, ..to.clone() };
        self.contested.put_right(had, now).then_some(HookRun { phase: Phase::Apply, from, to })
    }

    /// The board does not say everywhere who it is.
    pub(super) fn try_again(&mut self, why: &SetBoardError, now: Moment, steps: &mut Steps) {
        steps.warn(format!("{why}; trying again"));
        self.again = Some(now + AGAIN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::fixtures::{
        FACTORY_MAC, FakeBoard, NOW, boot_id, identity, mac, record, record_changing_to, rules,
    };
    use crate::record::MacOrigin;

    const OTHER: &str = "AA:BB:CC:DD:EE:FF";

    /// A keeper with its board.
    struct Kept {
        keeper: BoardKeeper,
        board: FakeBoard,
        steps: Steps,
        runs: Vec<HookRun>,
    }

    impl Kept {
        fn new(link: &str) -> Self {
            let board = FakeBoard::new(link);
            Kept {
                keeper: BoardKeeper::default(),
                board,
                steps: Steps::default(),
                runs: Vec::new(),
            }
        }

        fn keep(&mut self, record: &Record) {
            let board = &mut self.board;
            self.runs.extend(self.keeper.keep(
                board,
                &rules(),
                record,
                &boot_id(),
                NOW,
                &mut self.steps,
            ));
        }

        fn last_step(&self) -> Option<&str> {
            self.steps.after(0).last().map(|step| step.text.as_str())
        }
    }

    #[test]
    fn a_board_that_is_right_is_left_alone() {
        let mut kept = Kept::new(FACTORY_MAC);
        kept.keep(&record());
        assert_eq!((kept.board.files, kept.keeper.due()), (None, None));
    }

    #[test]
    fn at_the_start_the_runtime_files_are_written_even_if_the_link_is_right() {
        let mut kept = Kept::new(FACTORY_MAC);
        kept.keeper.set_at(NOW);
        kept.keep(&record());
        let told = kept.board.files.as_ref().and_then(|files| files.mac);
        assert_eq!((told, kept.last_step()), (Some(mac(FACTORY_MAC)), None));
    }

    #[test]
    fn a_link_that_another_program_set_is_set_again() {
        let mut kept = Kept::new(OTHER);
        kept.keep(&record());
        assert_eq!(kept.board.link, mac(FACTORY_MAC));
        assert_eq!(kept.last_step(), Some("the link carries 08:00:00:00:00:01 again"));
        assert_eq!(kept.keeper.due(), None);
        let (from, to) = (identity(OTHER), identity(FACTORY_MAC));
        assert_eq!(kept.runs, [HookRun { phase: Phase::Apply, from, to }]);
    }

    #[test]
    fn a_link_that_is_set_again_and_again_is_put_right_without_the_hooks_and_not_in_a_hurry() {
        let mut kept = Kept::new(OTHER);
        for _ in 0..5 {
            kept.board.link = mac(OTHER);
            kept.keep(&record());
        }
        assert_eq!((kept.runs.len(), kept.board.link), (3, mac(OTHER)));
        assert!(kept.keeper.due().is_some_and(|due| NOW < due && due < NOW + AGAIN));
        let contest = kept.keeper.link_contest(NOW).expect("told");
        assert_eq!((contest.times, contest.mac, contest.without_hooks), (3, mac(OTHER), true));
    }

    #[test]
    fn an_address_that_is_not_known_to_be_the_boards_own_is_neither_set_nor_told() {
        for origin in [MacOrigin::Unread, MacOrigin::Random, MacOrigin::Placeholder] {
            let mut record = record();
            record.current.mac_origin = origin;
            let mut kept = Kept::new(OTHER);
            kept.keeper.set_at(NOW);
            kept.keep(&record);
            assert_eq!(kept.board.link, mac(OTHER), "{origin:?}");
            assert_eq!(kept.board.files.map(|files| files.mac), Some(None), "{origin:?}");
        }
    }

    #[test]
    fn a_live_link_keeps_its_address_until_the_next_boot_if_the_boards_own_was_read_late() {
        let mut kept = Kept::new(OTHER);
        kept.keep(&Record { link_kept_in: Some(boot_id()), ..record() });
        assert_eq!(kept.board.link, mac(OTHER));
        kept.keep(&Record { link_kept_in: "boot-0".parse().ok(), ..record() });
        assert_eq!(kept.board.link, mac(FACTORY_MAC));
    }

    #[test]
    fn a_board_that_refuses_is_tried_again_and_its_files_tell_the_identity_all_the_same() {
        let mut kept = Kept::new(OTHER);
        kept.board.refuses = true;
        kept.keep(&record());
        assert!(kept.board.files.is_some());
        assert!(kept.last_step().is_some_and(|step| step.ends_with("; trying again")));
        assert_eq!(kept.keeper.due(), Some(NOW + AGAIN));
        kept.board.refuses = false;
        kept.keep(&record());
        assert_eq!((kept.board.link, kept.keeper.due()), (mac(FACTORY_MAC), None));
    }

    #[test]
    fn a_change_sets_the_board_itself() {
        let mut kept = Kept::new(OTHER);
        kept.keeper.set_at(NOW);
        kept.keep(&record_changing_to(OTHER));
        assert_eq!((kept.board.link, kept.board.files), (mac(OTHER), None));
        assert_eq!(kept.keeper.due(), None);
    }
}
