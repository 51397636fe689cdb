//! What one call to billing costs among many records: one caller measures how long each answer takes.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use clap::Args;
use hyper::Method;
use intercom_billing::store::copy::copy;
use intercom_billing::store::{Location, Store};
use intercom_test_support::Postgres;
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::caller::Caller;
use crate::identities::{self, MODEL};
use crate::polling::PollingPanel;
use crate::servers::{Broker, Servers};
use crate::timings::Timings;

/// How often each call is measured.
const CALLS: usize = 100;
/// How many replace at once while the rate is measured.
const CALLERS: usize = 8;
const READY_WITHIN: Duration = Duration::from_secs(30);
const INTERCOMS: &str = "/api/v1/billing/intercoms";

/// How many records there are.
#[derive(Debug, Clone, Args)]
pub(crate) struct Records {
    /// Intercoms.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    intercoms: usize,
    /// Requests that have ended, of all intercoms in turn.
    #[arg(long, value_name = "N", default_value_t = 0)]
    ended: usize,
    /// Pending requests, one for each of the last intercoms.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pending: usize,
    /// On PostgreSQL in place of a file: the records are copied into it.
    #[arg(long)]
    postgres: bool,
    /// How many billing processes the callers are shared out to; more than one only with PostgreSQL.
    #[arg(long, value_name = "N", default_value_t = 1, requires = "postgres")]
    processes: usize,
    /// How long eight callers then replace panel after panel; each panel is replaced once.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    sustained: u64,
}

/// Measures each call and prints the figures.
///
/// # Errors
/// A part could not be started, or an answer is not the expected one.
pub(crate) async fn run(billing: PathBuf, records: Records) -> Result<()> {
    let Records { intercoms, ended, pending, sustained, postgres, processes } = records;
    ensure!(intercoms >= pending + 2 * CALLS, "too few intercoms for {pending} pending requests");
    let dir = TempDir::with_prefix("intercom-cost-")?;
    let database = Servers::database(dir.path());
    let store = Store::open(&database)?;
    identities::install(&store, intercoms).await?;
    drop(store);
    add_requests(&database, &records)?;
    // Otherwise the first calls wait until the disk has the records.
    File::open(&database)?.sync_all()?;
    let postgres = postgres.then(Postgres::start);
    let name = match &postgres {
        Some(server) => copied(&database, server)?,
        None => database.display().to_string(),
    };
    let servers = Servers::start_on(billing, dir.path(), Broker::Mosquitto, name).await?;
    let (mut others, mut http) = (Vec::new(), vec![servers.http]);
    for _ in 1..processes {
        let (process, address) = servers.another().await?;
        others.push(process);
        http.push(address);
    }
    for address in &http {
        ready(*address).await?;
    }
    println!("{intercoms} intercoms, {ended} requests ended, {pending} pending");
    measure(&mut Caller::connect(servers.http).await?).await?;
    if sustained > 0 {
        let numbers = 2 * CALLS..intercoms - pending;
        measure_rate(&http, numbers, Duration::from_secs(sustained)).await?;
    }
    for (name, memory) in servers.memory()? {
        println!("memory           {name:<9} {memory}");
    }
    Ok(())
}

/// The records in a new PostgreSQL database, by the means that an operator has.
fn copied(file: &Path, server: &Postgres) -> Result<String> {
    server.psql("postgres", "CREATE DATABASE cost");
    let url = server.url("cost");
    let Location::Postgres(to) = Location::new(&url, None)? else { bail!("it is a URL") };
    let begun = Instant::now();
    // The library has an asynchronous runtime of its own, which cannot begin inside another one.
    let copied = thread::scope(|scope| scope.spawn(|| copy(file, &to, |_| Ok(()))).join());
    copied.unwrap_or_else(|_| bail!("the copy has panicked"))?;
    println!("copied           in {:.1} s", begun.elapsed().as_secs_f64());
    Ok(url)
}

