//! Figures of the agent, each beside what it is measured against, in one run on one machine.

mod bare;
mod broker;
mod change;
mod contender;
mod lan;
mod list;
mod statistics;
mod strace;

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs, process};

/// Whatever goes wrong ends the run.
type Outcome<T> = Result<T, Box<dyn Error>>;

const USAGE: &str = "usage: intercom-bench change [RUNS] | list [REQUESTS]";

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["change"] => lan::inside(&words, || change::table(30)),
        ["change", runs] => number(runs).and_then(|n| lan::inside(&words, || change::table(n))),
        ["bare", dir, runs] => number(runs).and_then(|n| bare::repeat(dir.as_ref(), n)),
        ["list"] => list::table(1_000_000),
        ["list", requests] => number(requests).and_then(list::table),
        _ => Err(USAGE.into()),
    };
    if let Err(why) = result {
        eprintln!("intercom-bench: {why}");
        process::exit(1);
    }
}

fn number(text: &str) -> Outcome<usize> {
    text.parse().map_err(|_| format!("{text} is no number; {USAGE}").into())
}

/// The agent's binary, beside this one.
fn agent() -> Outcome<PathBuf> {
    Ok(env::current_exe()?.with_file_name("intercom-agent"))
}

/// Names another place for the files of a run, to measure another disk.
const PLACE: &str = "INTERCOM_BENCH_DIR";

/// A directory of this run, gone at its end: beside the binaries, unless it is to be elsewhere.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Outcome<Self> {
        let name = format!("{name}-{}", process::id());
        let dir = match env::var_os(PLACE) {
            Some(place) => PathBuf::from(place).join(name),
            None => env::current_exe()?.with_file_name(name),
        };
        // Left over by a run that was killed.
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir)?;
        Ok(Directory(dir))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
