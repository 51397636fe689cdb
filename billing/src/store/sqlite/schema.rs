//! The tables and their indices, and how an older file gets them. Times are Unix times in milliseconds;
//! MAC addresses are upper case with colons.

use std::time::Duration;

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

use super::OpenError;
use crate::schedule::rfc_3339;

/// More than there are, so that each is prepared once for each connection.
const CACHED_STATEMENTS: usize = 300;

/// Each brings a database from the version of its place in the list to the next one. Databases of every
/// version exist, so none of these files ever changes; a change is one more at the end.
const MIGRATIONS: [&str; 24] = [
    include_str!("schema/01_intercoms_and_requests.sql"),
    include_str!("schema/02_strangers.sql"),
    include_str!("schema/03_tokens.sql"),
    include_str!("schema/04_boards_by_name.sql"),
    include_str!("schema/05_factories.sql"),
    include_str!("schema/06_reports_of_a_request.sql"),
    include_str!("schema/07_asked_boards.sql"),
    include_str!("schema/08_client_id.sql"),
    include_str!("schema/09_no_tokens_by_board.sql"),
    include_str!("schema/10_hardware_and_titles.sql"),
    include_str!("schema/11_swaps.sql"),
    include_str!("schema/12_sessions.sql"),
    include_str!("schema/13_webhooks.sql"),
    include_str!("schema/14_schedules.sql"),
    include_str!("schema/15_credentials.sql"),
    include_str!("schema/16_retention.sql"),
    include_str!("schema/17_longer_words.sql"),
    include_str!("schema/18_audit.sql"),
    include_str!("schema/19_long_histories.sql"),
    include_str!("schema/20_delivery_log.sql"),
    include_str!("schema/21_imports.sql"),
    include_str!("schema/22_spares_that_are_asked.sql"),
    include_str!("schema/23_boards_can_show_themselves.sql"),
    include_str!("schema/24_identities_held_once.sql"),
];

/// Brings the tables to this version and sets the connection up: a commit that returned survives a
/// power cut.
pub(super) fn prepare(connection: &mut Connection) -> Result<(), OpenError> {
    set_up(connection)?;
    refuse_foreign(connection)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    migrate(connection, &MIGRATIONS)
}

/// A database of another program, or of a newer version, stays as it is.
fn refuse_foreign(connection: &Connection) -> Result<(), OpenError> {
    // One statement: another process may make the tables in this moment.
    let (version, is_empty, has_service): (i64, bool, bool) = connection.query_row(
        "SELECT (SELECT user_version FROM pragma_user_version),
            NOT EXISTS (SELECT 1 FROM sqlite_schema),
            EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'service')",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    match usize::try_from(version) {
        Ok(0) if is_empty => Ok(()),
        Ok(1..) if has_service => Ok(()),
        Ok(known) if known <= MIGRATIONS.len() => Err(OpenError::Foreign),
        _ => Err(OpenError::Newer(version)),
    }
}

/// Whether a database has this service's tables, of this version or an older one.
pub(super) fn is_ours(connection: &Connection) -> rusqlite::Result<bool> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let is_known = usize::try_from(version).is_ok_and(|version| version <= MIGRATIONS.len());
    Ok(version > 0 && is_known && connection.table_exists(None, "service")?)
}

/// The version of tables that are not this version's, 0 where there are none.
pub(in crate::store) fn of_another_version(
    connection: &Connection,
) -> rusqlite::Result<Option<i64>> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let is_current = usize::try_from(version).is_ok_and(|version| version == MIGRATIONS.len());
    Ok((!is_current).then_some(version))
}

/// What every connection needs.
pub(super) fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("rfc_3339", 1, flags, |call| {
        Ok(call.get::<Option<i64>>(0)?.map(rfc_3339))
    })?;
    connection.busy_timeout(Duration::from_secs(5))
}

fn migrate(connection: &mut Connection, migrations: &[&str]) -> Result<(), OpenError> {
    let transaction = connection.transaction()?;
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let missing = usize::try_from(version).ok().and_then(|done| migrations.get(done..));
    for (next, migration) in (version + 1..).zip(missing.ok_or(OpenError::Newer(version))?) {
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", next)?;
    }
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(connection: &Connection) -> Vec<(String, Option<String>)> {
        connection
            .prepare("SELECT name, sql FROM sqlite_schema ORDER BY name")
            .and_then(|mut all| all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
            .expect("the schema")
    }

    #[test]
    fn a_file_of_any_older_version_gets_the_tables_of_a_new_one() {
        let mut new = Connection::open_in_memory().expect("a database");
        prepare(&mut new).expect("the tables");
        for version in 1..MIGRATIONS.len() {
            let mut old = Connection::open_in_memory().expect("a database");
            migrate(&mut old, &MIGRATIONS[..version]).expect("the tables of that time");
            prepare(&mut old).expect("the tables of today");
            assert_eq!(objects(&old), objects(&new), "from version {version}");
        }
    }

    #[test]
    fn intercoms_of_an_older_file_with_one_serial_number_keep_it_and_no_other_gets_it() {
        let mut file = Connection::open_in_memory().expect("a database");
        migrate(&mut file, &MIGRATIONS[..23]).expect("the tables of that time");
        let door = "INSERT INTO intercoms (confirmed_mac, confirmed_serial_number, desired_mac,
                desired_serial_number, status, source, seq)
            VALUES (?1, ?2, ?1, ?2, 'installed', 'auto', 1)";
        for mac in ["A", "B", "C"] {
            file.execute(door, [mac, "S1"]).expect("a row");
        }
        prepare(&mut file).expect("the tables of today");
        let of_s1 = "SELECT group_concat(confirmed_mac) FROM intercoms
            WHERE confirmed_serial_number = 'S1'";
        let macs: String = file.query_row(of_s1, [], |row| row.get(0)).expect("a row");
        assert_eq!(macs, "A,B,C");
        file.execute(door, ["D", "S1"]).expect_err("S1 is another's");
        file.execute(door, ["D", "S2"]).expect("a row");
    }

    #[test]
    fn what_an_older_file_tells_of_the_hardware_of_a_door_is_taken_over() {
        let mut file = Connection::open_in_memory().expect("a database");
        migrate(&mut file, &MIGRATIONS[..9]).expect("the tables of that time");
        file.execute_batch(
            "INSERT INTO intercoms (id, title, confirmed_mac, desired_mac, status, source, seq)
                 VALUES (1, 'North gate', 'C', 'C', 'installed', 'auto', 1);
             INSERT INTO requests (request_id, intercom_id, seq, from_mac, to_mac, state, asked_ms,
                 ended_ms)
                 VALUES ('b', 1, 1, 'A', 'B', 'installed', 1, 2),
                     ('x', 1, 2, 'B', 'X', 'failed', 3, 4),
                     ('c', 1, 3, 'B', 'C', 'installed', 5, 6);",
        )
        .expect("rows");
        prepare(&mut file).expect("the tables of today");
        let read = |sql| file.query_row(sql, [], |row| row.get::<_, String>(0)).expect("a row");
        let hardware = "SELECT json_group_array(json_array(mac, since_ms, until_ms, request_id))
             FROM (SELECT * FROM hardware ORDER BY number)";
        let expected = r#"[["A",null,2,null],["B",2,6,"b"],["C",6,null,"c"]]"#;
        assert_eq!(read(hardware), expected);
        assert_eq!(read("SELECT group_concat(rowid) FROM titles WHERE titles MATCH 'nor*'"), "1");
    }
}
