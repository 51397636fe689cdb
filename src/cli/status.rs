//! `status`: the change in progress, the last outcomes, upstream, counters.

use std::ops::ControlFlow;

use super::args::Status as Args;
use super::exit::{Exit, Failure};
use super::output;
use crate::control::{self, Answer, Ask};
use crate::record::Record;
use crate::record_store::RecordStore;
use crate::storage::StateDir;

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
            let state = StateDir::new(&root, &settings.state_dir);
            let record = RecordStore::new(state).peek().map_err(Failure::new)?;
            match record {
                Some(record) => output::print(common.json, &record, from_record)?,
                None => output::words("no daemon runs, and there is no record yet")?,
            }
            Ok(Exit::NoDaemon)
        }
        Err(why) => Err(Failure::new(format!("the daemon cannot be asked: {why}"))),
    }
}

fn from_record(record: &Record) -> String {
    let mut text =
        format!("no daemon runs; the record says:\ncurrent    {}", record.current.identity);
    if record.has_unread() {
        text.push_str("\nnot read   part of it: `intercom-agent doctor` says what and why");
    }
    if record.is_new() {
        text.push_str("\nrecord     ");
        text.push_str(control::NEW_RECORD);
    }
    if let Some(change) = &record.change {
        let (from, to) = (&change.from.identity, &change.to.identity);
        text.push_str(&format!("\nchange     from {from} to {to}, not confirmed yet"));
    }
    text
}
