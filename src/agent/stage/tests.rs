//! A change from stage to stage, without a board.

use super::*;
use crate::agent::HookProblem;
use crate::agent::fixtures::{FACTORY_MAC, NOW, mac};
use crate::decide::WithheldTopic;

const SETTLE: Duration = Duration::from_secs(10);
const WINDOW: Duration = Duration::from_secs(120);

fn deadline() -> Option<Moment> {
    Some(NOW + WINDOW)
}

/// What follows at this moment.
fn at(now: Moment, stage: Stage, happened: Happened) -> Next {
    stage.take(happened, Terms { now, deadline: deadline(), settle: SETTLE })
}

fn failure() -> HookFailure {
    HookFailure::new("10-dhcp", HookProblem::TooLong(WINDOW))
}

fn another_board() -> MacOwner {
    MacOwner::AnotherBoard("gate-2".parse().ok())
}

fn not_reached() -> RollbackReason {
    RollbackReason::NotReached(LastErrors::default())
}

/// The link is found out now that upstream has answered and nobody else has the MAC.
fn judges(action: Option<&Action>, route: Route) -> bool {
    matches!(action, Some(Action::JudgeLink(on)) if *on == route)
}

fn commits(action: Option<&Action>) -> bool {
    matches!(action, Some(Action::CheckLinkAndCommit | Action::Commit))
}

/// The connection on this route is watched until this moment; the other boards are asked.
fn settling(route: Route, until: Moment) -> Stage {
    Stage::Settling(route, until, Others::Asked)
}

/// `settle` is over, and nothing is known yet.
fn proving(route: Route) -> Stage {
    let (stage, action) = at(NOW, settling(route, NOW), Happened::Time);
    assert!(matches!(action, Some(Action::Prove(on)) if on == route), "{action:?}");
    stage
}

#[test]
fn a_connection_that_answers_at_both_ends_of_settle_confirms_the_change() {
    for route in [Route::Mqtt, Route::Http] {
        let (stage, action) = at(NOW, Stage::Hooks, Happened::HooksEnded(Ok(())));
        assert!(matches!(action, Some(Action::Connect)), "{action:?}");
        let (stage, action) = at(NOW, stage, Happened::Reached(route));
        assert!(matches!(action, Some(Action::Watch(on)) if on == route), "{action:?}");
        let over = NOW + SETTLE;
        let last_second = over - Duration::from_secs(1);
        assert_eq!(stage.due(deadline()), Some(NOW));
        let (stage, action) = at(NOW, stage, Happened::Time);
        assert!(matches!(action, Some(Action::MeetNeighbours)), "{action:?}");
        let (stage, action) = at(NOW, stage, Happened::LookedUp(MacOwner::Nobody));
        assert!(action.is_none(), "too early to count: {action:?}");
        assert_eq!(stage.due(deadline()), Some(last_second));
        let (stage, action) = at(NOW, stage, Happened::Time);
        assert!(action.is_none(), "{action:?}");
        let (stage, action) = at(last_second, stage, Happened::Time);
        assert!(matches!(action, Some(Action::LookUp)), "{action:?}");
        assert_eq!(stage.due(deadline()), Some(over));
        let (stage, action) = at(over, stage, Happened::Time);
        assert!(matches!(action, Some(Action::Prove(on)) if on == route), "{action:?}");
        assert_eq!(stage.due(deadline()), deadline(), "both are asked");
        let (stage, action) = at(over, stage, Happened::LookedUp(MacOwner::Nobody));
        assert!(action.is_none(), "{action:?}");
        let (stage, action) = at(over, stage, Happened::Reached(route));
        assert!(judges(action.as_ref(), route), "{action:?}");
        let (stage, action) = at(over, stage, Happened::Reached(route));
        assert!(action.is_none(), "{action:?}");
        let (_, action) = at(over, stage, Happened::LinkJudged(Ok(())));
        assert!(commits(action.as_ref()), "{action:?}");
    }
}

#[test]
fn the_other_boards_are_asked_at_once_where_settle_is_shorter_than_their_silence() {
    let terms = Terms { now: NOW, deadline: deadline(), settle: Duration::ZERO };
    let (stage, _) = Stage::Confirming.take(Happened::Reached(Route::Mqtt), terms);
    let (stage, action) = stage.take(Happened::Time, terms);
    assert!(matches!(action, Some(Action::LookUp)), "{action:?}");
    let (stage, action) = stage.take(Happened::Time, terms);
    assert!(matches!(action, Some(Action::Prove(Route::Mqtt))), "{action:?}");
    assert_eq!(stage.due(deadline()), deadline());
}

