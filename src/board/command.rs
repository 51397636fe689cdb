//! Running a command for the one line that it prints, with a time limit.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// How much of its output is looked at.
const MAX_OUTPUT_BYTES: u64 = 4096;

/// The only line that a program prints, without the spaces around it; none if it prints nothing. A
/// second line makes the first one doubtful: it may be a diagnostic.
///
/// # Errors
/// When it cannot be started, ends with a failure, prints more than one line, or takes longer than
/// `limit`: then it is killed with everything that it started.
pub(super) fn only_line_of(
    program: &Path,
    arguments: &[String],
    limit: Duration,
) -> io::Result<Option<String>> {
    let output = output_of(program, arguments, limit)?;
    let text = String::from_utf8_lossy(&output);
    let mut lines = text.split(['\n', '\0']).map(str::trim).filter(|line| !line.is_empty());
    match (lines.next(), lines.next()) {
        (line, None) => Ok(line.map(str::to_owned)),
        (_, Some(_)) => Err(io::Error::other("it printed more than one line")),
    }
}

fn output_of(program: &Path, arguments: &[String], limit: Duration) -> io::Result<Vec<u8>> {
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|why| io::Error::new(why.kind(), format!("it cannot be run: {why}")))?;
    let group = Pid::from_raw(child.id().cast_signed());
    let end = Arc::new(Awaited::default());
    let waiting = end.clone();
    thread::spawn(move || waiting.arrived(output(child)));
    match end.within(limit) {
        Some(end) => {
            let (bytes, status) = end?;
            match status.success() {
                true => Ok(bytes),
                false => Err(io::Error::other(format!("it ended with {status}"))),
            }
        }
        None => {
            // ESRCH means that it has just ended by itself.
            let _ = killpg(group, Signal::SIGKILL);
            Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("it took longer than {} s and was killed", limit.as_secs()),
            ))
        }
    }
}

/// What another thread will have. One message through a channel of the standard library would be 5 KB
/// of code.
struct Awaited<T>(Mutex<Option<T>>, Condvar);

impl<T> Default for Awaited<T> {
    fn default() -> Self {
        Awaited(Mutex::new(None), Condvar::new())
    }
}

impl<T> Awaited<T> {
    fn arrived(&self, value: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
        self.1.notify_one();
    }

    /// `None` if it has not arrived within the limit.
    fn within(&self, limit: Duration) -> Option<T> {
        let nothing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.1.wait_timeout_while(nothing, limit, |value| value.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.take()
    }
}

fn output(mut child: Child) -> io::Result<(Vec<u8>, ExitStatus)> {
    let mut bytes = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        let mut stdout = stdout.take(MAX_OUTPUT_BYTES);
        stdout.read_to_end(&mut bytes)?;
        // What comes after is read and thrown away: a closed pipe would make the command fail.
        io::copy(&mut stdout.into_inner(), &mut io::sink())?;
    }
    Ok((bytes, child.wait()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Alive, Sandbox};

    fn sh(script: &str, limit: Duration) -> io::Result<Vec<u8>> {
        let arguments = ["-c".to_owned(), script.to_owned()];
        output_of(Path::new("/bin/sh"), &arguments, limit)
    }

    #[test]
    fn a_command_that_hangs_is_killed_with_its_children() {
        let sandbox = Sandbox::new();
        let alive = Alive::new(&sandbox);
        let script = format!("exec 3>'{}'; echo >&3; sleep 60 & sleep 60", alive.path().display());
        let why = sh(&script, Duration::from_millis(500)).expect_err("too long");
        assert_eq!(why.kind(), io::ErrorKind::TimedOut);
        alive.wait_until_gone();
    }

    #[test]
    fn endless_talk_is_cut() {
        let bytes = sh("yes | head -c 1000000", Duration::from_secs(30)).expect("its beginning");
        assert_eq!(bytes.len() as u64, MAX_OUTPUT_BYTES);
    }
}
