//! What the panels tell the run: one line each, from the processes that they are in.

use std::io::{BufRead, BufReader, Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::watch;

/// Something that a panel tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// It is subscribed to its topics, and has its own presence back.
    Connected,
    /// It has lost its connection, or given it up.
    Lost,
    /// It has sent a report again: the broker has taken it, and billing has not said that it read it.
    ReportAgain,
    /// It was offered a request that names no nonce of its connection.
    OldRequest,
    /// It has installed what it was asked for.
    Installed,
    /// Another board says that it has the new MAC address.
    Conflict,
}

const ALL: [(Told, &str); 6] = [
    (Told::Connected, "connected"),
    (Told::Lost, "lost"),
    (Told::ReportAgain, "report again"),
    (Told::OldRequest, "old request"),
    (Told::Installed, "installed"),
    (Told::Conflict, "conflict"),
];

impl Told {
    /// Writes it for the run, without which this process has no use.
    pub(super) fn tell(self) {
        let words = ALL.into_iter().find(|(told, _)| *told == self).map_or("", |(_, words)| words);
        if writeln!(std::io::stdout(), "{words}").is_err() {
            std::process::exit(1);
        }
    }

    fn read(line: &str) -> Option<Self> {
        ALL.into_iter().find(|(_, words)| *words == line).map(|(told, _)| told)
    }
}

/// All that the panels have told.
#[derive(Clone, Default)]
pub(super) struct Tally {
    connected: watch::Sender<usize>,
    since: Arc<Mutex<Vec<Instant>>>,
    reports_again: Arc<AtomicUsize>,
    old_requests: Arc<AtomicUsize>,
    installed: Arc<AtomicUsize>,
    conflicts: Arc<AtomicUsize>,
}

impl Tally {
    /// Reads what panels tell, to its end.
    pub(super) fn read(&self, from: impl Read) {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            match Told::read(&line) {
                Some(told) => self.add(told),
                None => println!("a panel says: {line}"),
            }
        }
    }

    fn add(&self, told: Told) {
        match told {
            Told::Connected => {
                self.since.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
                self.connected.send_modify(|count| *count += 1);
            }
            Told::Lost => self.connected.send_modify(|count| *count = count.saturating_sub(1)),
            Told::ReportAgain => drop(self.reports_again.fetch_add(1, Ordering::Relaxed)),
            Told::OldRequest => drop(self.old_requests.fetch_add(1, Ordering::Relaxed)),
            Told::Installed => drop(self.installed.fetch_add(1, Ordering::Relaxed)),
            Told::Conflict => drop(self.conflicts.fetch_add(1, Ordering::Relaxed)),
        }
    }

    /// How many panels are connected now.
    pub(super) fn connected(&self) -> watch::Receiver<usize> {
        self.connected.subscribe()
    }

    /// How often a panel has installed what it was asked for.
    pub(super) fn installed(&self) -> usize {
        self.installed.load(Ordering::Relaxed)
    }

    /// When panels have connected, since the last call.
    pub(super) fn take_connections(&self) -> Vec<Instant> {
        std::mem::take(&mut self.since.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What went another way than usual.
    pub(super) fn unusual(&self) -> String {
        format!(
            "{} reports sent again, {} old requests offered, {} conflicts",
            self.reports_again.load(Ordering::Relaxed),
            self.old_requests.load(Ordering::Relaxed),
            self.conflicts.load(Ordering::Relaxed)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_counted() {
        let tally = Tally::default();
        tally.read(&b"connected\nconnected\nlost\nreport again\nold request\n"[..]);
        assert_eq!((*tally.connected().borrow(), tally.take_connections().len()), (1, 2));
        let unusual = "1 reports sent again, 1 old requests offered, 0 conflicts";
        assert_eq!(tally.unusual(), unusual);
    }
}