fn add_requests(database: &Path, records: &Records) -> Result<()> {
    let database = Connection::open(database)?;
    let count = |count: usize| i64::try_from(count).context("too many records");
    // An intercom's hardware was exchanged for other hardware each time.
    let mac = |number: &str| {
        let octet = |shift| format!("({number}) >> {shift} & 255");
        let [a, b, c, d] = [24, 16, 8, 0].map(octet);
        format!("printf('12:00:%02X:%02X:%02X:%02X', {a}, {b}, {c}, {d})")
    };
    let (before, after) = (mac("n"), mac("n + ?2"));
    let (intercoms, ended) = (count(records.intercoms)?, count(records.ended)?);
    let first_pending = intercoms - count(records.pending)? + 1;
    database.execute(
        &format!(
            "WITH RECURSIVE n (n) AS
             (SELECT 1 WHERE ?1 > 0 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
         INSERT INTO requests (request_id, intercom_id, seq, new_mac, from_mac, to_mac, state,
             asked_ms, ended_ms)
         SELECT 'ended-' || n, i.id, 1, {after}, {before}, {after}, 'installed', 0, 0
         FROM n JOIN intercoms i ON i.id = 1 + n % ?2"
        ),
        [ended, intercoms],
    )?;
    database.execute(
        "UPDATE intercoms SET desired_mac = '0A' || substr(confirmed_mac, 3), status = 'pending'
         WHERE id >= ?1",
        [first_pending],
    )?;
    database.execute(
        "INSERT INTO requests (request_id, intercom_id, seq, named_id, new_mac, from_mac, to_mac,
             to_model, state, asked_ms)
         SELECT 'pending-' || id, id, 1, id, desired_mac, confirmed_mac, desired_mac,
             confirmed_model, 'pending', 0
         FROM intercoms WHERE id >= ?1",
        [first_pending],
    )?;
    Ok(())
}

/// Returns when the service can do its work: what is asked for before has to wait.
async fn ready(http: SocketAddr) -> Result<()> {
    let begun = Instant::now();
    let mut caller = Caller::connect(http).await?;
    while !caller.call(Method::GET, "/readyz", None).await?.status.is_success() {
        ensure!(begun.elapsed() < READY_WITHIN, "it is not ready");
        sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

async fn measure(caller: &mut Caller) -> Result<()> {
    let (mut show, mut replacement) = (Timings::default(), Replacement::default());
    let (mut post, mut list) = (Timings::default(), Timings::default());
    for number in 0..CALLS {
        let path = format!("{INTERCOMS}/show?mac={}", identities::old(number)?.mac);
        call(caller, &mut show, Method::GET, &path, None).await?;
        replace(caller, number, &mut replacement).await?;
        let body = json!({"mac": identities::spare(number)?, "model": MODEL});
        call(caller, &mut post, Method::POST, INTERCOMS, Some(&body)).await?;
        call(caller, &mut list, Method::GET, "/api/v1/agent/requests", None).await?;
    }
    for (what, timings) in [
        ("GET show?mac", show),
        ("PATCH new_mac", replacement.patch),
        ("GET pending", replacement.poll),
        ("POST status", replacement.report),
        ("POST intercoms", post),
        ("GET requests", list),
    ] {
        println!("{what:<16} {timings}");
    }
    Ok(())
}

/// Replaces panel after panel by [`CALLERS`] at once, until the time is over or all are replaced.
async fn measure_rate(
    billing: &[SocketAddr],
    numbers: std::ops::Range<usize>,
    time: Duration,
) -> Result<()> {
    let begun = Instant::now();
    let mut callers = JoinSet::new();
    for first in 0..CALLERS {
        let mut mine = numbers.clone().skip(first).step_by(CALLERS);
        let billing = billing[first % billing.len()];
        callers.spawn(async move {
            let mut caller = Caller::connect(billing).await?;
            let (mut replacement, mut replaced) = (Replacement::default(), 0_u32);
            while begun.elapsed() < time
                && let Some(number) = mine.next()
            {
                replace(&mut caller, number, &mut replacement).await?;
                replaced += 1;
            }
            anyhow::Ok(replaced)
        });
    }
    let mut replaced = 0;
    while let Some(caller) = callers.join_next().await {
        replaced += caller??;
    }
    let took = begun.elapsed().as_secs_f64();
    let rate = f64::from(replaced) / took;
    println!("sustained        {rate:.0} PATCH and as many reports per second for {took:.0} s");
    Ok(())
}

/// How long the calls of a replacement took: one PATCH, the request that the panel polls, its report.
#[derive(Default)]
struct Replacement {
    patch: Timings,
    poll: Timings,
    report: Timings,
}

async fn replace(caller: &mut Caller, number: usize, timings: &mut Replacement) -> Result<()> {
    let Replacement { patch, poll, report } = timings;
    let mut panel = PollingPanel::new(number)?;
    let body = identities::patch(number)?;
    call(caller, patch, Method::PATCH, INTERCOMS, Some(&body)).await?;
    let path = format!("{}&id={}", panel.pending(), number + 1);
    let pending = call(caller, poll, Method::GET, &path, None).await?;
    let body = panel.carry_out(&pending)?.pop().context("no request is pending")?;
    call(caller, report, Method::POST, "/api/v1/agent/status", Some(&body)).await?;
    Ok(())
}

async fn call(
    caller: &mut Caller,
    timings: &mut Timings,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<Bytes> {
    let answer = caller.call(method, path, body).await?;
    ensure!(answer.status.is_success(), "{path}: {} {:?}", answer.status, answer.body);
    timings.add(answer.took);
    Ok(answer.body)
}
