//! The run: connect, replace, poll, restart the broker. Each figure is printed when it is known.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use intercom_billing::store::Store;
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use crate::fleet::Fleet;
use crate::messages::MessageLog;
use crate::polling::Pollers;
use crate::replacing::{ask_for, count_installed, replace};
use crate::servers::{Broker, Servers};
use crate::timings::rate;
use crate::{identities, processes, timings, watch};

/// The run fails if nothing happens for this long: longer than a request may wait for a board that was just lost.
const STANDSTILL: Duration = Duration::from_secs(180);
/// The longest pause of the panels' back-off, and room to connect after it: nodes of NATS take about a hundred in a
/// second.
const HERD_LIMIT: Duration = Duration::from_secs(600);
/// Over which time all panels answer the question who is there, and what is left to arrive then.
const ALL_HAVE_ANSWERED: Duration = Duration::from_secs(65);
/// How long messages may still be under way.
const ON_THEIR_WAY: Duration = Duration::from_secs(2);

/// The size of the fleet, and the steps of the run.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The program whose `serve` is the billing service.
    pub(crate) billing: PathBuf,
    /// Which broker.
    pub(crate) broker: Broker,
    /// Panels on the broker.
    pub(crate) panels: usize,
    /// How many of them are replaced, one PATCH after the other.
    pub(crate) replacements: usize,
    /// Panels that poll over HTTP.
    pub(crate) polling: usize,
    /// How long they poll.
    pub(crate) poll_for: Duration,
    /// How long the broker is away.
    pub(crate) broker_away: Duration,
    /// After the restart, panels are replaced before all are present again.
    pub(crate) replace_at_once: bool,
}

/// Runs every step and prints the figures.
///
/// # Errors
/// A part could not be started, a report was lost, or a panel has not come back.
pub(crate) async fn run(settings: Settings) -> Result<()> {
    let Settings { panels, replacements, polling, .. } = settings;
    ensure!(replacements <= panels, "{replacements} of {panels} panels cannot be replaced");
    processes::allow_connections(panels + polling)?;
    let dir = TempDir::with_prefix("intercom-fleet-")?;
    let database = Servers::database(dir.path());
    let store = Store::open(&database)?;
    identities::install(&store, panels + polling).await?;
    drop(store);
    let servers = Servers::start(settings.billing.clone(), dir.path(), settings.broker).await?;
    let is_logging = settings.broker == Broker::LoggingMosquitto;
    let messages = is_logging.then(|| MessageLog::new(Servers::mosquitto_log(dir.path())));
    let begun = Instant::now();
    let fleet = Fleet::start(&settings.billing, &servers.mqtt, panels)?;
    let mut run = Run { settings, database, servers, fleet, messages };

    run.connected(begun).await?;
    run.tell_messages("panel that connects", panels).await?;
    let before = replacements - replacements / 10;
    replace(&run.servers, "replacements", 0..before, STANDSTILL).await?;
    run.tell_messages("replacement", before).await?;
    run.poll(panels..panels + polling).await?;
    run.restart_broker().await?;
    replace(&run.servers, "after the restart", before..replacements, STANDSTILL).await?;
    run.tell_messages("replacement", replacements - before).await?;
    run.tell_memory()
}

struct Run {
    settings: Settings,
    database: PathBuf,
    servers: Servers,
    fleet: Fleet,
    messages: Option<MessageLog>,
}

impl Run {
    async fn connected(&self, begun: Instant) -> Result<()> {
        let panels = self.settings.panels;
        self.all_connected().await.context("not all panels connect")?;
        let took = begun.elapsed().as_secs_f64();
        println!("connected          {panels} panels in {took:.1} s, {:.0}/s", rate(panels, took));
        until_present(&self.database, panels, begun).await
    }

    async fn all_connected(&self) -> Result<()> {
        let mut connected = self.fleet.tally.connected();
        let all = connected.wait_for(|count| *count >= self.settings.panels);
        timeout(HERD_LIMIT, all).await??;
        Ok(())
    }

