//! Who is offered a request, and when.
//!
//! A request without `new_mac` is for the board of the door, at once. One with `new_mac` goes
//!
//! 1. to the board that already carries it: the replacement on the wall. It must be there, belong to
//!    no other door, and not contradict the serial number that was asked for;
//! 2. to nobody while the MAC address is known to be a spare's own and that spare is not there: it
//!    may lie in the installer's bag. An operator can give it to the door's board all the same;
//! 3. to the board of the door when the grace time is over. Otherwise an old panel that is still
//!    powered on a workbench would take the replacement's MAC address.
//!
//! Nobody is offered a request before its time (`not_before`) or after it (`expires`). In the quiet hours
//! of its group the door's board is offered nothing, since that would have to change; a replacement
//! only says what it is.
//!
//! A request of a swap goes to the other door's board while that carries the MAC address, and to nobody
//! else: no panel changes its identity for a swap.
//!
//! A claim that is not believed counts for nothing: anybody can make it, and a panel looks for another
//! owner itself before it takes a MAC address. Whoever was offered the request before and is not any
//! more is struck out.

use std::fmt;

use intercom_wire::{BoardName, Mac, SerialNumber};

use crate::schedule::{Schedule, rfc_3339};

/// How many of the polls that it announced a board may miss before it counts as gone.
pub const POLLS_UNTIL_GONE: i64 = 3;

/// How often a board polls that does not say so, in milliseconds.
pub const POLL_MS: i64 = 60_000;

/// How long a board that is asked whether it is there, as each one is after a connect to the broker,
/// has to show itself: twice the time over which the answers to "who is there" are spread. In
/// milliseconds.
pub const ANSWERS_WITHIN_MS: i64 = 120_000;

/// A panel connects again within this time after the broker has come back: its longest pause between
/// two attempts. In milliseconds.
pub const CONNECTS_AGAIN_WITHIN_MS: i64 = 120_000;

/// How long a board that is there may leave a request without an answer, in milliseconds.
pub const ANSWER_MS: i64 = 1_800_000;

/// How often a board that keeps everybody waiting is asked whether it is still there, in milliseconds.
pub const ASKED_EVERY_MS: i64 = 1_800_000;

/// A board that is connected to the broker is there until it or its last will says otherwise.
pub const UNTIL_FURTHER_NOTICE: i64 = i64::MAX;

/// What the rule depends on besides the request. Times are Unix times in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// How long the board at `new_mac` has to show up.
    pub grace_ms: i64,
    /// Since when boards can show themselves: this service's start, or its last connect to the
    /// broker.
    pub since_ms: i64,
}

/// What the rule depends on in a pending request.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// The MAC address that is asked for, if one is.
    pub new_mac: Option<Mac>,
    /// The serial number that is asked for, if one is.
    pub new_serial_number: Option<SerialNumber>,
    /// The confirmed MAC address of the intercom.
    pub confirmed_mac: Mac,
    /// When the request was made.
    pub asked_ms: i64,
    /// The board of the door, where it is known.
    pub door: Option<BoardName>,
    /// Until when two boards count as having the name of the door's board, if they ever had.
    pub twins_until_ms: Option<i64>,
    /// The boards that claim `new_mac`, there or not.
    pub claimants: Vec<Claimant>,
    /// `new_mac` is known as a spare's own.
    pub is_spares: bool,
    /// How often the board with `new_mac` has said that it polls, if it ever polled.
    pub polls_every_ms: Option<i64>,
    /// An operator has said that the door's board gets it.
    pub is_for_the_door: bool,
    /// The door's board is offered it already.
    pub is_offered_to_the_door: bool,
    /// It is one of the two requests of a swap.
    pub half: Option<Half>,
    /// When it may be offered.
    pub schedule: Schedule,
}

/// One of the two requests of a swap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Half {
    /// The other door's board, which carries the MAC address already.
    pub board: Option<BoardName>,
    /// That board has said that it does.
    pub is_confirmed: bool,
}

/// A board that claims the MAC address that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimant {
    /// The board.
    pub board: BoardName,
    /// The serial number that it claims.
    pub serial_number: Option<SerialNumber>,
    /// Until when it counts as there.
    pub until_ms: i64,
    /// The MAC address is its own.
    pub is_believed: bool,
    /// It is another intercom's panel.
    pub is_of_another_door: bool,
}

/// Whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// This board's, which carries the MAC address already.
    Replacement(BoardName),
    /// Nobody's until the spare with the MAC address shows up.
    Spare,
    /// Nobody's: a board that is there claims the MAC address, and must not have the request.
    Conflict(BoardName),
    /// Nobody's before that time; then that of the door's board.
    Grace(i64),
    /// Nobody's: two boards have the name of the door's board, and each would get what is meant for
    /// the other.
    Twins(BoardName),
    /// The door's board's, where it is known.
    Door(Option<BoardName>),
    /// Nobody's until the other door's board is there with the MAC address that it had when the swap
    /// was asked for.
    Exchanged(Option<BoardName>),
    /// Nobody's: the other request of the swap is not confirmed yet.
    OtherHalf,
    /// Nobody's before that time, as was asked for.
    NotBefore(i64),
    /// Nobody's before that time: the door's board would change in the quiet hours of its group.
    Quiet(i64),
    /// Nobody's any more: its time is over.
    Expired,
}

impl Rule {
    /// The MAC address of the replacement, where the request may be for one.
    fn replacement(waiting: &Waiting) -> Option<Mac> {
        waiting.new_mac.filter(|mac| *mac != waiting.confirmed_mac)
    }

    /// Whose turn a request is at.
    pub fn turn(&self, waiting: &Waiting, now_ms: i64) -> Turn {
        if waiting.schedule.is_over(now_ms) {
            return Turn::Expired;
        }
        if let Some(from_ms) = waiting.schedule.waits_until(now_ms) {
            return Turn::NotBefore(from_ms);
        }
        if let Some(half) = &waiting.half {
            return waiting.halfs_turn(half, now_ms);
        }
        if Self::replacement(waiting).is_none() {
            return waiting.doors_turn(now_ms);
        }
        let there = || waiting.believed().filter(|claimant| claimant.until_ms > now_ms);
        if let Some(replacement) = there().find(|claimant| claimant.may_have(waiting)) {
            return Turn::Replacement(replacement.board.clone());
        }
        if let Some(other) = there().next() {
            return Turn::Conflict(other.board.clone());
        }
        if waiting.is_spares && !waiting.is_for_the_door {
            return Turn::Spare;
        }
        let from_ms = self.grace_ends(waiting);
        match now_ms >= from_ms {
            true => waiting.doors_turn(now_ms),
            false => Turn::Grace(from_ms),
        }
    }

    /// When a replacement has had its time to show up.
    fn grace_ends(&self, waiting: &Waiting) -> i64 {
        let polls_ms = waiting.polls_every_ms.unwrap_or(0).saturating_mul(POLLS_UNTIL_GONE);
        let grace_ms = self.grace_ms.max(polls_ms);
        let left_ms = waiting.believed().map(|claimant| claimant.until_ms).max();
        let begins_ms = waiting.asked_ms.max(left_ms.unwrap_or(0));
        let ends_ms = begins_ms.saturating_add(grace_ms);
        // The door's board may have begun with what it was offered.
        if waiting.asked_ms >= self.since_ms || waiting.is_offered_to_the_door {
            return ends_ms;
        }
        // The replacement may have been about to show up when nobody could.
        ends_ms.max(self.since_ms.saturating_add(grace_ms.max(CONNECTS_AGAIN_WITHIN_MS)))
    }

    /// When a request's turn may become another's by itself.
    pub fn next_turn(&self, waiting: &Waiting, now_ms: i64) -> Option<i64> {
        let ends = |claimant: &Claimant| claimant.until_ms;
        let turn = match self.turn(waiting, now_ms) {
            Turn::Grace(from_ms) => Some(from_ms),
            Turn::Replacement(_) | Turn::Conflict(_) => waiting
                .believed()
                .map(ends)
                .filter(|until_ms| *until_ms > now_ms && *until_ms != UNTIL_FURTHER_NOTICE)
                .min(),
            Turn::Twins(_) => waiting.twins_until_ms,
            Turn::Spare
            | Turn::Door(_)
            | Turn::Exchanged(_)
            | Turn::OtherHalf
            | Turn::NotBefore(_)
            | Turn::Quiet(_)
            | Turn::Expired => None,
        };
        turn.into_iter().chain(waiting.schedule.next_ms(now_ms)).min()
    }
}

