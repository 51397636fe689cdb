//! One connection to PostgreSQL. It is made anew when it was lost.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use postgres::types::{ToSql, Type};
use postgres::{Client, IsolationLevel, Statement, Transaction};

use super::placeholders::numbered;
use super::server::{NOTIFY, Server};
use super::value::Bound;
use crate::host::Host;
use crate::store::access::{self, Said};
use crate::store::changes::Changed;
use crate::store::connection::{self, Call, run};
use crate::store::engine::{Engine, More, Param, Row};
use crate::store::statement::Sql;
use crate::store::{Error, Result};

/// The number of the lock that a writer holds until it has committed: one writes at a time, whichever
/// process it belongs to, as with SQLite.
pub(super) const WRITERS: i64 = 0x69_6e_74_65_72_63_6f_6d;
/// How many changes are kept for a leader that has yet to read them.
const KEPT_CHANGES: i64 = 100_000;

/// A connection that was not used for so long is asked whether it is still there.
const IDLE: Duration = Duration::from_secs(1);
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// The statements that a connection has prepared, by their text and the types of their values.
type Prepared = HashMap<(&'static str, Vec<Type>), Statement>;

/// A connection that is open, or will be.
pub(in crate::store) struct Connection {
    server: Server,
    client: Option<Client>,
    used: Instant,
    prepared: RefCell<Prepared>,
}

impl Connection {
    pub(in crate::store) fn to(server: &Server) -> Self {
        Connection {
            server: server.clone(),
            client: None,
            used: Instant::now(),
            prepared: RefCell::default(),
        }
    }

    fn open(&mut self) -> Result<(&mut Client, &RefCell<Prepared>)> {
        let is_idle = std::mem::replace(&mut self.used, Instant::now()).elapsed() > IDLE;
        // The library sees that the server has ended a connection only when it is used.
        let is_good = |client: &mut Client| {
            !client.is_closed() && (!is_idle || client.is_valid(ANSWERS_WITHIN).is_ok())
        };
        let known =
            self.client.take().and_then(|mut client| is_good(&mut client).then_some(client));
        let client = match known {
            Some(client) => client,
            None => {
                // The statements went with their connection.
                self.prepared.borrow_mut().clear();
                self.server.connect()?
            }
        };
        Ok((self.client.insert(client), &self.prepared))
    }
}

impl Drop for Connection {
    /// Closing waits for the server, which the threads of an asynchronous runtime must not.
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            std::thread::spawn(move || drop(client));
        }
    }
}

impl connection::Connection for Connection {
    fn read(&mut self, work: &mut dyn FnMut(&dyn Engine)) -> Result<()> {
        let (client, prepared) = self.open()?;
        let transaction = client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()?;
        work(&Open { transaction: RefCell::new(transaction), prepared });
        Ok(())
    }

    fn write(&mut self, calls: &mut [Box<dyn Call>], host: &dyn Host) -> Result<Said> {
        let (client, prepared) = self.open()?;
        // Each statement sees what was committed before it; the lock lets nobody commit meanwhile.
        let mut transaction =
            client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).start()?;
        // One round trip, as nothing is prepared for it.
        transaction.batch_execute(&format!("SELECT pg_advisory_xact_lock({WRITERS})"))?;
        let mut epoch: Option<i64> = None;
        let mut said = Said::default();
        for call in calls {
            if let Some(theirs) = call.epoch() {
                let ours = match epoch {
                    Some(epoch) => epoch,
                    // The key is held until the commit: nobody else leads before it, and the lease can be
                    // renewed meanwhile.
                    None => *epoch.insert(
                        transaction
                            .query_one("SELECT epoch FROM leader FOR KEY SHARE", &[])?
                            .try_get(0)?,
                    ),
                };
                if theirs != ours {
                    call.refuse(Error::Deposed(theirs));
                    continue;
                }
            }
            let savepoint =
                Open { transaction: RefCell::new(transaction.savepoint("call")?), prepared };
            let access = access::Transaction::on(&savepoint, host);
            let is_done = run(&mut **call, &access);
            let called = access.into_said();
            let savepoint = savepoint.transaction.into_inner();
            if is_done {
                said.append(called);
                savepoint.commit()?;
            } else {
                savepoint.rollback()?;
            }
        }
        tell(&mut transaction, &said)?;
        transaction.commit()?;
        // They come back by the feed, as those of the other processes do.
        said.changed.clear();
        Ok(said)
    }
}

/// Keeps what has changed for whoever leads, and wakes every process up.
fn tell(transaction: &mut Transaction<'_>, said: &Said) -> Result<()> {
    if !said.changed.is_empty() {
        let changed: Vec<String> = said.changed.iter().map(Changed::to_string).collect();
        let number: i64 = transaction
            .query_one(
                "WITH new AS (INSERT INTO changes (what) SELECT unnest($1::text[]) RETURNING number)
                 SELECT max(number) FROM new",
                &[&changed],
            )?
            .try_get(0)?;
        let oldest = number - KEPT_CHANGES;
        transaction.execute("DELETE FROM changes WHERE number <= $1", &[&oldest])?;
    }
    transaction.batch_execute(NOTIFY)?;
    Ok(())
}

/// A connection within a transaction.
struct Open<'c> {
    transaction: RefCell<Transaction<'c>>,
    prepared: &'c RefCell<Prepared>,
}

impl Open<'_> {
    fn run<T>(
        &self,
        sql: Sql,
        params: &[Param<'_>],
        run: impl FnOnce(
            &mut Transaction<'_>,
            &Statement,
            &[&(dyn ToSql + Sync)],
        ) -> Result<T, postgres::Error>,
    ) -> Result<T> {
        let bound = params.iter().map(Bound::of).collect::<Result<Vec<_>>>()?;
        let kinds: Vec<Type> = bound.iter().map(Bound::kind).collect();
        let mut transaction = self.transaction.borrow_mut();
        let key = (sql.postgres(), kinds);
        let known = self.prepared.borrow().get(&key).cloned();
        let statement = match known {
            Some(statement) => statement,
            None => {
                let statement = transaction.prepare_typed(&numbered(key.0, params), &key.1)?;
                self.prepared.borrow_mut().insert(key, statement.clone());
                statement
            }
        };
        let values: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|value| value as _).collect();
        Ok(run(&mut transaction, &statement, &values)?)
    }
}

impl Engine for Open<'_> {
    fn rows(
        &self,
        sql: Sql,
        params: &[Param<'_>],
        read: &mut dyn FnMut(&Row<'_>) -> Result<More>,
    ) -> Result<()> {
        let rows = self.run(sql, params, |transaction, statement, values| {
            transaction.query(statement, values)
        })?;
        for row in &rows {
            if read(&Row::Postgres(row))? == More::Enough {
                break;
            }
        }
        Ok(())
    }

    fn execute(&self, sql: Sql, params: &[Param<'_>]) -> Result<usize> {
        let changed = self.run(sql, params, |transaction, statement, values| {
            transaction.execute(statement, values)
        })?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }
}
