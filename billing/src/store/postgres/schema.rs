//! The tables in PostgreSQL, and how an older database gets them.

use postgres::GenericClient;

use super::connection::WRITERS;
use super::server::Server;
use crate::store::{OpenError, Result};

/// Each brings a database from the version of its place in the list to the next one. None of these files
/// ever changes; a change is one more at the end.
const MIGRATIONS: [&str; 1] = [include_str!("schema/01_tables.sql")];

/// The table that is there while a copy from a file is not finished.
pub(in crate::store) const UNFINISHED: &str = "intercom_billing_copy";

/// Whether a copy into this database was begun and is not finished.
pub(in crate::store) fn is_unfinished(
    client: &mut impl GenericClient,
) -> Result<bool, postgres::Error> {
    client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&UNFINISHED])?.try_get(0)
}

/// Brings the tables to this version. Another process may do the same now: it waits.
pub(in crate::store) fn prepare(server: &Server) -> Result<(), OpenError> {
    let mut client = server.connect()?;
    // A change of a large table may take its time.
    client.batch_execute("SET statement_timeout = 0")?;
    let encoding: String = client.query_one("SHOW server_encoding", &[])?.try_get(0)?;
    if encoding != "UTF8" {
        return Err(OpenError::Encoding(encoding));
    }
    let mut transaction = client.transaction()?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&WRITERS])?;
    let (is_empty, has_version): (bool, bool) = {
        let row = transaction.query_one(
            "SELECT NOT EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = current_schema),
                EXISTS (SELECT 1 FROM pg_tables
                    WHERE schemaname = current_schema AND tablename = 'intercom_billing_schema')",
            &[],
        )?;
        (row.try_get(0)?, row.try_get(1)?)
    };
    let version: i64 = match (is_empty, has_version) {
        (true, _) => 0,
        (false, true) => {
            transaction.query_one("SELECT version FROM intercom_billing_schema", &[])?.try_get(0)?
        }
        (false, false) => return Err(OpenError::Foreign),
    };
    let known = usize::try_from(version).ok().and_then(|version| MIGRATIONS.get(version..));
    let missing = known.ok_or(OpenError::Newer(version))?;
    if version == 0 {
        transaction.batch_execute(
            "CREATE TABLE intercom_billing_schema (version BIGINT NOT NULL);
             INSERT INTO intercom_billing_schema VALUES (0)",
        )?;
    }
    for migration in missing {
        transaction.batch_execute(migration)?;
    }
    let newest = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    transaction.execute("UPDATE intercom_billing_schema SET version = $1", &[&newest])?;
    Ok(transaction.commit()?)
}

/// The same, and refuses a database into which a copy is not finished. Returns the number of the last
/// change, from which on a process follows what is committed.
pub(in crate::store) fn prepare_to_serve(server: &Server) -> Result<i64, OpenError> {
    prepare(server)?;
    let mut client = server.connect()?;
    if is_unfinished(&mut client)? {
        return Err(OpenError::Unfinished);
    }
    let last = client.query_one("SELECT coalesce(max(number), 0) FROM changes", &[])?;
    Ok(last.try_get(0)?)
}
