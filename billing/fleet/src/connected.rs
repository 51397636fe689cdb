//! What is known of the panels while they run.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::watch;

/// How many panels are connected, since when, and what they had to say twice.
#[derive(Clone, Default)]
pub(super) struct Connected {
    count: watch::Sender<usize>,
    since: Arc<Mutex<Vec<Instant>>>,
    reports_again: Arc<AtomicUsize>,
    old_requests: Arc<AtomicUsize>,
}

impl Connected {
    /// A panel is subscribed to its topics, and has its own presence back.
    pub(super) fn add(&self) {
        self.since.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
        self.count.send_modify(|count| *count += 1);
    }

    /// A panel has lost its connection, or given it up.
    pub(super) fn remove(&self) {
        self.count.send_modify(|count| *count = count.saturating_sub(1));
    }

    /// How many panels are connected now.
    pub(super) fn count(&self) -> watch::Receiver<usize> {
        self.count.subscribe()
    }

    /// When panels have connected, since the last call.
    pub(super) fn take_connections(&self) -> Vec<Instant> {
        std::mem::take(&mut self.since.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A report was sent again: the broker has taken it, and billing has not said that it has read it.
    pub(super) fn count_report_again(&self) {
        self.reports_again.fetch_add(1, Ordering::Relaxed);
    }

    /// A request came that names no nonce of the panel's connection.
    pub(super) fn count_old_request(&self) {
        self.old_requests.fetch_add(1, Ordering::Relaxed);
    }

    /// How many reports were sent again, and how many requests were old.
    pub(super) fn repeated(&self) -> (usize, usize) {
        (self.reports_again.load(Ordering::Relaxed), self.old_requests.load(Ordering::Relaxed))
    }
}
