//! `status`: the change in progress, the last outcomes, upstream, counters.

use std::ops::ControlFlow;

use super::args::Status as Args;
use super::exit::{Exit, Failure};
use super::output;
use crate::agent::Status;
use crate::config::Settings;
use crate::control::{self, Answer, Ask, Told};
use crate::panel::Panel;
use crate::record_store::RecordStore;
use crate::root::Root;

pub(super) fn status(args: &Args) -> Result<Exit, Failure> {
    let common = args.common();
    let (root, settings) = super::settings(&common)?;
    let socket = root.path(&settings.runtime_dir).join(control::SOCKET);
    let mut shown = Ok(());
    let mut show = |answer| {
        let print = match answer {
            Answer::State { told, .. } => output::told(common.json, &told),
            Answer::Step(step) => output::print(common.json, &step, ToString::to_string),
            Answer::Refused(why) => Err(Failure::new(why)),
            Answer::Ended { .. }
            | Answer::Back(_)
            | Answer::Restored { .. }
            | Answer::Forgotten(_) => Ok(()),
        };
        match print {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => {
                shown = print;
                ControlFlow::Break(())
            }
        }
    };
    let asked = match args.follow {
        true => control::follow(&socket, show),
        false => control::ask(&socket, &Ask::Status, |answer| {
            // It is the only one.
            let _ = show(answer);
        }),
    };
    match asked {
        Ok(()) => shown.map(|()| Exit::Done),
        Err(why) if control::no_daemon(&why) => {
            output::told(common.json, &without_daemon(root, settings)?)?;
            Ok(Exit::NoDaemon)
        }
        Err(why) => Err(Failure::new(format!("the daemon cannot be asked: {why}"))),
    }
}

/// The record's side of the state, or what a first start would begin the record with.
fn without_daemon(root: Root, settings: Settings) -> Result<Told, Failure> {
    let panel = Panel::open(root, settings);
    let record = match RecordStore::new(panel.state()).peek().map_err(Failure::new)? {
        Some(record) => record,
        None => panel.record().map_err(Failure::new)?,
    };
    let rules = panel.rules();
    let not_read = match record.wants_reading() {
        true => panel.survey.warnings,
        false => Vec::new(),
    };
    Told::state(&Status::of_record(&record, &rules, not_read)).map_err(Failure::new)
}
