//! The statements of every module, for the tests that ask each engine about each of them.

use super::statement::Sql;
use super::{
    audit, boards, by_hand, credentials, deliveries, delivery_log, disputes, doors, factories,
    figures, groups, hardware, history, import_rows, imports, intercom_list, intercoms, macs,
    offers, owners, pending, presence, quiet_hours, replaced, reports, request_list, requests,
    retention, seen, sessions, sightings, swaps, taken, tokens, webhooks,
};

/// The statements of every module. A module that is missing here has a list that nobody uses, which
/// is a warning.
pub(super) const MODULES: [(&str, &[(&str, Sql)]); 35] = [
    ("audit", audit::STATEMENTS),
    ("boards", boards::STATEMENTS),
    ("by_hand", by_hand::STATEMENTS),
    ("credentials", credentials::STATEMENTS),
    ("deliveries", deliveries::STATEMENTS),
    ("delivery_log", delivery_log::STATEMENTS),
    ("disputes", disputes::STATEMENTS),
    ("doors", doors::STATEMENTS),
    ("factories", factories::STATEMENTS),
    ("figures", figures::STATEMENTS),
    ("groups", groups::STATEMENTS),
    ("hardware", hardware::STATEMENTS),
    ("history", history::STATEMENTS),
    ("import_rows", import_rows::STATEMENTS),
    ("imports", imports::STATEMENTS),
    ("intercom_list", intercom_list::STATEMENTS),
    ("intercoms", intercoms::STATEMENTS),
    ("macs", macs::STATEMENTS),
    ("offers", offers::STATEMENTS),
    ("owners", owners::STATEMENTS),
    ("pending", pending::STATEMENTS),
    ("presence", presence::STATEMENTS),
    ("quiet_hours", quiet_hours::STATEMENTS),
    ("replaced", replaced::STATEMENTS),
    ("reports", reports::STATEMENTS),
    ("request_list", request_list::STATEMENTS),
    ("requests", requests::STATEMENTS),
    ("retention", retention::STATEMENTS),
    ("swaps", swaps::STATEMENTS),
    ("seen", seen::STATEMENTS),
    ("sessions", sessions::STATEMENTS),
    ("sightings", sightings::STATEMENTS),
    ("taken", taken::STATEMENTS),
    ("tokens", tokens::STATEMENTS),
    ("webhooks", webhooks::STATEMENTS),
];
