//! The run: connect, replace, poll, restart the broker. Each figure is printed when it is known.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hyper::Method;
use intercom_billing::store::Store;
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::sleep;

use crate::caller::Caller;
use crate::panel::Fleet;
use crate::polling::Pollers;
use crate::processes::Process;
use crate::timings::Timings;
use crate::watch::Watch;
use crate::{identities, processes, timings, watch};

/// Upper bound on the panels that are connecting at once when the fleet starts.
const CONNECTING: usize = 200;
/// The run fails if nothing happens for this long.
const STANDSTILL: Duration = Duration::from_secs(30);
/// The longest pause of the panels' back-off, and room to connect after it.
const HERD_LIMIT: Duration = Duration::from_secs(240);

/// The size of the fleet, and the steps of the run.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The program whose `serve` is the billing service.
    pub(crate) billing: PathBuf,
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
    let database = dir.path().join("billing.sqlite");
    let store = Store::open(&database)?;
    identities::install(&store, panels + polling).await?;
    drop(store);
    let (broker, http) = (processes::free_port()?, processes::free_port()?);
    let mosquitto = processes::mosquitto(dir.path(), broker).await?;
    let billing =
        processes::billing(&settings.billing, dir.path(), http, &database, broker).await?;
    let mut run = Run { settings, broker, http, database, mosquitto, billing };

    let fleet = run.connect().await?;
    let after = replacements - replacements / 10;
    run.replace("replacements", 0..after).await?;
    run.poll(panels..panels + polling).await?;
    run.restart_broker(dir.path(), &fleet).await?;
    run.replace("after the restart", after..replacements).await?;
    run.tell_memory()
}

struct Run {
    settings: Settings,
    broker: SocketAddr,
    http: SocketAddr,
    database: PathBuf,
    mosquitto: Process,
    billing: Process,
}

impl Run {
    async fn connect(&self) -> Result<Fleet> {
        let panels = self.settings.panels;
        let fleet = Fleet::new(self.broker)?;
        let mut connected = fleet.connected();
        let begun = Instant::now();
        for number in 0..panels {
            let enough = (number + 1).saturating_sub(CONNECTING);
            progress(connected.wait_for(|count| *count >= enough)).await?;
            fleet.add(number)?;
        }
        progress(connected.wait_for(|count| *count >= panels)).await?;
        let took = begun.elapsed().as_secs_f64();
        println!("connected          {panels} panels in {took:.1} s, {:.0}/s", rate(panels, took));
        fleet.take_connections();
        self.until_present(begun).await?;
        Ok(fleet)
    }

    /// Waits until every panel is present in billing.
    async fn until_present(&self, begun: Instant) -> Result<()> {
        let (mut known, mut since) = (0, Instant::now());
        while known < self.settings.panels {
            sleep(Duration::from_millis(100)).await;
            let now = watch::present(&self.database)?;
            if now != known {
                (known, since) = (now, Instant::now());
            } else if since.elapsed() > STANDSTILL {
                break;
            }
        }
        let took = begun.elapsed().as_secs_f64();
        println!("present in billing {known} panels after {took:.1} s");
        ensure!(known == self.settings.panels, "not all panels are present in billing");
        Ok(())
    }

    /// One PATCH after the other; the panels answer meanwhile.
    async fn replace(&self, what: &str, numbers: std::ops::Range<usize>) -> Result<()> {
        let mut watch = Watch::start(self.broker).await?;
        let begun = Instant::now();
        let (asked, answered) = self.ask_for(numbers.clone()).await?;
        let cleared = watch.all_of(numbers.clone(), STANDSTILL).await?;
        let last = cleared.values().max().map_or(begun, |at| *at);
        let took = (last - begun).as_secs_f64();
        let mut installed = Timings::default();
        for (number, asked) in numbers.clone().zip(asked) {
            if let Some(at) = cleared.get(&number) {
                installed.add(*at - asked);
            }
        }
        let count = self.installed(numbers.clone()).await?;
        let lost = numbers.len() - count;
        println!(
            "{what:<18} {count} of {} installed in {took:.1} s, {:.0}/s; reports lost: {lost}\n  \
             PATCH answered   {answered}\n  PATCH to settled {installed}",
            numbers.len(),
            rate(count, took),
        );
        ensure!(lost == 0, "{lost} reports are lost");
        Ok(())
    }

