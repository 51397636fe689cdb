//! The PostgreSQL database that a copy goes to.

use postgres::Client;
use postgres::binary_copy::BinaryCopyInWriter;
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::{ToSql, Type};
use rusqlite::types::Value;

use super::tables::{TABLES, Table};
use super::{CopyError, Digest};
use crate::store::Error;
use crate::store::postgres::{Bound, Server, UNFINISHED, is_unfinished, prepare};
use crate::store::row::value;

pub(super) struct Target(Client);

impl Target {
    /// Begins a copy of the database of that issuer, or goes on with it.
    pub(super) fn begin(server: &Server, issuer: &str) -> Result<Self, CopyError> {
        prepare(server)?;
        let mut client = server.connect()?;
        // Rows that were added one by one are read again by a scan: the time limits of a service do not fit.
        client.batch_execute(
            "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0",
        )?;
        let row = client.query_one("SELECT ends > clock_timestamp() FROM leader", &[])?;
        if row.try_get(0)? {
            return Err(CopyError::InUse);
        }
        let mut transaction = client.transaction()?;
        if is_unfinished(&mut transaction)? {
            let of: String = transaction
                .query_one(&format!("SELECT issuer FROM {UNFINISHED}"), &[])?
                .try_get(0)?;
            if of != issuer {
                return Err(CopyError::NotEmpty);
            }
        } else {
            let is_used: bool = transaction
                .query_one(
                    "SELECT EXISTS (SELECT 1 FROM intercoms) OR EXISTS (SELECT 1 FROM tokens)
                        OR EXISTS (SELECT 1 FROM audit)",
                    &[],
                )?
                .try_get(0)?;
            if is_used {
                return Err(CopyError::NotEmpty);
            }
            let names = TABLES.map(|table| table.name).join(", ");
            transaction.batch_execute(&format!(
                "TRUNCATE {names}; CREATE TABLE {UNFINISHED} (issuer TEXT NOT NULL)"
            ))?;
            transaction.execute(&format!("INSERT INTO {UNFINISHED} VALUES ($1)"), &[&issuer])?;
        }
        transaction.commit()?;
        Ok(Target(client))
    }

    /// The key of the last row that is there; nothing if there is none.
    pub(super) fn last(&mut self, table: Table) -> Result<Vec<Value>, CopyError> {
        let newest_first: Vec<String> =
            table.key.iter().map(|column| format!("{column} DESC")).collect();
        let text = format!(
            "SELECT {} FROM {} ORDER BY {} LIMIT 1",
            table.key.join(", "),
            table.name,
            newest_first.join(", ")
        );
        let row = self.0.query_opt(&text, &[])?;
        row.map_or(Ok(Vec::new()), |row| values(&row))
    }

    pub(super) fn add(
        &mut self,
        table: Table,
        columns: &[String],
        rows: &[Vec<Value>],
    ) -> Result<(), CopyError> {
        let names = columns.join(", ");
        let kinds: Vec<Type> = {
            let none = self.0.prepare(&format!("SELECT {names} FROM {}", table.name))?;
            none.columns().iter().map(|column| column.type_().clone()).collect()
        };
        let mut transaction = self.0.transaction()?;
        let text = format!("COPY {} ({names}) FROM STDIN (FORMAT binary)", table.name);
        let mut writer = BinaryCopyInWriter::new(transaction.copy_in(&text)?, &kinds);
        for row in rows {
            let bound: Vec<Bound> = row.iter().cloned().map(Bound::from).collect();
            let row: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|value| value as _).collect();
            writer.write(&row)?;
        }
        writer.finish()?;
        Ok(transaction.commit()?)
    }

    pub(super) fn digest(&mut self, table: Table, columns: &[String]) -> Result<Digest, CopyError> {
        let text = format!(
            "SELECT {} FROM {} ORDER BY {}",
            columns.join(", "),
            table.name,
            table.key.join(", ")
        );
        let mut digest = Digest::new();
        let mut rows = self.0.query_raw::<_, &str, _>(&text, [])?;
        while let Some(row) = rows.next()? {
            digest.add(&values(&row)?);
        }
        Ok(digest)
    }

    /// What is new from now on gets higher numbers than all that there ever were, and a service may use it.
    pub(super) fn end(mut self, sequences: &[(String, i64)]) -> Result<(), CopyError> {
        let mut transaction = self.0.transaction()?;
        for (table, last) in sequences {
            let key = TABLES.iter().find(|known| known.name == table).map(|known| known.key);
            if let Some([column, ..]) = key {
                transaction.execute(
                    "SELECT setval(pg_get_serial_sequence($1, $2), greatest($3::bigint, 1), $3 > 0)",
                    &[table, column, last],
                )?;
            }
        }
        transaction.batch_execute(&format!("DROP TABLE {UNFINISHED}"))?;
        transaction.commit()?;
        self.0.batch_execute("ANALYZE")?;
        Ok(())
    }
}

fn values(row: &postgres::Row) -> Result<Vec<Value>, CopyError> {
    let values = (0..row.len()).map(|place| {
        let value = value(row, place)?.try_into();
        Ok(value.map_err(|why| Error::column(place, why))?)
    });
    values.collect()
}
