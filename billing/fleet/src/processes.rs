//! The processes beside the simulator: one mosquitto, one billing service.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
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
const OTHER_FILES: u64 = 200;

/// A running process; it is killed when this is dropped.
pub(super) struct Process {
    child: Child,
    name: &'static str,
}

impl Process {
    fn start(name: &'static str, command: &mut Command, log: &Path) -> Result<Self> {
        let log = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let command = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        Ok(Process { child, name })
    }

    /// Returns when it accepts connections.
    async fn listens(&mut self, address: SocketAddr) -> Result<()> {
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

/// Raises the limit of open files for this process and those that it starts.
pub(super) fn allow_connections(count: usize) -> Result<()> {
    let wanted = u64::try_from(count)? + OTHER_FILES;
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

/// A port that is free now.
pub(super) fn free_port() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// Starts mosquitto, with room for the retained presence of every panel as in `billing/mosquitto`.
/// Retained messages survive a restart in the same directory.
pub(super) async fn mosquitto(dir: &Path, listen: SocketAddr) -> Result<Process> {
    let config = dir.join("mosquitto.conf");
    fs::write(
        &config,
        format!(
            "listener {} {}\nallow_anonymous true\npersistence true\npersistence_location {}/\n\
             max_queued_messages 100000\nuser {}\n",
            listen.port(),
            listen.ip(),
            dir.display(),
            // The user who starts it: another one could not write to this directory.
            nix::unistd::User::from_uid(nix::unistd::getuid())?
                .map_or("root".to_owned(), |u| u.name),
        ),
    )?;
    // Debian installs it where only root's PATH looks.
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("mosquitto");
    command.arg("-c").arg(&config).env("PATH", path);
    let mut process = Process::start("mosquitto", &mut command, &dir.join("mosquitto.log"))
        .context("is mosquitto installed?")?;
    process.listens(listen).await?;
    Ok(process)
}

/// Starts the billing service without a grace time: no board here already has its new MAC address.
pub(super) async fn billing(
    program: &Path,
    dir: &Path,
    listen: SocketAddr,
    database: &Path,
    broker: SocketAddr,
) -> Result<Process> {
    let mut command = Command::new(program);
    command.args(["serve", "--grace-ms", "0", "--listen", &listen.to_string()]);
    command.args(["--broker", &format!("mqtt://{broker}")]).arg("--database").arg(database);
    let mut process = Process::start("intercom-billing", &mut command, &dir.join("billing.log"))?;
    process.listens(listen).await?;
    Ok(process)
}