    /// Sends a PATCH for each panel. Returns when each was sent, and how long the answers took.
    async fn ask_for(&self, numbers: std::ops::Range<usize>) -> Result<(Vec<Instant>, Timings)> {
        let mut operator = Caller::connect(self.http).await?;
        let (mut asked, mut answered) = (Vec::new(), Timings::default());
        for number in numbers {
            asked.push(Instant::now());
            let body = identities::patch(number)?;
            let path = "/api/v1/billing/intercoms";
            let answer = operator.call(Method::PATCH, path, Some(&body)).await?;
            ensure!(answer.status.is_success(), "PATCH: {} {:?}", answer.status, answer.body);
            answered.add(answer.took);
        }
        Ok((asked, answered))
    }

    /// How many of these panels billing shows as installed under their new identity.
    async fn installed(&self, numbers: std::ops::Range<usize>) -> Result<usize> {
        let mut operator = Caller::connect(self.http).await?;
        let mut count = 0;
        for number in numbers {
            let new = identities::new(number)?;
            let path = format!("/api/v1/billing/intercoms/show?mac={}", new.mac);
            let answer = operator.call(Method::GET, &path, None).await?;
            let shown: Value = serde_json::from_slice(&answer.body)?;
            let serial_number = new.serial_number.map(|serial_number| serial_number.to_string());
            if shown["status"] == "installed"
                && shown["serial_number"].as_str() == serial_number.as_deref()
            {
                count += 1;
            }
        }
        Ok(count)
    }

    async fn poll(&self, numbers: std::ops::Range<usize>) -> Result<()> {
        if numbers.is_empty() {
            return Ok(());
        }
        let pollers = Pollers::start(self.http, numbers.clone());
        let until = Instant::now() + self.settings.poll_for;
        let replaced = numbers.start..numbers.start + numbers.len().div_ceil(10);
        self.ask_for(replaced.clone()).await?;
        sleep(until.saturating_duration_since(Instant::now())).await;
        let polled = pollers.stop().await?;
        let took = polled.took.as_secs_f64();
        let lost = replaced.len() - self.installed(replaced.clone()).await?;
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

    async fn restart_broker(&mut self, dir: &Path, fleet: &Fleet) -> Result<()> {
        let away = self.settings.broker_away;
        self.mosquitto.stop().await?;
        sleep(away).await;
        fleet.take_connections();
        let back = Instant::now();
        self.mosquitto = processes::mosquitto(dir, self.broker).await?;
        let mut connected = fleet.connected();
        let panels = self.settings.panels;
        let all = connected.wait_for(|count| *count >= panels);
        tokio::time::timeout(HERD_LIMIT, all).await.context("not all panels come back")??;
        let times: Vec<Duration> =
            fleet.take_connections().iter().map(|at| at.saturating_duration_since(back)).collect();
        let took = times.iter().max().copied().unwrap_or_default().as_secs_f64();
        println!(
            "broker restarted   away for {:.1} s; all {panels} panels back {took:.1} s after its start; \
             connections in each second:\n{}",
            away.as_secs_f64(),
            timings::curve(&times)
        );
        self.until_present(back).await
    }

    fn tell_memory(&self) -> Result<()> {
        println!("memory             billing   {}", self.billing.memory()?);
        println!("                   mosquitto {}", self.mosquitto.memory()?);
        println!("                   simulator {}", processes::memory(std::process::id())?);
        Ok(())
    }
}

async fn progress<T>(
    wanted: impl Future<Output = Result<T, tokio::sync::watch::error::RecvError>>,
) -> Result<()> {
    tokio::time::timeout(STANDSTILL, wanted).await.context("the panels do not connect")??;
    Ok(())
}

fn rate(count: usize, seconds: f64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / seconds.max(0.001)
}
