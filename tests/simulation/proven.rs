//! Scenarios about the proof of a change: silent paths, late wake-ups, other boards.
//!
//! A change to `B` that is asked for after 1 s is reached after 4.1 s, and `settle` is over at 9.1 s.

use intercom_agent::record::Route;
use intercom_wire::Outcome;

use super::requests::{ask, identity, mac};
use super::scenario::{Ending, Scenario};
use super::script::Action;

/// All of them.
pub fn all() -> Vec<Scenario> {
    let installed: Ending = (identity('B'), Some(Outcome::Installed));
    let rolled_back: Ending = (identity('A'), Some(Outcome::RolledBack));
    let rejected: Ending = (identity('A'), Some(Outcome::Rejected));
    let scenario = |name, trouble: Vec<(u64, Action)>, endings: &[&Ending], records| {
        let mut script = vec![(1000, Action::Post(ask("r").to('B').made()))];
        script.extend(trouble);
        let endings: Vec<Ending> = endings.iter().map(|ending| (*ending).clone()).collect();
        Scenario::new(name, script, &endings, records)
    };
    let silent_from = |at| vec![(at, Action::Silent(true)), (400_000, Action::Silent(false))];
    vec![
        // A boot in between has a window of its own, in which the path may come back.
        scenario(
            "a path that goes silent during settle",
            silent_from(6000),
            &[&rolled_back, &installed],
            3,
        ),
        scenario(
            "a service that goes silent during settle",
            silent_from(65_000),
            &[&rolled_back, &installed],
            3,
        )
        .over(&[Route::Http])
        .listed(),
        scenario(
            "a path that goes silent before the new connection",
            silent_from(3000),
            &[&rolled_back, &installed],
            3,
        ),
        scenario(
            "a path that is silent for a while during settle",
            vec![(6000, Action::Silent(true)), (30_000, Action::Silent(false))],
            &[&installed],
            3,
        ),
        scenario(
            "asleep during settle, and woken after the deadline",
            vec![(6000, Action::Sleep(300_000))],
            &[&rolled_back, &installed],
            3,
        ),
        scenario(
            "asleep for a while during settle",
            vec![(6000, Action::Sleep(60_000))],
            &[&installed],
            3,
        ),
        // One that a restart takes back is not tried again.
        scenario(
            "another board takes the MAC during settle, and keeps it",
            vec![(6000, Action::Taken(mac('B'), true))],
            &[&rejected, &rolled_back],
            3,
        ),
        // The other boards were asked a second before the end, and have said nothing.
        scenario(
            "another board takes the MAC in the last second of settle, and keeps it",
            vec![(8500, Action::Taken(mac('B'), true))],
            &[&rejected, &rolled_back],
            3,
        ),
        scenario(
            "another board takes the MAC during settle, and lets go of it",
            vec![(6000, Action::Taken(mac('B'), true)), (7000, Action::Taken(mac('B'), false))],
            &[&installed, &rolled_back],
            6,
        ),
    ]
}
