//! The state of a route: when to poll, when to report, and how long to wait after a failure.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use intercom_wire::Report;
use log::{debug, warn};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::Service;
use super::exchange::Polled;
use super::kind::Kind;
use super::schedule::Schedule;
use super::trouble::Trouble;
use super::worker::{Done, Job, Worker};
use crate::agent::seams::{ConnectIdentity, Connection, Event, ReportId};
use crate::record::Route;
use crate::upstream::cause::PanelCause;
use crate::upstream::{ConnectAs, RouteCommand, RouteEnd, RouteEvent};

/// How often a report that is refused is sent in all, over minutes: the service may be repaired.
pub(super) const MAX_REFUSALS: u32 = 8;
const FIRST_WAIT_REFUSED: Duration = Duration::from_secs(5);
/// The first poll after the start waits up to this part of the polling interval.
const START_SPREAD: u32 = 4;

/// The route's state.
pub(super) struct HttpRoute {
    service: Arc<Service>,
    events: mpsc::Sender<RouteEvent>,
    connect_as: ConnectAs,
    worker: Option<Worker>,
    poll: Schedule,
    reporting: Schedule,
    queue: Vec<QueuedReport>,
    /// The report that the worker is sending.
    pub(super) sent: Option<ReportId>,
    /// The next poll asks for the whole list, even if it has not changed.
    ask_again: bool,
}

/// A report that is not accepted yet.
struct QueuedReport {
    id: ReportId,
    report: Arc<Report>,
    refusals: u32,
    due: Instant,
}

impl HttpRoute {
    pub(super) fn new(service: Arc<Service>, events: mpsc::Sender<RouteEvent>) -> Self {
        HttpRoute {
            service,
            events,
            connect_as: None,
            worker: None,
            poll: Schedule::new("polling", ""),
            reporting: Schedule::new("reporting to", ""),
            sent: None,
            queue: Vec::new(),
            ask_again: false,
        }
    }

