//! What every process commits, as each of them learns of it: told by NOTIFY, and looked for every second
//! in case that is lost.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use postgres::Client;
use postgres::fallible_iterator::FallibleIterator;

use super::server::{LISTEN, Server};
use crate::store::changes::{Changed, Changes};
use crate::store::{Error, Result};

const LOOKS_EVERY: Duration = Duration::from_secs(1);
/// The pause after the server was not reached.
const PAUSE: Duration = Duration::from_millis(500);

/// One process's own.
pub(in crate::store) struct Feed {
    server: Server,
    changes: Weak<Changes>,
    since_ms: Arc<AtomicI64>,
    /// Up to which number the changes were read.
    last: i64,
}

impl Feed {
    /// Passes on what was committed after the change `last`, until nobody has the changes any more. `since_ms` follows
    /// the time since when boards can show themselves.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(in crate::store) fn start(
        server: &Server,
        last: i64,
        changes: &Arc<Changes>,
        since_ms: Arc<AtomicI64>,
    ) -> std::io::Result<()> {
        let mut feed =
            Feed { server: server.clone(), changes: Arc::downgrade(changes), since_ms, last };
        let thread = thread::Builder::new().name("database feed".to_owned());
        thread.spawn(move || feed.run()).map(drop)
    }

    fn run(&mut self) {
        let mut is_told = false;
        while self.changes.strong_count() > 0 {
            match self.follow(&mut is_told) {
                Ok(()) => return,
                Err(why) if is_told => tracing::debug!("the database is still away: {why}"),
                Err(why) => {
                    tracing::warn!("what other processes commit cannot be followed: {why}");
                    is_told = true;
                }
            }
            thread::sleep(PAUSE);
        }
    }

    /// Returns when nobody has the changes any more.
    fn follow(&mut self, is_told: &mut bool) -> Result<()> {
        let mut client = self.server.connect()?;
        client.batch_execute(LISTEN)?;
        loop {
            let Some(changes) = self.changes.upgrade() else { return Ok(()) };
            changes.add(self.read(&mut client)?);
            drop(changes);
            if std::mem::take(is_told) {
                tracing::info!("what other processes commit is followed again");
            }
            let mut notifications = client.notifications();
            notifications.timeout_iter(LOOKS_EVERY).next()?;
            // One look does for all that have come meanwhile.
            while notifications.iter().next()?.is_some() {}
        }
    }

    fn read(&mut self, client: &mut Client) -> Result<BTreeSet<Changed>> {
        let service = client.query_one("SELECT since_ms FROM service", &[])?;
        self.since_ms.store(service.try_get(0)?, Ordering::Relaxed);
        let last = self.last;
        let rows = client.query(
            "SELECT number, what, (SELECT min(number) FROM changes) FROM changes
             WHERE number > $1 ORDER BY number",
            &[&last],
        )?;
        let mut changed = BTreeSet::new();
        for row in &rows {
            let (number, what, oldest): (i64, String, i64) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            if oldest > last + 1 {
                // Some may have been deleted before they were read here.
                changed.insert(Changed::Everything);
            }
            changed.insert(what.parse().map_err(|why| Error::column("what", why))?);
            self.last = number;
        }
        Ok(changed)
    }
}
