//! Tells the service manager how the daemon fares: the datagrams of `sd_notify(3)`.

use std::env;
use std::ffi::OsString;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process;
use std::time::Duration;

use log::warn;
use tokio::time::Instant;

/// The service manager, if there is one that listens.
#[derive(Debug, Default)]
pub(super) struct Notify {
    socket: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Watchdog>,
    /// The last status that was told.
    status: String,
}

#[derive(Debug)]
struct Watchdog {
    every: Duration,
    next: Instant,
    /// Whether it was told in the log what hangs.
    hangs: bool,
}

impl Notify {
    /// As the service manager has set `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`.
    pub(super) fn from_environment() -> Self {
        let Some(name) = env::var_os("NOTIFY_SOCKET") else { return Notify::default() };
        let number = |name| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        let own = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(process::id()));
        let limit = number("WATCHDOG_USEC").filter(|_| own).map(Duration::from_micros);
        Notify::new(&name, limit).unwrap_or_else(|why| {
            warn!("the service manager cannot be told anything: {why}");
            Notify::default()
        })
    }

    /// A service manager that listens there, and that ends a daemon which is silent for `limit`.
    fn new(name: &OsString, limit: Option<Duration>) -> std::io::Result<Self> {
        let address = match name.as_bytes() {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
            _ => SocketAddr::from_pathname(name)?,
        };
        let socket = UnixDatagram::unbound()?;
        // One that does not listen must not hold up the daemon.
        socket.set_nonblocking(true)?;
        let watchdog =
            limit.map(|limit| Watchdog { every: limit / 2, next: Instant::now(), hangs: false });
        Ok(Notify { socket: Some((socket, address)), watchdog, status: String::new() })
    }

    /// When the watchdog is to be told again; never without one.
    pub(super) fn next(&self) -> Option<Instant> {
        self.watchdog.as_ref().map(|watchdog| watchdog.next)
    }

    /// The board is settled and the routes run.
    pub(super) fn ready(&self) {
        self.send("READY=1");
    }

    /// The daemon ends because it was asked to.
    pub(super) fn stopping(&self) {
        self.send("STOPPING=1");
    }

    /// Tells in one line how things are, if that is new.
    pub(super) fn status(&mut self, in_words: impl FnOnce() -> String) {
        if self.socket.is_none() {
            return;
        }
        let status = in_words().replace('\n', " ");
        if status != self.status {
            self.send(&format!("STATUS={status}"));
            self.status = status;
        }
    }

    /// Tells the watchdog, when it is time, that everything gets on; unless something `hangs`.
    pub(super) fn alive(&mut self, now: Instant, hangs: impl FnOnce() -> Option<String>) {
        let Some(watchdog) = self.watchdog.as_mut().filter(|watchdog| watchdog.next <= now) else {
            return;
        };
        watchdog.next = now + watchdog.every;
        let hanging = hangs();
        let known = std::mem::replace(&mut watchdog.hangs, hanging.is_some());
        match hanging {
            None => self.send("WATCHDOG=1"),
            Some(what) if !known => warn!("{what} hangs; the watchdog is told nothing any more"),
            Some(_) => {}
        }
    }

    fn send(&self, text: &str) {
        if let Some((socket, address)) = &self.socket
            && let Err(why) = socket.send_to_addr(text.as_bytes(), address)
        {
            warn!("the service manager was not told {text}: {why}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    /// A service manager, and the daemon's end.
    fn manager(name: &str) -> (UnixDatagram, Notify) {
        let address = SocketAddr::from_abstract_name(format!("{name}-{}", process::id())).unwrap();
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        socket.set_nonblocking(true).unwrap();
        let name = OsString::from(format!("@{name}-{}", process::id()));
        (socket, Notify::new(&name, Some(LIMIT)).unwrap())
    }

    fn heard(manager: &UnixDatagram) -> Option<String> {
        let mut buffer = [0; 512];
        let length = manager.recv(&mut buffer).ok()?;
        Some(String::from_utf8(buffer[..length].to_vec()).unwrap())
    }

    #[test]
    fn the_watchdog_is_told_twice_within_its_limit_and_not_more_often() {
        let (manager, mut notify) = manager("often");
        let now = Instant::now();
        notify.alive(now, || None);
        assert_eq!(heard(&manager).as_deref(), Some("WATCHDOG=1"));
        assert_eq!(notify.next(), Some(now + LIMIT / 2));
        notify.alive(now + LIMIT / 3, || panic!("nobody asked"));
        assert_eq!(heard(&manager), None);
        notify.alive(now + LIMIT / 2, || None);
        assert_eq!(heard(&manager).as_deref(), Some("WATCHDOG=1"));
    }

    #[test]
    fn the_watchdog_is_told_nothing_while_something_hangs() {
        let (manager, mut notify) = manager("hangs");
        let now = Instant::now();
        notify.alive(now, || Some("the MQTT route".to_owned()));
        assert_eq!(heard(&manager), None);
        notify.alive(now + LIMIT, || None);
        assert_eq!(heard(&manager).as_deref(), Some("WATCHDOG=1"), "it gets on again");
    }

    #[test]
    fn a_status_is_one_line_and_is_told_once() {
        let (manager, mut notify) = manager("status");
        notify.status(|| "two\nlines".to_owned());
        notify.status(|| "two\nlines".to_owned());
        assert_eq!(heard(&manager).as_deref(), Some("STATUS=two lines"));
        assert_eq!(heard(&manager), None);
    }

    #[test]
    fn without_a_service_manager_nothing_is_due() {
        let mut notify = Notify::default();
        notify.ready();
        notify.status(|| panic!("nobody listens"));
        assert_eq!(notify.next(), None);
    }
}
