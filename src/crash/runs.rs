//! Whether the daemon's runs since the last boot ended cleanly.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use intercom_wire::{json, json_object};
use log::warn;

use super::CRASH_FILE;
use crate::agent::PastRuns;
use crate::file_error::of_file;

/// The file's name in the runtime directory.
const FILE: &str = "runs.json";
/// A crash's line has some hundred bytes; a longer file is not ours.
const MAX_CRASH: usize = 512;

json_object! {
    /// What the file holds.
    #[derive(Debug, Default)]
    struct Runs {
        running: bool,
        unclean_ends: u64,
        last_crash: Option<String>,
    }
}

/// This run. Only [`Run::ended`] makes it a clean one.
#[derive(Debug)]
pub struct Run {
    file: PathBuf,
    runs: Runs,
}

impl Run {
    /// Notes that a run has begun, and looks how the one before ended.
    ///
    /// # Errors
    /// The file cannot be read or written; the daemon can do without it.
    pub fn begin(runtime_dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(runtime_dir)?;
        let file = runtime_dir.join(FILE);
        let mut runs = match fs::read(&file) {
            Ok(text) => json::read(&text).unwrap_or_else(|why| {
                warn!("{}: {why}; the count of unclean ends begins anew", file.display());
                Runs::default()
            }),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Runs::default(),
            Err(why) => return Err(why),
        };
        // A trace without a run is a crash before it had begun.
        let crash = take_crash(&runtime_dir.join(CRASH_FILE));
        if runs.running || crash.is_some() {
            runs.unclean_ends = runs.unclean_ends.saturating_add(1);
            // Without a trace it was killed, or ran out of memory.
            runs.last_crash = crash;
        }
        runs.running = true;
        let run = Run { file, runs };
        run.write()?;
        Ok(run)
    }

    /// How the runs before this one ended.
    pub fn past(&self) -> PastRuns {
        PastRuns { unclean_ends: self.runs.unclean_ends, last_crash: self.runs.last_crash.clone() }
    }

    /// This run ends because it was asked to.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn ended(mut self) -> io::Result<()> {
        self.runs.running = false;
        self.write()
    }

    fn write(&self) -> io::Result<()> {
        // The directory is in memory: no power cut leaves half a file behind.
        fs::write(&self.file, serde_json::to_vec(&self.runs)?)
    }
}

/// How the runs since boot have ended, before the one that goes on.
///
/// # Errors
/// The file cannot be read.
pub fn past_runs(runtime_dir: &Path) -> io::Result<PastRuns> {
    let file = runtime_dir.join(FILE);
    match fs::read(&file) {
        Ok(text) => {
            let runs: Runs =
                json::read(&text).map_err(|why| of_file(&file, io::Error::other(why)))?;
            Ok(PastRuns { unclean_ends: runs.unclean_ends, last_crash: runs.last_crash })
        }
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(PastRuns::default()),
        Err(why) => Err(of_file(&file, why)),
    }
}

fn take_crash(file: &Path) -> Option<String> {
    let text = fs::read(file).ok()?;
    // Otherwise a later end without a trace would be taken for this one.
    let _ = fs::remove_file(file);
    let line = text.get(..text.len().min(MAX_CRASH))?;
    Some(String::from_utf8_lossy(line).trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Sandbox;

    #[test]
    fn a_run_that_was_not_ended_counts_as_unclean() {
        let sandbox = Sandbox::new();
        let dir = sandbox.root().path("/");
        let first = Run::begin(&dir).expect("begun");
        assert_eq!(first.past(), PastRuns::default());
        first.ended().expect("ended");

        let second = Run::begin(&dir).expect("begun");
        assert_eq!(second.past(), PastRuns::default(), "a clean end does not count");
        drop(second);
        fs::write(dir.join(CRASH_FILE), "signal 4 at 0x1234\n").expect("written");

        let third = Run::begin(&dir).expect("begun");
        let crash = Some("signal 4 at 0x1234".to_owned());
        assert_eq!(third.past(), PastRuns { unclean_ends: 1, last_crash: crash.clone() });
        third.ended().expect("ended");
        let fourth = Run::begin(&dir).expect("begun");
        assert_eq!(fourth.past(), PastRuns { unclean_ends: 1, last_crash: crash });
        drop(fourth);

        let fifth = Run::begin(&dir).expect("begun");
        assert_eq!(fifth.past(), PastRuns { unclean_ends: 2, last_crash: None }, "it was killed");
    }

    #[test]
    fn a_crash_before_a_run_had_begun_counts_and_is_told_once() {
        let sandbox = Sandbox::new();
        let dir = sandbox.root().path("/");
        fs::write(dir.join(CRASH_FILE), "crashed by signal 11 at 0x1\n").expect("written");
        let first = Run::begin(&dir).expect("begun");
        let crash = Some("crashed by signal 11 at 0x1".to_owned());
        assert_eq!(first.past(), PastRuns { unclean_ends: 1, last_crash: crash });
        drop(first);
        let second = Run::begin(&dir).expect("begun");
        assert_eq!(second.past(), PastRuns { unclean_ends: 2, last_crash: None }, "it was killed");
    }

    #[test]
    fn a_damaged_file_is_replaced() {
        let sandbox = Sandbox::new();
        let dir = sandbox.root().path("/");
        fs::write(dir.join(FILE), "{").expect("written");
        assert_eq!(Run::begin(&dir).expect("begun").past(), PastRuns::default());
        assert_eq!(Run::begin(&dir).expect("begun").past().unclean_ends, 1);
    }
}