#[test]
fn what_the_other_boards_say_within_settle_counts_when_it_is_over_and_no_older_answer_does() {
    let ends = |asked, answer| {
        let stage = Stage::Settling(Route::Mqtt, NOW, asked);
        let (stage, action) = at(NOW, stage, Happened::LookedUp(answer));
        assert!(action.is_none(), "{action:?}");
        let (stage, _) = at(NOW, stage, Happened::Time);
        at(NOW, stage, Happened::Reached(Route::Mqtt)).1
    };
    assert!(judges(ends(Others::Asked, MacOwner::Nobody).as_ref(), Route::Mqtt));
    assert!(ends(Others::Asked, MacOwner::Unknown(None)).is_none());
    assert!(ends(Others::AskAt(NOW + SETTLE), MacOwner::Nobody).is_none());
}

#[test]
fn a_link_that_was_judged_before_upstream_has_answered_does_not_count() {
    let (stage, action) = at(NOW, proving(Route::Mqtt), Happened::LinkJudged(Ok(())));
    assert!(action.is_none(), "{action:?}");
    let (stage, _) = at(NOW, stage, Happened::LookedUp(MacOwner::Nobody));
    let (_, action) = at(NOW, stage, Happened::Reached(Route::Mqtt));
    assert!(judges(action.as_ref(), Route::Mqtt), "{action:?}");
}

#[test]
fn a_change_begins_only_where_no_hook_says_not_now() {
    let until = NOW + WINDOW;
    let happens = |now, happened| {
        let terms = Terms { now, deadline: None, settle: SETTLE };
        Stage::Ready(until).take(happened, terms)
    };
    let (stage, action) = happens(NOW, Happened::HooksEnded(Ok(())));
    assert!(stage.is_idle() && matches!(action, Some(Action::Asked(Ok(())))), "{action:?}");
    let not_now = HookFailure::new("20-sip", HookProblem::NotNow);
    let (stage, action) = happens(NOW, Happened::HooksEnded(Err(not_now)));
    match action {
        Some(Action::Asked(Err(why))) if stage.is_idle() => {
            assert_eq!(why.to_string(), "the hook 20-sip says \"not now\"");
        }
        other => panic!("{other:?}"),
    }
    let (_, action) = happens(NOW, Happened::Time);
    assert!(action.is_none(), "{action:?}");
    let (_, action) = happens(until, Happened::Time);
    assert!(matches!(action, Some(Action::Asked(Err(NotReady::TooLong)))), "{action:?}");
    assert_eq!(Stage::Ready(until).due(None), Some(until));
}

#[test]
fn the_same_route_must_answer_again() {
    let (stage, _) = at(NOW, proving(Route::Http), Happened::LookedUp(MacOwner::Nobody));
    let (stage, action) = at(NOW, stage, Happened::Reached(Route::Mqtt));
    assert!(action.is_none(), "{action:?}");
    let (_, action) = at(NOW, stage, Happened::Reached(Route::Http));
    assert!(judges(action.as_ref(), Route::Http), "{action:?}");
}

