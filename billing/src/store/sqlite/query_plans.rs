//! How SQLite carries out each statement of the store: never by reading a whole table that grows.

use rusqlite::Connection;

use super::schema;
use crate::store::every_statement::MODULES;
use crate::store::statement::Sql;

/// Every scan that there is: of one row, of what is wanted whole, or up to a limit.
const SCANS: [&str; 34] = [
    "boards::SINCE: service",
    "boards::SET_SINCE: service",
    "by_hand::ALL: by_hand USING INDEX by_hand_by_arrival",
    "by_hand::MAKE_ROOM: by_hand USING INDEX by_hand_by_arrival",
    "credentials::ANY: credentials",
    "deliveries::EVERY_WEBHOOK: webhooks",
    "disputes::DISPUTED: boards USING INDEX disputed_claims",
    "figures::PENDING: requests USING COVERING INDEX pending_requests_in_order",
    "figures::PENDING: p",
    "history::NEWEST: r",
    "imports::RUNNING: imports USING INDEX running_imports",
    // FTS5 looks the words up in its own index (M), from an ID on (>).
    "intercom_list::WITH_WORDS: titles VIRTUAL TABLE INDEX 64:M1>",
    "offers::EVERY_OPEN_REQUEST: requests USING INDEX pending_requests_in_order",
    "offers::EVERY_OPEN_REQUEST: offers USING COVERING INDEX open_offers",
    "offers::ISSUER: service",
    "offers::CLIENT_ID: service",
    "pending::BY_ID: service",
    "pending::FOR_A_SPARE: requests USING COVERING INDEX pending_requests_in_order",
    "pending::FOR_A_SPARE: service",
    "pending::FOR_A_CALLER: service",
    "quiet_hours::LIST: quiet_hours",
    // What the indices have found is sorted.
    "replaced::ON_LINE: (subquery-4)",
    "replaced::ON_LINE: first_pairs",
    "replaced::AT_A_DOOR: (subquery-4)",
    "replaced::AT_A_DOOR: first_pairs",
    "request_list::OLDEST_PENDING: requests USING COVERING INDEX pending_requests_in_order",
    "retention::DAYS: service",
    "retention::SET_DAYS: service",
    "tokens::ANY: tokens USING COVERING INDEX sqlite_autoindex_tokens_1",
    "tokens::LIST: tokens",
    "webhooks::COUNT: webhooks",
    "webhooks::RECEIVERS: webhooks",
    "webhooks::LIST: webhooks",
    "webhooks::OFFLINE_SINCE: webhooks",
];

/// What a statement scans, as SQLite itself says. An automatic index is made by a scan, too.
fn scans(connection: &Connection, sql: Sql) -> Vec<String> {
    let mut explained = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {}", sql.sqlite()))
        .unwrap_or_else(|why| panic!("{why}: {}", sql.sqlite()));
    let steps = explained.raw_query().mapped(|row| row.get::<_, String>("detail"));
    let steps: Vec<String> = steps.collect::<Result<_, _>>().expect("a query plan");
    let scanned = steps.iter().filter_map(|step| match step.strip_prefix("SCAN ") {
        Some("CONSTANT ROW") => None,
        None if step.contains("AUTOMATIC") => Some(step.as_str()),
        scanned => scanned,
    });
    scanned.map(str::to_owned).collect()
}

#[test]
fn no_statement_reads_a_whole_table_that_grows() {
    let mut connection = Connection::open_in_memory().expect("a database");
    schema::prepare(&mut connection).expect("the tables");
    let mut found = Vec::new();
    for (module, statements) in MODULES {
        for (name, sql) in statements {
            let scans = scans(&connection, *sql).into_iter();
            found.extend(scans.map(|scanned| format!("{module}::{name}: {scanned}")));
        }
    }
    assert_eq!(found, SCANS);
}

#[test]
fn a_scan_is_seen() {
    let mut connection = Connection::open_in_memory().expect("a database");
    schema::prepare(&mut connection).expect("the tables");
    let either = Sql::new("SELECT id FROM intercoms WHERE ?1 IN (confirmed_mac, desired_mac)");
    assert_eq!(scans(&connection, either), ["intercoms"]);
}
