//! Processes beside the simulator, and what they need of the system.

use std::fs::{self, OpenOptions};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::net::TcpStream;
use tokio::time::sleep;

/// How long a process has to start or to end.
const LIMIT: Duration = Duration::from_secs(30);
/// How many files a process opens besides connections.
const OTHER_FILES: u64 = 500;
/// A connection to the broker, and both ends of the socket between it and the MQTT library.
const FILES_PER_PANEL: u64 = 3;

/// A running process; it is killed when this is dropped.
pub(super) struct Process {
    child: Child,
    name: &'static str,
}

impl Process {
    /// What it writes is added to `log`.
    pub(super) fn start(name: &'static str, command: &mut Command, log: &Path) -> Result<Self> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("cannot write {}", log.display()))?;
        let command = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        Ok(Process { child, name })
    }

    /// Returns what it writes, too.
    pub(super) fn start_heard(
        name: &'static str,
        command: &mut Command,
    ) -> Result<(Self, ChildStdout)> {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let out = child.stdout.take().with_context(|| format!("no output of {name}"))?;
        Ok((Process { child, name }, out))
    }

    /// Returns when it accepts connections.
    pub(super) async fn listens(&mut self, address: SocketAddr) -> Result<()> {
        let begun = Instant::now();
        while TcpStream::connect(address).await.is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} has ended: {status}", self.name);
            }
            if begun.elapsed() > LIMIT {
                bail!("{} does not listen on {address}", self.name);
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Asks it to end, and waits until it has.
    pub(super) async fn stop(&mut self) -> Result<()> {
        kill(Pid::from_raw(i32::try_from(self.child.id())?), Signal::SIGTERM)?;
        let begun = Instant::now();
        while self.child.try_wait()?.is_none() {
            if begun.elapsed() > LIMIT {
                bail!("{} does not end", self.name);
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Its resident memory, now and at most.
    pub(super) fn memory(&self) -> Result<String> {
        memory(self.child.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The resident memory of a process, now and at most.
pub(super) fn memory(pid: u32) -> Result<String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let megabytes = |key: &str| -> Result<f64> {
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        let kilobytes = line.and_then(|rest| rest.split_whitespace().next());
        Ok(kilobytes.with_context(|| format!("no {key} of process {pid}"))?.parse::<f64>()?
            / 1024.0)
    };
    Ok(format!("{:.1} MiB (at most {:.1})", megabytes("VmRSS:")?, megabytes("VmHWM:")?))
}

/// Raises the limit of open files for this process, so that it can have so many panels.
pub(super) fn allow_panels(count: usize) -> Result<()> {
    allow_files(FILES_PER_PANEL * u64::try_from(count)?)
}

/// Raises the limit of open files for this process and those that it starts: a server has one for each
/// connection.
pub(super) fn allow_connections(count: usize) -> Result<()> {
    allow_files(u64::try_from(count)?)
}

fn allow_files(count: u64) -> Result<()> {
    let wanted = count + OTHER_FILES;
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft >= wanted {
        return Ok(());
    }
    setrlimit(Resource::RLIMIT_NOFILE, wanted, hard.max(wanted)).with_context(|| {
        format!(
            "{wanted} open files are needed and {hard} are allowed: raise the limit \
             (ulimit -Hn {wanted}, as root) or take fewer panels"
        )
    })
}