#[test]
fn a_change_is_taken_back_as_soon_as_another_board_says_that_it_has_the_new_mac() {
    let stages = [
        Stage::Hooks,
        Stage::Confirming,
        settling(Route::Mqtt, NOW + SETTLE),
        proving(Route::Mqtt),
        Stage::Committing(NOW + SETTLE),
    ];
    for stage in stages {
        match at(NOW, stage, Happened::LookedUp(another_board())) {
            (_, Some(Action::RollBack(why))) => {
                assert_eq!(why.to_string(), "identity conflict: board gate-2 has the new MAC too");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_rollback_names_the_topic_that_keeps_the_others_from_being_asked() {
    let withheld = WithheldTopic {
        topic: "intercoms/AA/here/gate-1".to_owned(),
        write: "intercoms/+/here/gate-1".to_owned(),
        read: "intercoms/+/here/+".to_owned(),
    };
    let (stage, _) = at(NOW, proving(Route::Mqtt), Happened::Reached(Route::Mqtt));
    let (stage, _) = at(NOW, stage, Happened::LookedUp(MacOwner::Unknown(Some(withheld))));
    match at(NOW + WINDOW, stage, Happened::Time).1 {
        Some(Action::RollBack(why)) => {
            assert!(why.to_string().contains("too: the broker does not give intercoms/AA/here"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn that_the_others_could_not_be_asked_is_no_answer() {
    let (stage, _) = at(NOW, proving(Route::Mqtt), Happened::Reached(Route::Mqtt));
    let (stage, action) = at(NOW, stage, Happened::LookedUp(MacOwner::Unknown(None)));
    assert!(action.is_none(), "{action:?}");
    let again = stage.due(deadline()).expect("a moment");
    assert!(NOW < again && again < NOW + SETTLE);
    let (stage, action) = at(again, stage, Happened::Time);
    assert!(matches!(action, Some(Action::LookUp)), "{action:?}");
    let (_, action) = at(again, stage, Happened::LookedUp(MacOwner::Nobody));
    assert!(judges(action.as_ref(), Route::Mqtt), "{action:?}");
}

/// What follows so long after the end of `settle`, when a look-up has only found out what the LAN says.
fn broker_away(route: Route, met: Option<Route>, after: Duration) -> Option<Action> {
    let (mut stage, _) = at(NOW, proving(route), Happened::Reached(route));
    if let Some(met) = met {
        stage = at(NOW + SETTLE, stage, Happened::Reached(met)).0;
    }
    let (stage, action) = at(NOW + after, stage, Happened::BrokerAway);
    if action.is_none() {
        let again = stage.due(deadline()).expect("a moment");
        let (_, action) = at(again, stage, Happened::Time);
        assert!(matches!(action, Some(Action::LookUp)), "{action:?}");
    }
    action
}

#[test]
fn a_broker_that_is_away_is_asked_again_for_a_while_and_then_the_lan_alone_counts() {
    let long = Duration::from_secs(15);
    let counts_lan = |action| matches!(action, Some(Action::CountLanAlone));
    assert!(!counts_lan(broker_away(Route::Http, None, long / 2)));
    assert!(counts_lan(broker_away(Route::Http, None, long)));
    assert!(!counts_lan(broker_away(Route::Http, Some(Route::Mqtt), long)), "it was there");
    assert!(counts_lan(broker_away(Route::Http, Some(Route::Mqtt), SETTLE + long)));
    assert!(!counts_lan(broker_away(Route::Mqtt, None, long)), "it must answer itself");
}

/// `settle` is over, upstream has answered, no other board has the MAC, and this is by which link the
/// traffic leaves.
fn judged(why: UplinkError) -> Next {
    let (stage, _) = at(NOW, proving(Route::Mqtt), Happened::Reached(Route::Mqtt));
    let (stage, action) = at(NOW, stage, Happened::LookedUp(MacOwner::Nobody));
    assert!(judges(action.as_ref(), Route::Mqtt), "{action:?}");
    at(NOW, stage, Happened::LinkJudged(Err(why)))
}

#[test]
fn traffic_that_leaves_by_another_link_takes_the_change_back() {
    let (carries, expected) = ("br0".to_owned(), "eth0".to_owned());
    let (_, action) = judged(UplinkError::OtherLink { carries, mac: None, expected });
    assert!(matches!(action, Some(Action::RollBack(RollbackReason::Uplink(_)))), "{action:?}");
}

#[test]
fn a_mac_that_something_else_has_set_takes_the_change_back() {
    let (_, action) = judged(UplinkError::OtherMac(mac(FACTORY_MAC)));
    match action {
        Some(Action::RollBack(RollbackReason::OtherMac(has))) => assert_eq!(has, mac(FACTORY_MAC)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_answer_that_the_own_link_owes_is_waited_for_until_the_deadline() {
    let silent = || UplinkError::NoAnswer { interface: "eth0".to_owned(), asked: 1 };
    let (stage, action) = judged(silent());
    assert!(action.is_none(), "{action:?}");
    let again = stage.due(deadline()).expect("a moment");
    assert!(NOW < again && again < NOW + SETTLE);
    let (stage, action) = at(again, stage, Happened::Time);
    assert!(matches!(action, Some(Action::JudgeLink(Route::Mqtt))), "{action:?}");
    let (_, action) = at(again, stage, Happened::LinkJudged(Ok(())));
    assert!(commits(action.as_ref()), "{action:?}");
    match at(NOW + WINDOW, judged(silent()).0, Happened::Time) {
        (_, Some(Action::RollBack(RollbackReason::Uplink(why)))) => assert_eq!(why, silent()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_the_loss_of_the_watched_connection_counts() {
    for watched in [settling(Route::Mqtt, NOW + SETTLE), proving(Route::Mqtt)] {
        let (stage, action) = at(NOW, watched, Happened::Lost(Route::Http));
        assert!(action.is_none(), "{action:?}");
        let (stage, action) = at(NOW, stage, Happened::Lost(Route::Mqtt));
        assert!(matches!(action, Some(Action::WaitForAnother(Route::Mqtt))), "{action:?}");
        assert!(matches!(stage, Stage::Confirming), "{stage:?}");
    }
}

#[test]
fn whatever_happens_after_the_deadline_a_stage_that_is_not_over_is_rolled_back_with_its_reason() {
    let end = NOW + WINDOW;
    let only_reached = || at(NOW, proving(Route::Mqtt), Happened::Reached(Route::Mqtt)).0;
    let only_alone = || at(NOW, proving(Route::Http), Happened::LookedUp(MacOwner::Nobody)).0;
    let stages: [(&dyn Fn() -> Stage, RollbackReason); 8] = [
        (&|| Stage::Hooks, RollbackReason::HooksTooLong),
        (&|| Stage::Confirming, not_reached()),
        (&|| settling(Route::Mqtt, end + SETTLE), not_reached()),
        (&|| settling(Route::Mqtt, NOW), not_reached()),
        (&|| settling(Route::Http, NOW), not_reached()),
        (&only_reached, RollbackReason::OthersUnknown(None)),
        (&only_alone, RollbackReason::NotReachedAgain(Route::Http)),
        (&|| Stage::Committing(NOW), RollbackReason::NotWritten),
    ];
    for (stage, reason) in stages {
        assert!(stage().due(deadline()) <= deadline());
        let events = [
            Happened::Time,
            Happened::HooksEnded(Ok(())),
            Happened::Reached(Route::Mqtt),
            Happened::Reached(Route::Http),
            Happened::Lost(Route::Mqtt),
            Happened::LookedUp(MacOwner::Nobody),
            Happened::BrokerAway,
        ];
        for (late, happened) in events.into_iter().enumerate() {
            match at(end + SETTLE * late as u32, stage(), happened) {
                (_, Some(Action::RollBack(why))) => {
                    assert_eq!(why.to_string(), reason.to_string());
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn a_failed_hook_rolls_back_and_after_a_rollback_only_ends_it() {
    let ended = |result| Happened::HooksEnded(result);
    let (_, action) = at(NOW, Stage::Hooks, ended(Err(failure())));
    assert!(matches!(action, Some(Action::RollBack(RollbackReason::Hook(_)))), "{action:?}");
    let (stage, action) = at(NOW, Stage::HooksBack(NOW), ended(Err(failure())));
    assert!(matches!(action, Some(Action::EndRollback(HooksBackEnd::Failed(_)))), "{action:?}");
    assert!(stage.is_idle());
    let (_, action) = at(NOW, stage, ended(Ok(())));
    assert!(action.is_none(), "of hooks that were given up: {action:?}");
}

#[test]
fn a_rollback_goes_on_whatever_the_time() {
    let late = NOW + WINDOW;
    let told = LastErrors(vec![(Route::Mqtt, "nothing listens there".to_owned())]);
    let stage = Stage::PuttingBack(late, RollbackReason::NotReached(told));
    assert_eq!(stage.due(deadline()), Some(late));
    let (_, action) = at(late, stage, Happened::Time);
    let Some(Action::PutBack(reason)) = action else { panic!("{action:?}") };
    assert!(reason.to_string().ends_with("in time; over MQTT: nothing listens there"), "{reason}");
    let (stage, action) = at(late, Stage::HooksBack(late), Happened::Time);
    assert!(matches!(action, Some(Action::EndRollback(HooksBackEnd::TooLong))), "{action:?}");
    assert!(stage.is_idle());
}

#[test]
fn what_the_disk_did_not_take_is_tried_again_until_the_deadline() {
    let later = NOW + SETTLE;
    let (stage, action) = at(NOW, Stage::Committing(later), Happened::Time);
    assert!(action.is_none(), "{action:?}");
    let (_, action) = at(later, stage, Happened::Time);
    assert!(matches!(action, Some(Action::Commit)), "{action:?}");
}
