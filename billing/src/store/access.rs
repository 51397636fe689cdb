//! What the operations of the store run on: a snapshot to read, or a transaction to change.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Deref;

use uuid::Uuid;

use super::changes::Changed;
use super::counters::Counted;
use super::engine::{Engine, More, Params, Row};
use super::statement::Sql;
use super::{Error, Result};
use crate::host::Host;

/// One consistent state of the database.
pub struct Snapshot<'c> {
    engine: &'c dyn Engine,
    host: &'c dyn Host,
    now_ms: i64,
}

/// A snapshot that can be changed. What it says is passed on when it is committed.
pub struct Transaction<'c> {
    snapshot: Snapshot<'c>,
    said: RefCell<Said>,
}

/// What a transaction says about itself.
#[derive(Default)]
pub(super) struct Said {
    pub(super) changed: BTreeSet<Changed>,
    pub(super) counted: Vec<Counted>,
}

impl Said {
    pub(super) fn append(&mut self, mut later: Said) {
        self.changed.append(&mut later.changed);
        self.counted.append(&mut later.counted);
    }
}

impl<'c> Snapshot<'c> {
    pub(super) fn on(engine: &'c dyn Engine, host: &'c dyn Host) -> Self {
        Snapshot { engine, host, now_ms: host.now_ms() }
    }

    /// What the wall clock said at the beginning, Unix time in milliseconds: what is done in one step
    /// has one time, by which its rows are found again.
    pub fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// The only row, or the first one.
    pub(super) fn one<T>(
        &self,
        sql: Sql,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        self.first(sql, params, read)?.ok_or(Error::NoRow)
    }

    /// The first row, if there is one.
    pub(super) fn first<T>(
        &self,
        sql: Sql,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let (mut read, mut found) = (Some(read), None);
        self.engine.rows(sql, &params.bound(), &mut |row| {
            found = read.take().map(|read| read(row)).transpose()?;
            Ok(More::Enough)
        })?;
        Ok(found)
    }

    pub(super) fn all<T>(
        &self,
        sql: Sql,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut all = Vec::new();
        self.engine.rows(sql, &params.bound(), &mut |row| {
            all.push(read(row)?);
            Ok(More::Wanted)
        })?;
        Ok(all)
    }
}

impl<'c> Transaction<'c> {
    pub(super) fn on(engine: &'c dyn Engine, host: &'c dyn Host) -> Self {
        Transaction { snapshot: Snapshot::on(engine, host), said: RefCell::default() }
    }

    /// A new name that nobody else has, for a request.
    pub(crate) fn fresh_id(&self) -> Uuid {
        self.snapshot.host.fresh_id()
    }

    /// How many rows were changed.
    pub(super) fn execute(&self, sql: Sql, params: impl Params) -> Result<usize> {
        self.snapshot.engine.execute(sql, &params.bound())
    }

    /// The new row's ID, which the statement returns.
    pub(super) fn insert(&self, sql: Sql, params: impl Params) -> Result<i64> {
        self.one(sql, params, |row| row.get(0))
    }

    /// Offers may depend on it.
    pub(crate) fn changed(&self, what: Changed) {
        self.said.borrow_mut().changed.insert(what);
    }

    /// The metrics count it.
    pub(crate) fn count(&self, what: Counted) {
        self.said.borrow_mut().counted.push(what);
    }

    pub(super) fn into_said(self) -> Said {
        self.said.into_inner()
    }
}

impl<'c> Deref for Transaction<'c> {
    type Target = Snapshot<'c>;

    fn deref(&self) -> &Snapshot<'c> {
        &self.snapshot
    }
}