    async fn poll(&self, numbers: std::ops::Range<usize>) -> Result<()> {
        if numbers.is_empty() {
            return Ok(());
        }
        let http = self.servers.http;
        let pollers = Pollers::start(http, numbers.clone());
        let until = Instant::now() + self.settings.poll_for;
        let replaced = numbers.start..numbers.start + numbers.len().div_ceil(10);
        ask_for(http, replaced.clone()).await?;
        sleep(until.saturating_duration_since(Instant::now())).await;
        let polled = pollers.stop().await?;
        let took = polled.took.as_secs_f64();
        let lost = replaced.len() - count_installed(http, replaced.clone()).await?;
        println!(
            "polling            {} panels, {:.0} requests/s for {took:.1} s; {} replaced, reports lost: {lost}\n  \
             pending          {}\n  status           {}",
            numbers.len(),
            rate(polled.pending.count() + polled.status.count(), took),
            replaced.len(),
            polled.pending,
            polled.status,
        );
        ensure!(lost == 0, "{lost} reports are lost");
        Ok(())
    }

    async fn restart_broker(&mut self) -> Result<()> {
        let away = self.settings.broker_away;
        self.fleet.tally.take_connections();
        // Where one node of several is gone, the panels go to another one.
        let is_cluster = self.settings.broker == Broker::Nats;
        let gone = Instant::now();
        self.servers.stop_broker().await?;
        sleep(away).await;
        let back = if is_cluster { gone } else { Instant::now() };
        self.servers.start_broker().await?;
        let panels = self.settings.panels;
        self.all_connected().await.context("not all panels come back")?;
        let connections = self.fleet.tally.take_connections();
        let times: Vec<Duration> =
            connections.iter().map(|at| at.saturating_duration_since(back)).collect();
        let took = times.iter().max().copied().unwrap_or_default().as_secs_f64();
        println!(
            "{:<18} away for {:.1} s; all {panels} panels back {took:.1} s after its {}, {} of them on a new \
             connection; connections in each second:\n{}",
            if is_cluster { "node killed" } else { "broker restarted" },
            away.as_secs_f64(),
            if is_cluster { "end" } else { "start" },
            times.len(),
            timings::curve(&times)
        );
        if self.settings.replace_at_once {
            return Ok(());
        }
        until_present(&self.database, panels, back).await?;
        if self.messages.is_some() {
            sleep(ALL_HAVE_ANSWERED.saturating_sub(back.elapsed())).await;
        }
        self.tell_messages("panel at the restart", panels).await
    }

    async fn tell_messages(&mut self, what: &str, units: usize) -> Result<()> {
        if let Some(messages) = &mut self.messages {
            sleep(ON_THEIR_WAY).await;
            print!("  messages for each {what}\n{}", messages.table(units)?);
        }
        Ok(())
    }

    fn tell_memory(&self) -> Result<()> {
        println!("not as usual       {}", self.fleet.tally.unusual());
        let simulators = self.fleet.memory()?.into_iter().map(|memory| ("panels", memory));
        for (name, memory) in self.servers.memory()?.into_iter().chain(simulators) {
            println!("memory             {name:<9} {memory}");
        }
        Ok(())
    }
}

/// Waits until every panel is present in billing.
async fn until_present(database: &Path, panels: usize, begun: Instant) -> Result<()> {
    let (mut known, mut since) = (0, Instant::now());
    while known < panels {
        sleep(Duration::from_millis(100)).await;
        let now = watch::present(database)?;
        if now != known {
            (known, since) = (now, Instant::now());
        } else if since.elapsed() > STANDSTILL {
            break;
        }
    }
    let took = begun.elapsed().as_secs_f64();
    println!("present in billing {known} panels after {took:.1} s");
    ensure!(known == panels, "not all panels are present in billing");
    Ok(())
}
