//! What PostgreSQL alone does, on a real server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use intercom_test_support::Postgres;

use super::placeholders::numbered;
use super::*;
use crate::store::engine::Param;
use crate::store::every_statement::MODULES;
use crate::store::intercoms::{self, Details};
use crate::store::taken::{self, Among};
use crate::store::tests::{carried, in_store};
use crate::store::{Error, Location, Store, Transaction, retention};

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

/// Makes an intercom with the serial number `S1`, unless one has it. Between the look and the write something else
/// happens.
fn make_unless_there(store: &Store, last: u8, between: impl FnOnce() + Send + 'static) {
    in_store(store, move |t| {
        let carried = carried(last, "S1");
        let is_taken = taken::by_another(t, Among::All, &carried.identity, None)?.serial_number;
        between();
        if !is_taken {
            intercoms::insert(t, &carried, &Details::default(), 1)?;
        }
        Ok(())
    });
}

#[test]
fn what_a_process_has_read_stays_true_until_its_commit_whatever_another_one_writes() {
    let server = Postgres::start();
    let url = server.url("postgres");
    let open = || Store::open(Location::new(&url, None).expect("a URL")).expect("a store");
    let (one, other) = (open(), open());
    let mut outside = Server::new(&url, None).expect("a URL").connect().expect("a connection");
    let mut other_waits = move || {
        let waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'advisory'";
        !outside.query(waits, &[]).expect("an answer").is_empty()
    };
    let is_done = Arc::new(AtomicBool::new(false));
    let other_is_done = Arc::clone(&is_done);
    let (looked, has_looked) = channel();
    let second = thread::spawn(move || {
        has_looked.recv().expect("the first one looks");
        make_unless_there(&other, 2, || ());
        is_done.store(true, Ordering::Relaxed);
    });
    make_unless_there(&one, 1, move || {
        looked.send(()).expect("the second one waits");
        while !other_waits() && !other_is_done.load(Ordering::Relaxed) {
            thread::yield_now();
        }
    });
    second.join().expect("a write");
    assert_eq!(server.psql("postgres", "SELECT count(*) FROM intercoms"), "1");
}

#[test]
fn what_an_older_leader_writes_is_refused() {
    let server = Postgres::start();
    let location = Location::new(&server.url("postgres"), None).expect("a URL");
    let store = Store::open(location).expect("a store");
    let (mut lease, _given_back) = store.lease().expect("a thread").expect("it is shared");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let led = store.led(&lease.won().await);
        let set = |days| move |t: &Transaction<'_>| retention::set_days(t, days);
        led.write(set(7)).await.expect("it leads");
        server.psql(
            "postgres",
            "UPDATE leader SET epoch = epoch + 1, holder = 'another', ends = now() + interval '1 hour'",
        );
        let refused = led.write(set(8)).await;
        assert!(matches!(refused, Err(Error::Deposed(1))), "{refused:?}");
        assert_eq!(store.read(retention::days).await.expect("read"), 7);
        // Whatever anybody may do, a process that does not lead may, too.
        store.write(set(9)).await.expect("written");
    });
}
