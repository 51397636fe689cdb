//! `status`: the change in progress, the last outcomes, upstream, counters.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use super::args::Status as Args;
use super::exit::{Exit, Failure};
use super::output;
use super::progress::Progress;
use crate::agent::Status;
use crate::control::{self, Answer, Ask, Told};
use crate::panel::Panel;
use crate::record_store::RecordStore;

pub(super) fn status(args: &Args) -> Result<Exit, Failure> {
    let common = args.common();
    let (root, settings) = super::settings(&common)?;
    let socket = root.path(&settings.runtime_dir).join(control::SOCKET);
    let asked = match args.follow {
        true => follow(&socket, common.json),
        false => {
            let mut shown = Ok(());
            // The state is the only answer.
            let asked = control::ask(&socket, &Ask::Status, |answer| {
                shown = show(&answer, common.json);
            });
            asked.map(|()| shown)
        }
    };
    match asked {
        Ok(shown) => shown.map(|()| Exit::Done),
        Err(why) if control::no_daemon(&why) => {
            let panel = super::open(root, settings);
            output::told(common.json, &of_record(&panel)?)?;
            Ok(Exit::NoDaemon)
        }
        Err(why) => Err(Failure::new(format!("the daemon cannot be asked: {why}"))),
    }
}

/// Prints the state, each step, and between two of them what is waited for.
fn follow(socket: &Path, json: bool) -> io::Result<Result<(), Failure>> {
    let mut progress = Progress::of_daemon();
    let patience = (!json).then(|| progress.patience());
    let (mut shown, mut is_first) = (Ok(()), true);
    let asked = control::follow(socket, patience, &mut |answer| {
        match &answer {
            Answer::State { told, .. } if !is_first => progress.still(told),
            Answer::Step(step) if !json => progress.step(step),
            answer => shown = show(answer, json),
        }
        is_first = false;
        if shown.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    progress.erase();
    match asked {
        Err(why) if control::daemon_ended(&why) => Ok(Err(Failure {
            message: "the daemon ended, or reads its configuration again".to_owned(),
            exit: Exit::NoDaemon,
        })),
        asked => asked.map(|()| shown),
    }
}

fn show(answer: &Answer, json: bool) -> Result<(), Failure> {
    match answer {
        Answer::State { told, .. } => output::told(json, told),
        Answer::Step(step) => output::print(json, step, ToString::to_string),
        Answer::Refused(why) => Err(Failure::new(why)),
        Answer::Ended { .. } | Answer::Back(_) | Answer::Restored { .. } | Answer::Forgotten(_) => {
            Ok(())
        }
    }
}

/// The state while no daemon runs: what the record says, or what a first start would begin it with.
pub(super) fn of_record(panel: &Panel) -> Result<Told, Failure> {
    let record = match RecordStore::new(panel.state()).peek().map_err(Failure::new)? {
        Some(record) => record,
        None => panel.record().map_err(Failure::new)?,
    };
    let rules = panel.rules();
    let not_read = match record.wants_reading() {
        true => panel.survey.warnings.clone(),
        false => Vec::new(),
    };
    Told::state(&Status::of_record(&record, &rules, not_read)).map_err(Failure::new)
}
