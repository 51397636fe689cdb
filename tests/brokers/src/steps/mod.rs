//! The steps, each with a site of its own.

mod broker_ends;
mod change;
mod late;
mod older_data;
mod replacement;

use crate::outcome::Skipped;
use crate::site::Site;

/// One step.
pub struct Step {
    /// What it is called in the table.
    pub name: &'static str,
    /// Does it on a new site, and panics where something is not right.
    pub run: fn(&mut Site) -> Result<(), Skipped>,
}

/// Every step, in the order of the table.
pub const ALL: &[Step] = &[
    Step { name: "plain change", run: change::plain },
    Step { name: "plain change, over HTTP", run: change::plain_over_http },
    Step { name: "known spare, there before the PATCH", run: replacement::known_before },
    Step { name: "known spare, connected after the PATCH", run: replacement::known_after },
    Step { name: "created spare, there before the PATCH", run: replacement::created_before },
    Step { name: "created spare, connected after the PATCH", run: replacement::created_after },
    Step { name: "unknown spare, there before the PATCH", run: replacement::unknown_before },
    Step { name: "unknown spare, connected after the PATCH", run: replacement::unknown_after },
    Step { name: "known spare, before, over HTTP", run: replacement::known_before_over_http },
    Step { name: "known spare, after, over HTTP", run: replacement::known_after_over_http },
    Step { name: "created spare, before, over HTTP", run: replacement::created_before_over_http },
    Step { name: "created spare, after, over HTTP", run: replacement::created_after_over_http },
    Step { name: "unknown spare, before, over HTTP", run: replacement::unknown_before_over_http },
    Step { name: "unknown spare, after, over HTTP", run: replacement::unknown_after_over_http },
    Step { name: "old panel and spare both live", run: replacement::both_live },
    Step { name: "old panel live, spare in the bag", run: replacement::spare_in_the_bag },
    Step { name: "last will of a spare that is unplugged", run: change::last_will },
    Step { name: "kill -9 of the agent in mid-change", run: change::agent_is_killed },
    Step { name: "broker gets TERM, PATCH meanwhile", run: broker_ends::terminated },
    Step { name: "broker gets KILL, PATCH meanwhile", run: broker_ends::killed },
    Step { name: "broker gets KILL in mid-change", run: broker_ends::killed_in_mid_change },
    Step { name: "older data come back", run: older_data::come_back },
    Step { name: "older data come back while billing is down", run: older_data::come_back_unseen },
    Step { name: "older data claim that a dead panel lives", run: older_data::dead_panel_lives },
    Step { name: "queued request is superseded before it is heard", run: late::superseded },
    Step { name: "report that the broker acknowledges and drops", run: late::dropped_report },
    Step { name: "two boards with one name", run: change::two_with_one_name },
];
