//! Chaos: three NATS nodes, two billing processes and PostgreSQL carry panels that are replaced all the time,
//! while one thing after the other is killed or stopped. At the end nothing is lost, nothing is done twice,
//! and no two panels have one MAC address.
//!
//! ```text
//! faults (a seed) ──► cluster ◄── operator (PATCHes to both processes, and rivals for one MAC address)
//!                        └──► witness (what the database saw) ──► the verdict
//! ```

mod cluster;
mod faults;
mod operator;
mod witness;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use intercom_billing::store::{Location, Store};
use tokio::time::{sleep_until, timeout};

use crate::fleet::Fleet;
use crate::{identities, processes};
use cluster::Cluster;
use faults::Faults;
use operator::Operator;
use witness::{Verdict, Witness};

/// How long all panels may take to connect.
const CONNECT_WITHIN: Duration = Duration::from_secs(120);
/// How long every request may take to end once all is well again.
const END_WITHIN: Duration = Duration::from_secs(180);

/// The size of the run.
#[derive(Args)]
pub(crate) struct Chaos {
    /// Panels, shared out to the three nodes.
    #[arg(long, value_name = "N", default_value_t = 500)]
    panels: usize,
    /// How long faults are made.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    seconds: u64,
    /// How often one is made.
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    every: u64,
    /// The order of the faults follows from it.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Leave out what keeps the promises, which the run then has to see: the epochs of the leaders, or the
    /// constraints and the lock of the writers.
    #[arg(long, value_name = "WHAT")]
    without: Option<Safeguard>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Safeguard {
    Epochs,
    Constraints,
}

impl Chaos {
    /// Runs it, and prints what it has seen.
    ///
    /// # Errors
    /// A part could not be started, or a promise was broken; or none was where one had to be.
    pub(crate) async fn run(self, program: PathBuf) -> Result<()> {
        processes::allow_connections(4 * self.panels)?;
        let mut cluster = Cluster::start(program.clone())?;
        let database = cluster.database();
        let store = Store::open(Location::new(&database, None)?)?;
        identities::install(&store, self.panels).await?;
        drop(store);
        let witness = Witness::begin(&database, self.without)?;
        cluster.start_billing();
        let fleet = Fleet::start(&program, &cluster.brokers(), self.panels)?;
        let mut connected = fleet.tally.connected();
        timeout(CONNECT_WITHIN, connected.wait_for(|count| *count >= self.panels)).await??;
        println!("connected          {} panels, to three nodes", self.panels);
        cluster.wait_for_a_leader().await?;

        let operator = Operator::start(cluster.http(), self.panels);
        let mut faults = Faults::new(self.seed);
        let end = Instant::now() + Duration::from_secs(self.seconds);
        while Instant::now() < end {
            let next = Instant::now() + Duration::from_secs(self.every);
            cluster.suffer(faults.next()).await?;
            sleep_until(next.min(end).into()).await;
        }
        let asked = operator.stop().await?;
        println!("asked              {asked}");
        let ended_in = cluster.all_ended(&witness, END_WITHIN).await?;
        println!("all ended          {:.1} s after the last fault", ended_in.as_secs_f64());
        println!("{}", cluster.take_overs());
        println!("not as usual       {}", fleet.tally.unusual());
        let verdict = witness.verdict(fleet.tally.installed(), &asked)?;
        println!("{verdict}");
        self.judge(&verdict)
    }

    fn judge(&self, verdict: &Verdict) -> Result<()> {
        let command =
            format!("--seed {} --seconds {} --every {}", self.seed, self.seconds, self.every);
        match self.without {
            None => {
                ensure!(verdict.is_good(), "a promise is broken; {command} makes the same faults")
            }
            Some(_) => ensure!(!verdict.is_good(), "nothing was seen to break; {command}"),
        }
        Ok(())
    }
}
