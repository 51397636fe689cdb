//! What PostgreSQL alone does, on a real server.

use intercom_test_support::Postgres;

use super::placeholders::numbered;
use super::*;
use crate::store::engine::Param;
use crate::store::every_statement::MODULES;

/// The parameters of a statement by name, in any order: how many there are matters here, not their values.
fn names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in text.match_indices(':') {
        let end = text[at + 1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let name = &text[at..end.map_or(text.len(), |end| at + 1 + end)];
        if name.len() > 1 && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// Every scan of a whole table: of one row, of what is wanted whole, or up to a limit.
const SCANS: [&str; 11] = [
    "boards::SINCE: service",
    "boards::SET_SINCE: service",
    "offers::ISSUER: service",
    "offers::CLIENT_ID: service",
    "pending::BY_ID: service",
    "pending::FOR_A_SPARE: service",
    "pending::FOR_A_CALLER: service",
    "retention::DAYS: service",
    "retention::SET_DAYS: service",
    "webhooks::OFFLINE_SINCE: webhooks",
    "webhooks::NEXT_OFFLINE: webhooks",
];

/// What a statement scans where no index leads to it: the planner takes any index that does.
fn scans(client: &mut postgres::Client, text: &str) -> Result<Vec<String>, postgres::Error> {
    client.batch_execute(&format!("PREPARE explained AS {text}"))?;
    let count = client.query_one(
        "SELECT coalesce(cardinality(parameter_types), 0) FROM pg_prepared_statements
         WHERE name = 'explained'",
        &[],
    )?;
    let nulls = vec!["NULL"; count.get::<_, i32>(0) as usize].join(", ");
    let values = if nulls.is_empty() { nulls } else { format!("({nulls})") };
    let plan = client.query(&format!("EXPLAIN EXECUTE explained{values}"), &[])?;
    client.batch_execute("DEALLOCATE explained")?;
    let scanned = plan.iter().filter_map(|row| {
        row.get::<_, String>(0)
            .split_once("Seq Scan on ")
            .map(|(_, table)| table.split(' ').next().unwrap_or_default().to_owned())
    });
    Ok(scanned.collect())
}

#[test]
fn postgres_takes_every_statement_and_reads_no_whole_table_that_grows() {
    let server = Postgres::start();
    let server = Server::new(&server.url("postgres"), None).expect("a URL");
    prepare(&server).expect("the tables");
    let mut client = server.connect().expect("a connection");
    client
        .batch_execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan")
        .expect("settings");
    let mut found = Vec::new();
    for (module, statements) in MODULES {
        for (name, sql) in statements {
            let names = names(sql.postgres());
            let params = names.iter().map(|name| Param { name: Some(name), value: &0 });
            let text = numbered(sql.postgres(), &params.collect::<Vec<_>>());
            match scans(&mut client, &text) {
                Ok(scans) => {
                    found.extend(scans.iter().map(|table| format!("{module}::{name}: {table}")));
                }
                Err(why) => found.push(format!("{module}::{name}: {why:?}")),
            }
        }
    }
    assert_eq!(found, SCANS);
}