    pub(super) async fn run(mut self, mut end: RouteEnd) {
        loop {
            let next = self.start_what_is_due();
            let worker = self.worker.as_mut().filter(|worker| worker.busy);
            match next {
                Some(at) => {
                    self.service.health.rests(at.saturating_duration_since(Instant::now()));
                }
                None if worker.is_none() => self.service.health.waits_for_the_agent(),
                None => {}
            }
            tokio::select! {
                changed = end.connect_as.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let connect_as = end.connect_as.borrow_and_update().clone();
                    self.connect_as(connect_as);
                }
                command = end.commands.recv() => match command {
                    Some(command) => self.take(command),
                    None => return,
                },
                done = of(worker) => self.finish(done).await,
                () = at(next) => {}
            }
        }
    }

    /// Gives up everything under the old identity and polls at once under the new one.
    fn connect_as(&mut self, connect_as: ConnectAs) {
        let now = Instant::now();
        self.worker = None;
        self.sent = None;
        self.ask_again = false;
        self.service.health.given_up();
        if let Some((connect_as, _)) = &connect_as {
            self.poll = Schedule::new("polling", connect_as.board.as_str());
            self.reporting = Schedule::new("reporting to", connect_as.board.as_str());
            if self.connect_as.is_none() {
                let spread = self.service.settings.poll_every / START_SPREAD;
                self.poll.due = now + self.poll.jitter.up_to(spread);
            }
        }
        for queued in &mut self.queue {
            queued.due = now;
        }
        self.connect_as = connect_as;
    }

    pub(super) fn take(&mut self, command: RouteCommand) {
        match command {
            RouteCommand::Send(id, report) => {
                if !self.queue.iter().any(|queued| queued.id == id) {
                    let report = Arc::from(report);
                    let due = Instant::now();
                    self.queue.push(QueuedReport { id, report, refusals: 0, due });
                }
            }
            RouteCommand::AskAgain | RouteCommand::Prove => {
                self.ask_again = true;
                // A service that does not answer is not polled more often.
                if self.poll.trouble.is_none() {
                    self.poll.due = Instant::now();
                }
            }
            RouteCommand::Claim(connection) => {
                let current =
                    self.connect_as.as_mut().filter(|(_, current)| *current == connection);
                if let Some((connect_as, _)) = current {
                    connect_as.confirm();
                }
            }
            // A listed request comes again with the next list. This route knows no other boards, and each
            // poll says that the panel is there.
            RouteCommand::Acknowledge(_) | RouteCommand::LookUp(..) | RouteCommand::Announce => {}
        }
    }

    /// Gives an idle worker its next job. If none is due, it returns when the next one is.
    fn start_what_is_due(&mut self) -> Option<Instant> {
        let (connect_as, connection) = self.connect_as.clone()?;
        if self.worker.as_ref().is_some_and(|worker| worker.busy) {
            return None;
        }
        let now = Instant::now();
        let queued = self.queue.iter().min_by_key(|queued| queued.due);
        let report_due = queued.map(|queued| queued.due.max(self.reporting.due));
        let poll_due = (self.service.route == Route::Http).then_some(self.poll.due);
        let job = match (queued, report_due) {
            (Some(queued), Some(due)) if due <= now => {
                self.sent = Some(queued.id);
                Job::Report(queued.report.clone())
            }
            _ if poll_due.is_some_and(|due| due <= now) => {
                let changing = connect_as.changing_from.is_some();
                Job::Poll { all: std::mem::take(&mut self.ask_again), changing }
            }
            _ => return report_due.into_iter().chain(poll_due).min(),
        };
        match self.worker(connect_as, connection) {
            Ok(worker) => {
                worker.begin(job);
                self.service.health.progresses_within(self.service.limits.whole);
                None
            }
            Err(why) => {
                let trouble = Trouble::from(PanelCause::no_resources(why));
                self.service.health.failed(&trouble.cause);
                let wait = self.poll.failed(&self.service, &trouble);
                self.poll.due = now + wait;
                self.reporting.due = now + wait;
                Some(now + wait)
            }
        }
    }

    fn worker(
        &mut self,
        connect_as: ConnectIdentity,
        connection: Connection,
    ) -> std::io::Result<&mut Worker> {
        let worker = match self.worker.take() {
            Some(worker) => worker,
            None => Worker::start(&self.service, connect_as, connection, self.events.clone())?,
        };
        Ok(self.worker.insert(worker))
    }

    async fn finish(&mut self, done: Option<Done>) {
        match done {
            Some(Done::Polled(Ok(polled))) => self.polled(&polled),
            Some(Done::Polled(Err(trouble))) => {
                self.poll.due = Instant::now() + self.poll.failed(&self.service, &trouble);
            }
            Some(Done::Reported(result)) => {
                if let Some(id) = self.reported(result) {
                    let event = Event::Reported { id, route: self.service.route };
                    if self.events.send(RouteEvent::Event(event)).await.is_err() {
                        debug!("the daemon is ending");
                    }
                }
            }
            // The thread has ended; the next job starts another.
            None => self.worker = None,
            // A route gives no such job.
            Some(Done::Looked(_)) => {}
        }
    }

    fn polled(&mut self, polled: &Polled) {
        self.poll.succeeded(&self.service);
        let now = Instant::now();
        self.poll.due = match self.ask_again {
            true => now,
            false => {
                let wait = self.poll.jitter.around(self.service.settings.poll_every);
                now + wait.max(polled.retry_after.unwrap_or_default())
            }
        };
        if self.reporting.trouble.is_some() {
            // The service is reached again.
            self.reporting.due = now;
        }
    }

    /// Takes the outcome of a report. Returns it if it need not be sent again.
    pub(super) fn reported(&mut self, result: Result<(), Trouble>) -> Option<ReportId> {
        let now = Instant::now();
        let sent = self.sent.take()?;
        let at = self.queue.iter().position(|queued| queued.id == sent)?;
        let (billing, health) = (self.service.route == Route::Billing, &self.service.health);
        match &result {
            Ok(()) if billing => health.reached(),
            Ok(()) => {}
            Err(trouble) if billing => health.failed(&trouble.cause),
            Err(trouble) => health.erred(&trouble.cause),
        }
        match result {
            Ok(()) => self.reporting.succeeded(&self.service),
            Err(trouble) if trouble.kind() == Kind::Refused => {
                let base = &self.service.settings.base;
                let queued = &mut self.queue[at];
                queued.refusals += 1;
                if queued.refusals < MAX_REFUSALS {
                    let ceiling = FIRST_WAIT_REFUSED * (1 << queued.refusals);
                    let wait = self.reporting.jitter.up_to(ceiling);
                    queued.due = now + wait.max(trouble.retry_after.unwrap_or_default());
                    debug!("{base}: a report was refused: {}", trouble.cause);
                    return None;
                }
                let status = queued.report.intercom.status.as_deref().unwrap_or("unknown");
                let id =
                    queued.report.request_id.as_ref().map_or("without an id", |id| id.as_str());
                warn!(
                    "{base}: the report of request {id} ({status}) was refused {MAX_REFUSALS} times and is dropped: {}",
                    trouble.cause
                );
            }
            Err(trouble) => {
                self.reporting.due = now + self.reporting.failed(&self.service, &trouble);
                return None;
            }
        }
        self.queue.remove(at);
        Some(sent)
    }
}

async fn of(worker: Option<&mut Worker>) -> Option<Done> {
    match worker {
        Some(worker) => worker.done().await,
        None => pending().await,
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}
