//! One hook as a process: its environment, its output, its time limit.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use log::info;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::lines::Lines;
use super::{HookFailure, HookProblem};

/// The names and values of environment variables.
type Variables = [(&'static str, String); 6];

/// How long a killed hook may take to be gone.
const GRACE: Duration = Duration::from_secs(1);
/// What a pipe holds at most: more cannot have been printed before the hook ended.
const PIPE_BYTES: u64 = 64 * 1024;

/// Runs one hook to its end.
pub(super) async fn run(
    name: &str,
    path: &Path,
    variables: Variables,
    limit: Duration,
) -> Result<(), HookFailure> {
    let (mut child, mut output) =
        spawn(path, variables).map_err(|why| HookFailure::new(name, HookProblem::NotRun(why)))?;
    let mut group = Group::of(&child);
    let mut lines = Lines::default();
    let tell = |line: &str| info!("hook {name}: {line}");

    let ended =
        timeout(limit, wait(&mut child, &mut output, |bytes| lines.push(bytes, tell))).await;
    let result = match ended {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(HookProblem::Ended(status)),
        Ok(Err(why)) => Err(HookProblem::NotRun(why)),
        Err(_) => {
            group.kill();
            // So that it is gone when the next hook runs; if it is not even then, it never will be.
            let _ = timeout(GRACE, child.wait()).await;
            Err(HookProblem::TooLong(limit))
        }
    };
    // A hook may have restarted a service, which lives on in its group.
    group.let_go();
    // The pipe stays open as long as such a service has it, so that its end cannot be waited for.
    if let Ok(rest) = output.into_nonblocking_fd() {
        let mut rest = File::from(rest).take(PIPE_BYTES);
        let mut bytes = Vec::new();
        // Ends with `WouldBlock` where the pipe is still open; what came before it is kept.
        let _ = rest.read_to_end(&mut bytes);
        lines.push(&bytes, tell);
    }
    let said = lines.finish(tell);
    result.map_err(|problem| HookFailure { said, ..HookFailure::new(name, problem) })
}

fn spawn(path: &Path, variables: Variables) -> io::Result<(Child, pipe::Receiver)> {
    // One pipe for both, so that the lines are told in the order in which they were printed.
    let (reader, writer) = io::pipe()?;
    let output = pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?;
    let child = Command::new(path)
        .envs(variables)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .process_group(0)
        .spawn()?;
    Ok((child, output))
}

async fn wait(
    child: &mut Child,
    output: &mut pipe::Receiver,
    mut tell: impl FnMut(&[u8]),
) -> io::Result<std::process::ExitStatus> {
    let mut buffer = [0; 1024];
    let mut open = true;
    loop {
        tokio::select! {
            status = child.wait() => return status,
            read = output.read(&mut buffer), if open => match read {
                Ok(length @ 1..) => tell(&buffer[..length]),
                Ok(0) | Err(_) => open = false,
            },
        }
    }
}

/// The process group of a hook, killed when whoever waits for it goes away.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Group(child.id().map(|pid| Pid::from_raw(pid.cast_signed())))
    }

    fn kill(&mut self) {
        if let Some(group) = self.0.take() {
            // ESRCH means that everything in it has just ended.
            let _ = killpg(group, Signal::SIGKILL);
        }
    }

    fn let_go(&mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}
