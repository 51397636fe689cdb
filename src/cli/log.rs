//! `log`: says more for a while.

use serde_json::json;

use super::args::Log;
use super::exit::{Exit, Failure};
use super::output;
use crate::control::{self, Answer, Ask};
use crate::doctor::daemon;

pub(super) fn log(log: &Log) -> Result<Exit, Failure> {
    let common = log.common();
    let (root, settings) = super::settings(&common)?;
    let socket = root.path(&settings.runtime_dir).join(control::SOCKET);
    let (level, seconds) = (log.level.as_str().to_ascii_lowercase(), log.time.0);
    let mut refused = None;
    let ask = Ask::Log { level: level.clone(), seconds };
    let asked = control::ask(&socket, &ask, |answer| {
        if let Answer::Refused(why) = answer {
            refused = Some(why);
        }
    });
    match (asked, refused) {
        (Err(why), _) if control::no_daemon(&why) => {
            let message = format!("no daemon runs: {}", daemon::START);
            Err(Failure { message, exit: Exit::NoDaemon })
        }
        (Err(why), _) => Err(Failure::new(format!("the daemon cannot be asked: {why}"))),
        (Ok(()), Some(why)) => Err(Failure::new(why)),
        (Ok(()), None) => {
            let answer = json!({"level": level, "seconds": seconds});
            output::print(common.json, &answer, |_| {
                format!("the daemon's log is at {level} for {seconds} s")
            })?;
            Ok(Exit::Done)
        }
    }
}
