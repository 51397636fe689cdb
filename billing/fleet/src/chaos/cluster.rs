//! Three NATS nodes, two billing processes and PostgreSQL, each a process of its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hyper::Method;
use intercom_test_support::{Directory, Postgres, Process, free_port};
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::faults::Fault;
use super::witness::Witness;
use crate::caller::Caller;
use crate::nats::Nats;
use crate::timings::Timings;

/// How long a node is away.
const NODE_AWAY: Duration = Duration::from_secs(5);
/// How long a process is stopped: longer than its lease lasts.
const STOPPED_FOR: Duration = Duration::from_secs(15);
/// How often it is looked whether something has happened.
const LOOKS_EVERY: Duration = Duration::from_millis(50);
/// The longest that there may be no leader.
const LEADER_WITHIN: Duration = Duration::from_secs(60);

struct Billing {
    http: SocketAddr,
    broker: String,
    process: Option<Process>,
}

pub(super) struct Cluster {
    program: PathBuf,
    _dir: Directory,
    nats: Nats,
    billing: Vec<Billing>,
    postgres: Postgres,
    dead: Timings,
    stopped: Timings,
}

impl Cluster {
    /// Starts the nodes and PostgreSQL.
    pub(super) fn start(program: PathBuf) -> Result<Self> {
        let dir = Directory::new();
        let nats = Nats::start(dir.path())?;
        let postgres = Postgres::start();
        postgres.psql("postgres", "CREATE DATABASE chaos");
        let brokers: Vec<String> =
            nats.mqtt().iter().map(|address| format!("mqtt://{address}")).collect();
        let billing = (0..2).map(|number| Billing {
            http: local(free_port()),
            // Each begins with another node.
            broker: [&brokers[number..], &brokers[..number]].concat().join(","),
            process: None,
        });
        let billing = billing.collect();
        let (dead, stopped) = (Timings::default(), Timings::default());
        Ok(Cluster { program, _dir: dir, nats, billing, postgres, dead, stopped })
    }

    pub(super) fn database(&self) -> String {
        self.postgres.url("chaos")
    }

    pub(super) fn brokers(&self) -> Vec<SocketAddr> {
        self.nats.mqtt()
    }

    pub(super) fn http(&self) -> Vec<SocketAddr> {
        self.billing.iter().map(|billing| billing.http).collect()
    }

    pub(super) fn start_billing(&mut self) {
        for number in 0..self.billing.len() {
            self.start_one(number);
        }
    }

    fn start_one(&mut self, number: usize) {
        let (database, billing) = (self.database(), &mut self.billing[number]);
        let mut command = Command::new(&self.program);
        // Without a grace time: no board here already has its new MAC address.
        command.args(["serve", "--grace-ms", "0", "--listen", &billing.http.to_string()]).args([
            "--broker",
            &billing.broker,
            "--database",
            &database,
        ]);
        billing.process = Some(Process::start("intercom-billing", &mut command));
    }

    /// Which process leads and is connected to the broker, as they say themselves; not one of `but`.
    async fn leader(&self, but: Option<usize>) -> Option<usize> {
        for (number, billing) in self.billing.iter().enumerate() {
            if but != Some(number)
                && timeout(Duration::from_secs(1), leads(billing.http)).await == Ok(true)
            {
                return Some(number);
            }
        }
        None
    }

    pub(super) async fn wait_for_a_leader(&self) -> Result<usize> {
        self.wait_for_a_leader_but(None).await
    }

    async fn wait_for_a_leader_but(&self, but: Option<usize>) -> Result<usize> {
        let begun = Instant::now();
        loop {
            if let Some(number) = self.leader(but).await {
                return Ok(number);
            }
            ensure!(begun.elapsed() < LEADER_WITHIN, "nobody leads");
            sleep(LOOKS_EVERY).await;
        }
    }

    /// Makes one fault, and undoes it.
    pub(super) async fn suffer(&mut self, fault: Fault) -> Result<()> {
        let leader = self.wait_for_a_leader().await?;
        println!("fault              {fault:?}, process {leader} leads");
        let begun = Instant::now();
        match fault {
            Fault::Node(number) => {
                self.nats.kill(number)?;
                sleep(NODE_AWAY).await;
                self.nats.start_again(number);
            }
            Fault::Leader => {
                take(&mut self.billing[leader].process)?.kill();
                self.wait_for_a_leader_but(Some(leader)).await?;
                self.dead.add(begun.elapsed());
                self.start_one(leader);
            }
            Fault::Follower => {
                let other = 1 - leader;
                take(&mut self.billing[other].process)?.kill();
                sleep(NODE_AWAY).await;
                self.start_one(other);
            }
            Fault::StoppedLeader => {
                let process = self.billing[leader].process.take().context("it runs")?;
                process.stop();
                self.wait_for_a_leader_but(Some(leader)).await?;
                self.stopped.add(begun.elapsed());
                sleep(STOPPED_FOR.saturating_sub(begun.elapsed())).await;
                process.go_on();
                self.billing[leader].process = Some(process);
            }
            Fault::Connections => {
                let ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                    WHERE datname = 'chaos' AND pid <> pg_backend_pid()";
                self.postgres.psql("postgres", ended);
            }
            Fault::Postgres => {
                self.postgres.quit();
                self.postgres.start_again();
            }
        }
        Ok(())
    }

    /// Waits until no request is pending.
    pub(super) async fn all_ended(&self, witness: &Witness, limit: Duration) -> Result<Duration> {
        let begun = Instant::now();
        while begun.elapsed() < limit {
            if witness.pending()? == 0 {
                return Ok(begun.elapsed());
            }
            sleep(Duration::from_millis(500)).await;
        }
        Ok(limit)
    }

    /// How long it took until another process led and was connected to the broker.
    pub(super) fn take_overs(&self) -> String {
        format!(
            "taken over         after a leader's death: {}\n                   after it was stopped: {}",
            self.dead, self.stopped
        )
    }
}

async fn leads(http: SocketAddr) -> bool {
    let asked = async {
        let mut caller = Caller::connect(http).await?;
        let answer = caller.call(Method::GET, "/readyz", None).await?;
        let said: Value = serde_json::from_slice(&answer.body)?;
        anyhow::Ok(said["leader"] == "this process" && said["broker"] == "ok")
    };
    asked.await.unwrap_or(false)
}

fn take(process: &mut Option<Process>) -> Result<Process> {
    process.take().context("it runs")
}

fn local(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}