impl Waiting {
    fn doors_turn(&self, now_ms: i64) -> Turn {
        if let Some(until_ms) = self.schedule.is_quiet_until(now_ms) {
            return Turn::Quiet(until_ms);
        }
        match &self.door {
            Some(board) if self.twins_until_ms > Some(now_ms) => Turn::Twins(board.clone()),
            door => Turn::Door(door.clone()),
        }
    }

    fn halfs_turn(&self, half: &Half, now_ms: i64) -> Turn {
        if half.is_confirmed {
            return Turn::OtherHalf;
        }
        let is_it = |claimant: &&Claimant| {
            Some(&claimant.board) == half.board.as_ref()
                && claimant.until_ms > now_ms
                && !claimant.contradicts(self)
        };
        match (self.believed().find(is_it), &half.board) {
            (Some(_), Some(board)) if self.twins_until_ms > Some(now_ms) => {
                Turn::Twins(board.clone())
            }
            (Some(claimant), _) => Turn::Replacement(claimant.board.clone()),
            (None, board) => Turn::Exchanged(board.clone()),
        }
    }

    fn believed(&self) -> impl Iterator<Item = &Claimant> {
        self.claimants.iter().filter(|claimant| claimant.is_believed)
    }
}

impl Claimant {
    /// Whether it is the replacement on the wall.
    fn may_have(&self, waiting: &Waiting) -> bool {
        // The door's own board has the MAC address because it was asked to take it.
        !self.is_of_another_door
            && (!self.contradicts(waiting) || waiting.door.as_ref() == Some(&self.board))
    }

    /// Whether it claims another serial number than was asked for.
    fn contradicts(&self, waiting: &Waiting) -> bool {
        match (&self.serial_number, &waiting.new_serial_number) {
            (Some(own), Some(asked)) => own != asked,
            _ => false,
        }
    }
}

impl Turn {
    /// The board that is offered the request now.
    pub fn board(&self) -> Option<&BoardName> {
        match self {
            Turn::Replacement(board) | Turn::Door(Some(board)) => Some(board),
            Turn::Spare
            | Turn::Conflict(_)
            | Turn::Grace(_)
            | Turn::Twins(_)
            | Turn::Door(None)
            | Turn::Exchanged(_)
            | Turn::OtherHalf
            | Turn::NotBefore(_)
            | Turn::Quiet(_)
            | Turn::Expired => None,
        }
    }
}

