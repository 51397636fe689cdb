//! Who leads: the one process that speaks to the broker. It holds a lease in the database, by the
//! database's clock, and each lease has an epoch of its own, which whatever the leader writes names.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use postgres::Client;
use tokio::sync::{oneshot, watch};
use tokio::time::{sleep_until, timeout};

use super::server::{Server, holder};
use crate::store::Result;

/// How long a lease lasts. When its holder dies, another leads within this time and a look.
const LASTS: Duration = Duration::from_secs(4);
/// How much earlier its holder gives it up by itself.
const MARGIN: Duration = Duration::from_millis(500);
/// How long a process that ends waits until its lease is given back.
const GIVEN_BACK_WITHIN: Duration = Duration::from_secs(2);
/// How often it is renewed, and how often the others look whether it has ended.
const EVERY: Duration = Duration::from_millis(500);

/// One process's part in the choice of the leader. It ends when this is dropped.
pub struct Lease {
    standing: watch::Receiver<Standing>,
    /// The thread ends when this is dropped.
    _held: Sender<()>,
}

/// Tells when a lease that was dropped is given back.
pub struct GivenBack(oneshot::Receiver<()>);

impl GivenBack {
    /// Returns when another process may lead at once, or soon.
    pub async fn wait(self) {
        // Without an answer the lease ends by itself.
        let _ = timeout(GIVEN_BACK_WITHIN, self.0).await;
    }
}

/// Who leads, as far as this process knows.
#[derive(Debug, Clone)]
pub enum Standing {
    /// This one.
    Leads(Lead),
    /// Another one.
    Follows,
    /// The database was not asked yet, or does not answer.
    Unknown,
}

/// A lease that this process holds, or has held.
#[derive(Debug, Clone)]
pub struct Lead {
    epoch: i64,
    ends: Arc<Mutex<Instant>>,
}

impl Lease {
    /// Takes part in the choice from now on.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(in crate::store) fn start(server: Server) -> std::io::Result<(Self, GivenBack)> {
        let (standing_in, standing) = watch::channel(Standing::Unknown);
        let mut contender =
            Contender { server, holder: holder(), client: None, standing: standing_in };
        let thread = thread::Builder::new().name("lease".to_owned());
        let (held, is_held) = channel();
        let (given_back_in, given_back) = oneshot::channel();
        thread.spawn(move || {
            contender.run(&is_held);
            // Nobody may wait for it.
            let _ = given_back_in.send(());
        })?;
        Ok((Lease { standing, _held: held }, GivenBack(given_back)))
    }

    /// Returns when this process leads.
    pub async fn won(&mut self) -> Lead {
        loop {
            if let Standing::Leads(lead) = self.standing.borrow_and_update().clone()
                && lead.holds()
            {
                return lead;
            }
            if self.standing.changed().await.is_err() {
                // The thread has panicked: this process never leads again.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Who leads.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }
}

impl Lead {
    /// Rises with each leader.
    pub fn epoch(&self) -> i64 {
        self.epoch
    }

    /// Whether it has not ended. A process that was stopped and goes on sees it at once.
    pub fn holds(&self) -> bool {
        Instant::now() < self.ends()
    }

    /// Returns when it has ended.
    pub async fn ended(&self) {
        while self.holds() {
            sleep_until(self.ends().into()).await;
        }
    }

    fn ends(&self) -> Instant {
        *self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_end(&self, ends: Instant) {
        *self.ends.lock().unwrap_or_else(PoisonError::into_inner) = ends;
    }
}

struct Contender {
    server: Server,
    holder: String,
    client: Option<Client>,
    standing: watch::Sender<Standing>,
}

impl Contender {
    fn run(&mut self, is_held: &Receiver<()>) {
        loop {
            if let Err(why) = self.look() {
                tracing::debug!("the lease cannot be looked at: {why}");
                self.client = None;
                if self.held().is_none() {
                    self.standing.send_replace(Standing::Unknown);
                }
            }
            if is_held.recv_timeout(EVERY) == Err(RecvTimeoutError::Disconnected) {
                break;
            }
        }
        // The next leader need not wait for the end of the lease.
        if let (Some(lead), Some(client)) = (self.held(), &mut self.client) {
            let text = "UPDATE leader SET ends = clock_timestamp() WHERE epoch = $1";
            if let Err(why) = client.execute(text, &[&lead.epoch]) {
                tracing::debug!("the lease was not given back: {why}");
            }
        }
    }

    /// The lease that this process was given last, if no other one is known to lead.
    fn held(&self) -> Option<Lead> {
        match &*self.standing.borrow() {
            Standing::Leads(lead) => Some(lead.clone()),
            Standing::Follows | Standing::Unknown => None,
        }
    }

    fn look(&mut self) -> Result<()> {
        let held = self.held();
        let client = match &mut self.client {
            Some(client) if !client.is_closed() => client,
            _ => {
                let mut client = self.server.connect()?;
                // Whoever holds the row is stopped, or commits within a moment.
                client.batch_execute("SET statement_timeout = '2s'")?;
                self.client.insert(client)
            }
        };
        // Before the server is asked: its own clock begins later.
        let ends = Instant::now() + LASTS - MARGIN;
        let lasts = i64::try_from(LASTS.as_millis()).unwrap_or(i64::MAX);
        if let Some(held) = held {
            let renewed = client.execute(
                "UPDATE leader SET ends = clock_timestamp() + $2::bigint * interval '1 ms'
                 WHERE epoch = $1",
                &[&held.epoch, &lasts],
            )?;
            if renewed > 0 {
                held.set_end(ends);
                // Whoever waits looks again: it may have ended in between.
                self.standing.send_replace(Standing::Leads(held));
                return Ok(());
            }
        }
        let taken = client.query_opt(
            "UPDATE leader SET epoch = epoch + 1, holder = $1,
                 ends = clock_timestamp() + $2::bigint * interval '1 ms'
             WHERE ends < clock_timestamp() RETURNING epoch",
            &[&self.holder, &lasts],
        )?;
        self.standing.send_replace(match taken {
            Some(row) => {
                let ends = Arc::new(Mutex::new(ends));
                Standing::Leads(Lead { epoch: row.try_get(0)?, ends })
            }
            None => Standing::Follows,
        });
        Ok(())
    }
}
