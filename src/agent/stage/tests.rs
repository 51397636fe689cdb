//! A change from stage to stage, without a board.

use super::*;
use crate::agent::HookProblem;
use crate::agent::fixtures::NOW;

const SETTLE: Duration = Duration::from_secs(10);
const WINDOW: Duration = Duration::from_secs(120);

fn deadline() -> Option<Moment> {
    Some(NOW + WINDOW)
}

fn failure() -> HookFailure {
    HookFailure::new("10-dhcp", HookProblem::TooLong(WINDOW))
}

#[test]
fn a_connection_that_stays_alive_confirms_the_change() {
    let (stage, action) = Stage::Hooks.hooks_ended(Ok(()));
    assert!(matches!(action, Some(Action::Connect)), "{action:?}");
    let (stage, action) = stage.reached(Route::Mqtt, NOW, SETTLE);
    assert!(matches!(action, Some(Action::Watch(Route::Mqtt))), "{action:?}");
    assert_eq!(stage.due(deadline()), Some(NOW + SETTLE));
    let (stage, action) = stage.tick(NOW, deadline());
    assert!(action.is_none(), "{action:?}");
    let (_, action) = stage.tick(NOW + SETTLE, deadline());
    assert!(matches!(action, Some(Action::CheckLinkAndCommit)), "{action:?}");
}

#[test]
fn over_http_a_second_poll_must_be_answered() {
    let (stage, _) = Stage::Confirming.reached(Route::Http, NOW, SETTLE);
    let (stage, action) = stage.tick(NOW + SETTLE, deadline());
    assert!(matches!(action, Some(Action::PollAgain)), "{action:?}");
    let (stage, action) = stage.reached(Route::Mqtt, NOW + SETTLE, SETTLE);
    assert!(action.is_none(), "{action:?}");
    let (_, action) = stage.reached(Route::Http, NOW + SETTLE, SETTLE);
    assert!(matches!(action, Some(Action::CheckLinkAndCommit)), "{action:?}");
}

#[test]
fn only_the_loss_of_the_watched_connection_counts() {
    let settling = Stage::Settling(Route::Mqtt, NOW + SETTLE);
    let (stage, action) = settling.lost(Route::Http);
    assert!(action.is_none(), "{action:?}");
    let (stage, action) = stage.lost(Route::Mqtt);
    assert!(matches!(action, Some(Action::WaitForAnother(Route::Mqtt))), "{action:?}");
    assert!(matches!(stage, Stage::Confirming), "{stage:?}");
}

#[test]
fn each_stage_that_is_not_over_at_the_deadline_is_rolled_back_with_its_reason() {
    let at = NOW + WINDOW;
    let settling = |route| Stage::Settling(route, at + SETTLE);
    for (stage, reason) in [
        (Stage::Hooks, RollbackReason::HooksTooLong),
        (Stage::Confirming, RollbackReason::NotReached),
        (settling(Route::Mqtt), RollbackReason::NotReached),
        (settling(Route::Http), RollbackReason::NotReached),
        (Stage::Settling(Route::Http, at), RollbackReason::NotReached),
        (Stage::PollingAgain, RollbackReason::NotReached),
        (Stage::Committing(at), RollbackReason::NotWritten),
    ] {
        assert!(stage.due(deadline()) <= deadline(), "{stage:?}");
        match stage.tick(at, deadline()) {
            (_, Some(Action::RollBack(why))) => {
                assert_eq!(why.to_string(), reason.to_string());
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_failed_hook_rolls_back_and_after_a_rollback_only_ends_it() {
    let (_, action) = Stage::Hooks.hooks_ended(Err(failure()));
    assert!(matches!(action, Some(Action::RollBack(RollbackReason::Hook(_)))), "{action:?}");
    let (stage, action) = Stage::HooksBack(NOW).hooks_ended(Err(failure()));
    assert!(matches!(action, Some(Action::EndRollback(HooksBackEnd::Failed(_)))), "{action:?}");
    assert!(stage.is_idle());
    let (_, action) = stage.hooks_ended(Ok(()));
    assert!(action.is_none(), "of hooks that were given up: {action:?}");
}

#[test]
fn a_rollback_goes_on_without_a_deadline() {
    let stage = Stage::PuttingBack(NOW, RollbackReason::NotReached);
    assert_eq!(stage.due(deadline()), Some(NOW));
    let (_, action) = stage.tick(NOW, deadline());
    assert!(matches!(action, Some(Action::PutBack(RollbackReason::NotReached))), "{action:?}");
    let (stage, action) = Stage::HooksBack(NOW).tick(NOW, None);
    assert!(matches!(action, Some(Action::EndRollback(HooksBackEnd::TooLong))), "{action:?}");
    assert!(stage.is_idle());
}

#[test]
fn what_the_disk_did_not_take_is_tried_again_until_the_deadline() {
    let at = NOW + SETTLE;
    let (stage, action) = Stage::Committing(at).tick(NOW, deadline());
    assert!(action.is_none(), "{action:?}");
    let (_, action) = stage.tick(at, deadline());
    assert!(matches!(action, Some(Action::Commit)), "{action:?}");
}
