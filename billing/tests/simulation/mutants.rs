//! The checks bite: each mutant breaks one promise of the documentation and is caught by the rule that
//! it breaks. The same story in a sound world breaks none.

use super::mutant::Mutant;
use super::scenarios::*;
use super::world::World;

fn is_caught(rule: u8, mutant: Mutant, city: impl Fn() -> World, story: impl Fn(World) -> World) {
    let sound = story(city());
    assert_eq!(sound.watch.broken, Vec::<String>::new(), "without the mutation");
    let mut world = city();
    world.mutant = mutant;
    let broken = story(world).watch.broken;
    let says = format!("rule {rule}: ");
    assert!(broken.iter().any(|broken| broken.starts_with(&says)), "{mutant:?}: {broken:#?}");
    println!("{mutant:?}: {}", broken[0]);
}

macro_rules! mutants {
    ($($name:ident: $mutant:ident breaks rule $rule:literal in $story:ident;)*) => {
        $(#[test]
        fn $name() {
            is_caught($rule, Mutant::$mutant, city, $story);
        })*
    };
}

// Billing retains nothing.
mutants! {
    mutant_an_offer_is_retained: OffersRetained breaks rule 9 in a_plain_change;
    mutant_an_offer_has_no_nonce: OffersWithoutNonce breaks rule 5 in a_plain_change;
    mutant_the_nonce_is_not_checked: NonceNotChecked breaks rule 1 in withdrawn_offers_come_again;
    mutant_an_old_offer_is_not_answered: OldOffersAreNotAnswered breaks rule 7 in an_old_presence_comes_again;
    mutant_a_silent_board_is_not_asked: SilentBoardsAreNotAsked breaks rule 7 in an_offer_is_dropped;
    mutant_a_silent_spare_is_not_asked: SilentBoardsAreNotAsked breaks rule 8 in a_spares_presence_is_dropped;
    mutant_nobody_is_asked: NobodyIsAsked breaks rule 8 in billing_comes_back;
    mutant_who_does_not_answer_is_there: SilentBoardsStay breaks rule 8 in a_spare_goes_with_the_broker;
}

// Who is offered: the replacement on the wall.
mutants! {
    mutant_a_board_that_has_gone_counts: GoneBoardsCount breaks rule 5 in a_spare_is_unplugged;
    mutant_a_board_of_another_door_counts: BoardsOfOtherDoorsCount breaks rule 5 in another_doors_board_claims;
    mutant_a_serial_number_may_contradict: SerialNumbersMayContradict breaks rule 5 in the_wrong_board_is_on_the_wall;
    mutant_any_claim_is_believed: AnyClaimIsBelieved breaks rule 5 in a_stranger_claims_a_spares_mac;
}

/// Where only enrolled boards count, a spare that nobody has enrolled does not.
#[test]
fn mutant_a_board_counts_that_nobody_has_enrolled() {
    is_caught(5, Mutant::AnyClaimIsBelieved, closed_city, a_spare_is_on_the_wall);
}

// Who is offered: the spare that is waited for, and the board of the door.
mutants! {
    mutant_a_spare_is_not_waited_for: SparesAreNotWaitedFor breaks rule 5 in a_spare_is_waited_for;
    mutant_a_doors_mac_is_waited_for: DoorsMacsAreWaitedFor breaks rule 8 in a_dead_panels_mac_is_taken_over;
    mutant_there_is_no_grace_time: NoGrace breaks rule 5 in a_plain_change;
    mutant_the_grace_time_is_not_counted_again: GraceIsNotCountedAgain breaks rule 5 in a_restart_within_the_grace_time;
    mutant_nobody_is_struck_out: NobodyIsStruckOut breaks rule 5 in a_replacement_shows_up_late;
    mutant_deferred_is_no_answer: DeferredIsNoAnswer breaks rule 7 in a_long_call;
    mutant_silence_never_ends: SilenceNeverEnds breaks rule 8 in a_mute_replacement;
    mutant_an_id_selects: IdsSelect breaks rule 5 in a_replaced_panel_polls_on;
    mutant_the_targets_board_is_not_read: TargetsBoardIsNotRead breaks rule 7 in a_panel_carries_what_waits_for_a_yes;
}

// Whose report counts.
mutants! {
    mutant_any_report_counts: AnyReportCounts breaks rule 2 in a_stranger_reports;
    mutant_the_payload_says_who_speaks: PayloadSaysWhoSpeaks breaks rule 2 in a_stranger_reports_as_another;
    mutant_a_presence_says_who_speaks: PresenceSaysWhoSpeaks breaks rule 5 in a_stranger_pretends;
    mutant_a_late_report_is_dropped: LateReportsAreDropped breaks rule 11 in an_installed_comes_late;
    mutant_an_overtaken_report_counts: OvertakenReportsCount breaks rule 11 in an_overtaken_report_comes_late;
    mutant_another_end_tells_nothing: OtherEndsTellNothing breaks rule 11 in a_board_carries_what_it_was_asked_for_once;
    mutant_what_was_read_before_counts: WhatWasReadCounts breaks rule 11 in an_installed_comes_again_after_a_rollback;
    mutant_any_change_by_hand_moves_the_door: AnyChangeByHandMovesTheDoor breaks rule 2 in a_stranger_changes_by_hand;
    mutant_a_report_is_not_answered: ReportsAreNotAnswered breaks rule 6 in a_plain_change;
    mutant_one_half_of_a_swap_is_enough: OneHalfIsEnough breaks rule 2 in two_panels_have_changed_places;
    mutant_the_puback_is_the_answer: ThePubAckIsTheAnswer breaks rule 7 in a_report_is_dropped;
}
