//! How long a request waits that the hooks do not let begin.

use intercom_wire::Outcome;

use super::driver::Run;
use super::requests::{ask, identity};
use super::scenario::{HOUR, Scenario};
use super::script::Action;
use super::world::Hooks;

#[test]
fn a_request_that_the_hooks_never_let_begin_ends_after_a_day() {
    let to_b = Action::Post(ask("r").to('B').made());
    let script = vec![(500, Action::Hooks(Hooks::NotNow)), (1000, to_b)];
    let mut run = Run::new(Scenario::new("never now", script, &[], 0).prepared());
    run.live(&[]);
    assert_eq!(run.broken(), Vec::<String>::new());
    let agent = run.agent().expect("it runs");
    assert_eq!(agent.record().current.identity, identity('A'));
    let world = run.world.borrow();
    let reports: Vec<_> = world.cloud.received.iter().map(|received| &received.report).collect();
    let (last, before) = reports.split_last().expect("reports");
    assert_eq!(last.outcome(), Some(Outcome::Failed));
    let why = "it could not begin for 24 h: the hook 20-sip says \"not now\"";
    assert_eq!(last.reason.as_deref(), Some(why));
    assert!(before.iter().all(|report| report.is_deferred()));
    // Each ten minutes, or a little later.
    assert!((135..=144).contains(&before.len()), "{}", before.len());
    let hours = (world.now - world.booted) / HOUR;
    assert_eq!((hours, world.link.touched, world.disk.records), (24, 0, 0));
}
