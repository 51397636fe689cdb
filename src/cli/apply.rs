//! `apply`: an installer's request, by the same path as a delivered one.

use std::pin::pin;
use std::time::Duration;

use intercom_wire::Outcome;

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
    match ask_for_change(panel, &common, Ask::Apply { payload, offline: apply.offline })? {
        Some(Ended::Request(outcome, told)) => {
            output::told(common.json, &told)?;
            Ok(Exit::from(outcome))
        }
        Some(Ended::Back(_)) | None => Err(Failure::new("the daemon ended before the request did")),
    }
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

/// How a change ended.
pub(super) enum Ended {
    /// The request's outcome, and its report; or that of a rollback that was itself undone, and the state.
    Request(Option<Outcome>, Told),
    /// The state after a rollback.
    Back(Told),
}

/// Asks the daemon, or works as one if none runs; shows the steps, and what is waited for.
pub(super) fn ask_for_change(
    panel: Panel,
    common: &Common,
    ask: Ask,
) -> Result<Option<Ended>, Failure> {
    let mut ended = None;
    let mut refused = None;
    let mut progress = Progress::of_change();
    let patience = progress.patience();
    let mut each = |answer: Answer| match answer {
        Answer::Step(step) if !common.json => progress.step(&step),
        Answer::State { told, .. } if !common.json => progress.still(&told),
        Answer::Step(_) | Answer::State { .. } | Answer::Restored { .. } | Answer::Forgotten(_) => {
        }
        Answer::Ended { outcome, told } => ended = Some(Ended::Request(outcome, told)),
        Answer::Back(told) => ended = Some(Ended::Back(told)),
        Answer::Refused(why) => refused = Some(why),
    };
    let socket = panel.runtime_dir().join(control::SOCKET);
    let asked = match control::ask_patiently(&socket, &ask, patience, &mut each) {
        Err(why) if control::no_daemon(&why) => work_as_daemon(panel, ask, patience, &mut each),
        asked => asked.map_err(|why| Failure::new(format!("the daemon cannot be asked: {why}"))),
    };
    progress.erase();
    asked?;
    match refused {
        Some(why) => Err(Failure::new(why)),
        None => Ok(ended),
    }
}

fn work_as_daemon(
    panel: Panel,
    ask: Ask,
    patience: Duration,
    each: &mut dyn FnMut(Answer),
) -> Result<(), Failure> {
    use tokio::sync::{mpsc, oneshot};
    let connectivity = match ask {
        Ask::Apply { offline: true, .. } | Ask::Rollback { offline: true, .. } => {
            Connectivity::Offline
        }
        _ => Connectivity::Online,
    };
    run::runtime()?.block_on(async {
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
        let end = daemon::run(panel, connectivity, pin!(asking), Some(started)).await;
        end.map(|_| ()).map_err(Failure::new)
    })
}
