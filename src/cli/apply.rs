//! `apply`: an installer's request, by the same path as a delivered one.

use std::pin::pin;
use std::time::Duration;

use super::args::{Apply, Common};
use super::exit::{Exit, Failure};
use super::progress::Progress;
use super::{by_hand, output, payload, run};
use crate::control::{self, Answer, Ask, Told};
use crate::daemon::{self, Connectivity, End};
use crate::panel::Panel;

pub(super) fn apply(apply: &Apply) -> Result<Exit, Failure> {
    let common = apply.common();
    let panel = super::panel(&common)?;
    let payload = payload(apply, &panel)?;
    let (opened, _) = panel.settings.signature.keys.open(payload.as_bytes());
    by_hand::look_over(&opened)?;
    let ask = Ask::Apply { payload, offline: apply.offline };
    let Ended { exit, told } = ask_for_change(panel, &common, ask)?;
    output::told(common.json, &told)?;
    Ok(exit)
}

/// The request as it stands in the file, or as the options make it.
fn payload(apply: &Apply, panel: &Panel) -> Result<String, Failure> {
    match (&apply.file, by_hand::from_options(apply, panel)?) {
        (Some(file), None) => String::from_utf8(payload::read(file)?)
            .map_err(|_| Failure::usage(format!("{} is not text", file.display()))),
        (None, Some(payload)) => Ok(payload),
        (Some(_), Some(_)) => {
            Err(Failure::usage("a request is a FILE or is made of options, never both"))
        }
        (None, None) => Err(Failure::usage(
            "what shall this panel be? Name a FILE, or --new-mac, --new-serial-number or both",
        )),
    }
}

/// How a change ended: the request's report, or the state after a rollback.
pub(super) struct Ended {
    pub(super) exit: Exit,
    pub(super) told: Told,
}

/// Asks the daemon, or works as one if none runs; shows the steps, and what is waited for.
pub(super) fn ask_for_change(panel: Panel, common: &Common, ask: Ask) -> Result<Ended, Failure> {
    let mut ended = None;
    let mut progress = Progress::of_change();
    let patience = progress.patience();
    let mut each = |answer: Answer| match answer {
        Answer::Step(step) if !common.json => progress.step(&step),
        Answer::State { told, .. } if !common.json => progress.still(&told),
        Answer::Step(_) | Answer::State { .. } | Answer::Restored { .. } | Answer::Forgotten(_) => {
        }
        Answer::Ended { outcome, told } => {
            ended = Some(Ok(Ended { exit: Exit::from(outcome), told }));
        }
        Answer::Back(told) => ended = Some(Ok(Ended { exit: Exit::Done, told })),
        Answer::Refused(why) => ended = Some(Err(Failure::new(why))),
    };
    let mut cut_off = "the daemon ended or began anew: `intercom-agent status` says how it stands";
    let socket = panel.runtime_dir().join(control::SOCKET);
    let asked = match control::ask_patiently(&socket, &ask, patience, &mut each) {
        Err(why) if control::no_daemon(&why) => {
            cut_off = "stopped: a change that has begun goes on at the next start, or \
                       `intercom-agent rollback` takes it back";
            work_as_daemon(panel, ask, patience, &mut each)
        }
        Err(why) if control::daemon_ended(&why) => Ok(()),
        asked => asked.map_err(|why| Failure::new(format!("the daemon cannot be asked: {why}"))),
    };
    progress.erase();
    asked?;
    ended.unwrap_or_else(|| Err(Failure::new(cut_off)))
}

fn work_as_daemon(
    panel: Panel,
    ask: Ask,
    patience: Duration,
    each: &mut dyn FnMut(Answer),
) -> Result<(), Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    use tokio::sync::{mpsc, oneshot};
    let connectivity = match ask {
        Ask::Apply { offline: true, .. } | Ask::Rollback { offline: true, .. } => {
            Connectivity::Offline
        }
        _ => {
            let upstream = panel.settings.require_upstream(&panel.root);
            upstream.map_err(|why| Failure::usage(format!("{why}; `--offline` needs none")))?;
            Connectivity::Online
        }
    };
    let ask = match ask {
        // A command that was cut off has left it behind. Its time may be over when this one has begun.
        Ask::Rollback { factory: false, .. }
            if panel.record().is_ok_and(|record| record.change.is_some()) =>
        {
            Ask::TakeBack
        }
        ask => ask,
    };
    run::runtime()?.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::new)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(Failure::new)?;
        let (answers, mut answered) = mpsc::channel(64);
        let (started, questions) = oneshot::channel();
        let asking = async {
            // The daemon says so itself if it cannot start.
            let Ok(questions): Result<mpsc::Sender<control::Asked>, _> = questions.await else {
                return std::future::pending().await;
            };
            let _ = questions.send(control::Asked { ask, answers }).await;
            loop {
                let (answers, mut state) = mpsc::channel(1);
                match tokio::time::timeout(patience, answered.recv()).await {
                    Ok(Some(answer)) => each(answer),
                    Ok(None) => return End::Stop,
                    Err(_) => {
                        let _ = questions.send(control::Asked { ask: Ask::Status, answers }).await;
                        state.recv().await.into_iter().for_each(&mut *each);
                    }
                }
            }
        };
        let end = async {
            tokio::select! {
                end = asking => end,
                _ = interrupt.recv() => End::Stop,
                _ = terminate.recv() => End::Stop,
            }
        };
        let end = daemon::run(panel, connectivity, pin!(end), Some(started)).await;
        end.map(|_| ()).map_err(Failure::new)
    })
}
