//! `forget-sequence`: no request is counted as overtaken any more.

use std::io::ErrorKind;

use super::args::ForgetSequence;
use super::exit::{Exit, Failure};
use super::output;
use crate::control::{self, Answer, Ask, Told};
use crate::panel::Panel;
use crate::record_store::RecordStore;
use crate::storage::StateDirLock;

pub(super) fn forget_sequence(args: &ForgetSequence) -> Result<Exit, Failure> {
    let common = args.common();
    let panel = super::panel(&common)?;
    let told = match StateDirLock::take(&panel.state_dir()) {
        Ok(_lock) => forget(&panel)?,
        Err(why) if why.kind() == ErrorKind::WouldBlock => ask_daemon(&panel)?,
        Err(why) => return Err(Failure::new(why)),
    };
    output::told(common.json, &told)?;
    Ok(Exit::Done)
}

fn forget(panel: &Panel) -> Result<Told, Failure> {
    let mut store = RecordStore::new(panel.state());
    let mut forgotten = Vec::new();
    if let Some(mut record) = store.peek().map_err(Failure::new)? {
        forgotten = record.ledger.marks.forget();
        if !forgotten.is_empty() {
            store.save(&record).map_err(Failure::new)?;
        }
    }
    Told::forgotten(&forgotten).map_err(Failure::new)
}

fn ask_daemon(panel: &Panel) -> Result<Told, Failure> {
    let mut ended = Err(Failure::new("the daemon ended before it answered"));
    let socket = panel.runtime_dir().join(control::SOCKET);
    control::ask(&socket, &Ask::ForgetSequence, |answer| match answer {
        Answer::Forgotten(told) => ended = Ok(told),
        Answer::Refused(why) => ended = Err(Failure::new(why)),
        Answer::State { .. }
        | Answer::Step(_)
        | Answer::Ended { .. }
        | Answer::Back(_)
        | Answer::Restored { .. } => {}
    })
    .map_err(|why| Failure::new(format!("the daemon cannot be asked: {why}")))?;
    ended
}
