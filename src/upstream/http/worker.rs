//! The thread that speaks HTTP, for one identity of the board.
//!
//! Each identity has its own thread. Giving it up closes its connections, and its outcomes are
//! ignored from then on. The thread ends by itself, even if a name lookup still blocks it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use intercom_wire::Report;
use tokio::sync::mpsc;

use super::Service;
use super::exchange::{Exchange, Polled};
use super::trouble::Trouble;
use crate::agent::seams::{ConnectIdentity, Connection};
use crate::upstream::RouteEvent;

/// Only the part that is used takes memory. On a 64-bit processor, which has the larger frames, TLS
/// handshakes and the deepest JSON need 96 KiB, and 256 KiB in a debug build.
const STACK: usize = 512 * 1024;

/// A job for the thread.
#[derive(Debug)]
pub(super) enum Job {
    /// Poll for the pending requests; with `all`, even if the list has not changed. In mid-change it
    /// says so.
    Poll { all: bool, changing: bool },
    /// Look at the way, with questions that change nothing.
    Look,
    /// Send this report once.
    Report(Arc<Report>),
}

/// The outcome of a job.
#[derive(Debug)]
pub(super) enum Done {
    Polled(Result<Polled, Trouble>),
    Looked(Result<(), Trouble>),
    Reported(Result<(), Trouble>),
}

/// One thread, which does one job at a time. Dropping it gives it up.
#[derive(Debug)]
pub(super) struct Worker {
    jobs: mpsc::Sender<Job>,
    done: mpsc::Receiver<Done>,
    given_up: Arc<AtomicBool>,
    client: ureq::Agent,
    pub(super) busy: bool,
}

impl Worker {
    /// Starts the thread.
    ///
    /// # Errors
    /// As `pthread_create(3)`.
    pub(super) fn start(
        service: &Arc<Service>,
        connect_as: ConnectIdentity,
        connection: Connection,
        events: mpsc::Sender<RouteEvent>,
    ) -> io::Result<Self> {
        let client = service.client().map_err(io::Error::other)?;
        let given_up = Arc::new(AtomicBool::new(false));
        let (jobs, mut to_do) = mpsc::channel(1);
        let (finished, done) = mpsc::channel(1);
        let mut exchange = Exchange::new(
            service.clone(),
            client.clone(),
            connect_as,
            connection,
            events,
            given_up.clone(),
        );
        thread::Builder::new().name("http".to_owned()).stack_size(STACK).spawn(move || {
            while let Some(job) = to_do.blocking_recv() {
                let outcome = match job {
                    Job::Poll { all, changing } => Done::Polled(exchange.poll(all, changing)),
                    Job::Look => Done::Looked(exchange.look()),
                    Job::Report(report) => Done::Reported(exchange.report(&report)),
                };
                if finished.blocking_send(outcome).is_err() {
                    return;
                }
            }
        })?;
        Ok(Worker { jobs, done, given_up, client, busy: false })
    }

    /// Gives the thread a job. It must not be busy.
    pub(super) fn begin(&mut self, job: Job) {
        debug_assert!(!self.busy, "one job at a time");
        self.busy = true;
        // There is room, as it is not busy. If the thread has ended, `done` reports it.
        let _ = self.jobs.try_send(job);
    }

    /// The outcome of the job; `None` if the thread has ended.
    pub(super) async fn done(&mut self) -> Option<Done> {
        let done = self.done.recv().await;
        self.busy = false;
        done
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.given_up.store(true, Ordering::Release);
        self.client.clone().shutdown();
    }
}