/// Whom a request waits for.
impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Turn::Replacement(board) => write!(f, "the answer of the replacement, board {board}"),
            Turn::Spare => f.write_str("the spare that has the new MAC address to be connected"),
            Turn::Conflict(board) => write!(
                f,
                "the end of a conflict: board {board} claims the new MAC address, and has another \
                 serial number than was asked for or belongs to another door"
            ),
            Turn::Grace(_) => f.write_str("a replacement that already has the new MAC address"),
            Turn::Twins(board) => write!(
                f,
                "the end of a conflict: two boards have the name {board}; give one of them another \
                 `board_name`"
            ),
            Turn::Door(Some(board)) => write!(f, "the answer of the door's board {board}"),
            Turn::Door(None) => f.write_str("the door's board, which has not shown itself yet"),
            Turn::Exchanged(Some(board)) => {
                write!(f, "the other door's board {board} to be connected with its MAC address")
            }
            Turn::Exchanged(None) => f.write_str("the other door's board, which is not known"),
            Turn::NotBefore(ms) => write!(f, "its time, {}", rfc_3339(*ms)),
            Turn::Quiet(ms) => write!(f, "the end of the quiet hours at {}", rfc_3339(*ms)),
            Turn::Expired => f.write_str("nothing: its time is over"),
            Turn::OtherHalf => f.write_str("the confirmation of the other door of the swap"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::QuietHours;

    const RULE: Rule = Rule { grace_ms: 5_000, since_ms: 0 };
    const SPARE: &str = "22:0D:CE:38:E7:15";
    const OLD: &str = "AA:BB:CC:DD:EE:FF";

    fn mac(text: &str) -> Mac {
        text.parse().expect("a MAC")
    }

    fn board(name: &str) -> BoardName {
        name.parse().expect("a board")
    }

    fn door() -> Turn {
        Turn::Door(Some(board("old")))
    }

    fn claimant(until_ms: i64) -> Claimant {
        Claimant {
            board: board("spare"),
            serial_number: "S2".parse().ok(),
            until_ms,
            is_believed: true,
            is_of_another_door: false,
        }
    }

    fn waiting(claimants: &[Claimant]) -> Waiting {
        Waiting {
            new_mac: Some(mac(SPARE)),
            new_serial_number: "S2".parse().ok(),
            confirmed_mac: mac(OLD),
            asked_ms: 10_000,
            door: Some(board("old")),
            twins_until_ms: None,
            claimants: claimants.to_vec(),
            is_spares: false,
            polls_every_ms: None,
            is_for_the_door: false,
            is_offered_to_the_door: false,
            half: None,
            schedule: Schedule::default(),
        }
    }

    #[test]
    fn without_a_replacement_the_doors_board_is_asked_after_the_grace_time() {
        let request = waiting(&[]);
        assert_eq!(RULE.turn(&request, 14_999), Turn::Grace(15_000));
        assert_eq!(RULE.next_turn(&request, 14_999), Some(15_000));
        assert_eq!(RULE.turn(&request, 15_000), door());
    }

    #[test]
    fn nothing_is_offered_to_two_boards_with_one_name() {
        let twins = Waiting { twins_until_ms: Some(90_000), ..waiting(&[]) };
        assert_eq!(RULE.turn(&twins, 15_000), Turn::Twins(board("old")));
        assert_eq!(RULE.next_turn(&twins, 15_000), Some(90_000));
        let without_mac = Waiting { new_mac: None, ..twins.clone() };
        assert_eq!(RULE.turn(&without_mac, 10_000), Turn::Twins(board("old")));
        assert_eq!(RULE.turn(&twins, 90_000), door());
    }

    #[test]
    fn while_the_replacement_is_there_it_alone_is_asked() {
        let request = waiting(&[claimant(UNTIL_FURTHER_NOTICE)]);
        assert_eq!(RULE.turn(&request, i64::MAX - 1), Turn::Replacement(board("spare")));
        assert_eq!(RULE.next_turn(&request, 0), None);
    }

    #[test]
    fn when_the_replacement_goes_away_the_grace_time_starts_again() {
        let request = waiting(&[claimant(60_000)]);
        assert_eq!(RULE.next_turn(&request, 20_000), Some(60_000));
        assert_eq!(RULE.turn(&request, 60_000), Turn::Grace(65_000));
        assert_eq!(RULE.turn(&request, 65_000), door());
    }

    #[test]
    fn a_known_spare_that_is_not_there_is_waited_for_until_an_operator_says_otherwise() {
        let request = Waiting { is_spares: true, ..waiting(&[]) };
        assert_eq!(RULE.turn(&request, i64::MAX), Turn::Spare);
        let by_word = Waiting { is_for_the_door: true, ..request };
        assert_eq!(RULE.turn(&by_word, 15_000), door());
    }

    #[test]
    fn who_claims_the_mac_and_is_not_the_replacement_keeps_everybody_waiting() {
        let good = claimant(UNTIL_FURTHER_NOTICE);
        for wrong in [
            Claimant { is_of_another_door: true, ..good.clone() },
            Claimant { serial_number: "S3".parse().ok(), ..good.clone() },
        ] {
            let turn = RULE.turn(&waiting(std::slice::from_ref(&wrong)), 99_000);
            assert_eq!(turn, Turn::Conflict(board("spare")), "{wrong:?}");
        }
        let liar = Claimant { is_believed: false, ..good.clone() };
        assert_eq!(RULE.turn(&waiting(&[liar]), 99_000), door(), "it counts for nothing");
        let silent = Claimant { serial_number: None, ..good };
        assert_eq!(RULE.turn(&waiting(&[silent]), 0), Turn::Replacement(board("spare")));
    }

    #[test]
    fn a_board_that_polls_has_three_polls_to_show_up() {
        let request = Waiting { polls_every_ms: Some(60_000), ..waiting(&[]) };
        assert_eq!(RULE.turn(&request, 189_999), Turn::Grace(190_000));
        assert_eq!(RULE.turn(&request, 190_000), door());
    }

    #[test]
    fn a_connect_gives_the_replacement_time_to_come_back() {
        let rule = Rule { since_ms: 50_000, ..RULE };
        assert_eq!(rule.turn(&waiting(&[]), 50_000), Turn::Grace(170_000));
        let later = Waiting { asked_ms: 50_000, ..waiting(&[]) };
        assert_eq!(rule.turn(&later, 50_000), Turn::Grace(55_000));
    }

    #[test]
    fn a_connect_does_not_take_the_request_from_the_doors_board_that_has_it() {
        let rule = Rule { since_ms: 50_000, ..RULE };
        let offered = Waiting { is_offered_to_the_door: true, ..waiting(&[]) };
        assert_eq!(rule.turn(&offered, 50_000), door());
    }

    #[test]
    fn a_request_is_offered_in_its_time_and_not_to_the_doors_board_in_quiet_hours() {
        let in_time =
            Schedule { not_before_ms: Some(60_000), expires_ms: Some(90_000), quiet: None };
        let request = Waiting { schedule: in_time, ..waiting(&[claimant(UNTIL_FURTHER_NOTICE)]) };
        assert_eq!(RULE.turn(&request, 59_999), Turn::NotBefore(60_000));
        assert_eq!(RULE.next_turn(&request, 59_999), Some(60_000));
        assert_eq!(RULE.turn(&request, 60_000), Turn::Replacement(board("spare")));
        assert_eq!(RULE.next_turn(&request, 60_000), Some(90_000));
        assert_eq!(RULE.turn(&request, 90_000), Turn::Expired);

        let time = |text: &str| text.parse().expect("a time of day");
        let time_zone = "Etc/UTC".parse().expect("a time zone");
        let quiet = QuietHours { time_zone, begins: time("00:00"), ends: time("01:00") };
        let quiet = Schedule { quiet: Some(quiet), ..Schedule::default() };
        let hour = 3_600_000;
        let alone = Waiting { schedule: quiet.clone(), ..waiting(&[]) };
        assert_eq!(RULE.turn(&alone, hour - 1), Turn::Quiet(hour));
        assert_eq!(RULE.next_turn(&alone, hour - 1), Some(hour));
        assert_eq!(RULE.turn(&alone, hour), door());
        assert_eq!(RULE.next_turn(&alone, hour), Some(24 * hour), "they begin again");
        let on_the_wall = Waiting { schedule: quiet, ..waiting(&[claimant(UNTIL_FURTHER_NOTICE)]) };
        assert_eq!(RULE.turn(&on_the_wall, hour - 1), Turn::Replacement(board("spare")));
    }

    #[test]
    fn a_request_of_a_swap_is_for_the_other_doors_board_alone() {
        let of_the_other = Claimant { is_of_another_door: true, ..claimant(60_000) };
        let half = Half { board: Some(board("spare")), is_confirmed: false };
        let there = Waiting { half: Some(half.clone()), ..waiting(&[of_the_other]) };
        assert_eq!(RULE.turn(&there, 20_000), Turn::Replacement(board("spare")));
        assert_eq!(RULE.turn(&there, 60_000), Turn::Exchanged(Some(board("spare"))));
        let other_serial = Waiting { new_serial_number: "S3".parse().ok(), ..there.clone() };
        assert_eq!(RULE.turn(&other_serial, 20_000), Turn::Exchanged(Some(board("spare"))));
        let twins = Waiting { twins_until_ms: Some(90_000), ..there.clone() };
        assert_eq!(RULE.turn(&twins, 20_000), Turn::Twins(board("spare")));
        let third = Half { board: Some(board("third")), ..half.clone() };
        let third = Waiting { half: Some(third), ..there.clone() };
        assert_eq!(RULE.turn(&third, i64::MAX), Turn::Exchanged(Some(board("third"))));
        let confirmed = Waiting { half: Some(Half { is_confirmed: true, ..half }), ..there };
        assert_eq!(RULE.turn(&confirmed, 20_000), Turn::OtherHalf);
    }

    #[test]
    fn without_another_mac_the_doors_board_is_asked_at_once() {
        let mut request = waiting(&[]);
        for new_mac in [None, Some(mac(OLD))] {
            request.new_mac = new_mac;
            assert_eq!(RULE.turn(&request, 0), door(), "{new_mac:?}, clock set back");
        }
    }
}
