//! The daemon: one task that gives the agent everything that happens, in order, and nothing else.

mod apply;
mod link_watch;
mod log_level;
mod notify;
mod real_seams;
mod routes;
mod vital_signs;
mod watchers;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use log::{info, warn};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::agent::seams::{HookRun, HookRunNumber};
use crate::agent::{Agent, HookFailure, Restorer, restore};
use crate::clock::{Clock, RealClock};
use crate::control::{self, Asked};
use crate::crash::Run;
use crate::hooks::Hooks;
use crate::panel::Panel;
use crate::record::BoardReading;
use crate::storage::StateDirLock;
use crate::upstream::RouteEvent;
use link_watch::LinkWatch;
use log_level::LogLevel;
use notify::Notify;
pub use real_seams::RealSeams;
pub use routes::Connectivity;
use watchers::Watchers;

/// How many events may wait for the agent before the routes have to wait.
const EVENTS: usize = 32;
/// How many runs of the hooks may be begun at once: each takes the place of the one before.
const HOOK_RUNS: usize = 4;
/// How many questions may wait.
const QUESTIONS: usize = 8;
/// Without anything due, the loop still looks at the clock once in a while: the board may sleep.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Which run of the hooks has ended, and the failure of the first hook that failed.
type HooksEnded = (HookRunNumber, Result<(), HookFailure>);

/// What the daemon's task waits for.
struct Inbox {
    events: mpsc::Receiver<RouteEvent>,
    hooks: mpsc::Receiver<HooksEnded>,
    questions: mpsc::Receiver<Asked>,
    readings: mpsc::Receiver<BoardReading>,
    link: LinkWatch,
}

/// Why the daemon ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It was told to stop.
    Stop,
    /// It is to begin anew, with other settings.
    Reload,
}

/// Runs the daemon until `end` is ready. Once it takes requests, `ready` is given the way to ask it; a
/// service manager is told then too, whether or not upstream is reached.
///
/// # Errors
/// When the state directory is another daemon's or the control socket cannot be made.
pub async fn run(
    panel: Panel,
    connectivity: Connectivity,
    end: Pin<&mut dyn Future<Output = End>>,
    ready: Option<oneshot::Sender<mpsc::Sender<Asked>>>,
) -> io::Result<End> {
    let _lock = StateDirLock::take(&panel.state_dir())?;
    let mut tasks = JoinSet::new();
    let (events_in, events) = mpsc::channel(EVENTS);
    let (hook_runs, runs) = mpsc::channel(HOOK_RUNS);
    let (hooks_in, hooks) = mpsc::channel(1);
    let (questions_in, questions) = mpsc::channel(QUESTIONS);
    let (readings_in, readings) = mpsc::channel(1);
    tasks.spawn(run_hooks(panel.hooks(), runs, hooks_in));
    let routes = routes::start(&panel, connectivity, &mut tasks, &events_in);
    let socket = panel.runtime_dir().join(control::SOCKET);
    let clock = RealClock::start(&panel.root)?;
    let mut seams = RealSeams::new(&panel, clock, routes, hook_runs, readings_in);
    let rules = panel.rules();
    // Before the link is looked at, so that nothing is missed in between.
    let link = LinkWatch::new(&panel);
    let restored = restore(&mut seams, &rules, Restorer::Daemon, panel.board_reading())
        .map_err(io::Error::other)?;
    let mut agent = Agent::start(seams, rules, restored);
    let run = begin_run(&panel, &mut agent);
    tasks.spawn({
        let questions_in = questions_in.clone();
        async move {
            if let Err(why) = control::serve(&socket, questions_in).await {
                warn!("the control socket {} is not served: {why}", socket.display());
            }
        }
    });
    info!("board {}: {}", agent.record().board, agent.record().current.identity);
    if let Some(ready) = ready {
        // Whoever asked to be told may be gone by now.
        let _ = ready.send(questions_in);
    }
    let mut notify = Notify::from_environment();
    notify.ready();
    let inbox = Inbox { events, hooks, questions, readings, link };
    let log_level = LogLevel::new(panel.settings.log_level);
    let watchers = Watchers::new(panel.settings.signature.keys.clone(), log_level);
    let end = tokio::select! {
        () = serve(agent, inbox, watchers, &mut notify) => End::Stop,
        end = end => end,
    };
    if end == End::Stop {
        info!("stopping");
        notify.stopping();
    }
    if let Some(Err(why)) = run.map(Run::ended) {
        warn!("this end will count as a crash: {why}");
    }
    Ok(end)
}

/// The daemon does its work also where it cannot keep count of its ends.
fn begin_run(panel: &Panel, agent: &mut Agent<RealSeams>) -> Option<Run> {
    match Run::begin(&panel.runtime_dir()) {
        Ok(run) => {
            let past = run.past();
            if past.unclean_ends > 0 {
                warn!("{past}");
            }
            agent.remember(past);
            Some(run)
        }
        Err(why) => {
            warn!("crashes are not counted: {}: {why}", panel.runtime_dir().display());
            None
        }
    }
}

async fn serve(
    mut agent: Agent<RealSeams>,
    mut inbox: Inbox,
    mut watchers: Watchers,
    notify: &mut Notify,
) {
    loop {
        notify.status(|| vital_signs::in_words(&mut agent));
        notify.alive(Instant::now(), || vital_signs::what_hangs(&mut agent));
        let wait = agent
            .next_tick()
            .map_or(LONGEST_WAIT, |due| due.since(agent.seams().clock.now()).min(LONGEST_WAIT));
        let wake = notify.next().into_iter().chain(watchers.log_level.next());
        let wake = wake.fold(Instant::now() + wait, Instant::min);
        tokio::select! {
            Some(event) = inbox.events.recv() => match event {
                RouteEvent::Event(event) => agent.handle(event),
                RouteEvent::Delivery(delivery, answer) => {
                    // A route that does not wait for the answer has its own way to know.
                    let _ = answer.send(agent.deliver(*delivery));
                }
            },
            Some((number, result)) = inbox.hooks.recv() => agent.hooks_ended(number, result),
            Some(reading) = inbox.readings.recv() => agent.board_read(&reading),
            () = inbox.link.changed() => agent.link_changed(),
            Some(asked) = inbox.questions.recv() => watchers.take(&mut agent, asked),
            () = sleep_until(wake) => {}
            else => return,
        }
        agent.tick();
        watchers.tell(&mut agent);
        watchers.log_level.tick();
    }
}

/// Runs the hooks; a new run takes the place of one that still goes on.
async fn run_hooks(
    hooks: Arc<Hooks>,
    mut runs: mpsc::Receiver<(HookRunNumber, HookRun)>,
    ended: mpsc::Sender<HooksEnded>,
) {
    type Running = Pin<Box<dyn Future<Output = HooksEnded> + Send>>;
    let mut running: Option<Running> = None;
    loop {
        tokio::select! {
            run = runs.recv() => match run {
                Some((number, run)) => {
                    let hooks = hooks.clone();
                    running = Some(Box::pin(async move { (number, hooks.run(&run).await) }));
                }
                None => return,
            },
            result = async { match &mut running {
                Some(running) => running.await,
                None => std::future::pending().await,
            } } => {
                running = None;
                if ended.send(result).await.is_err() {
                    return;
                }
            }
        }
    }
}
