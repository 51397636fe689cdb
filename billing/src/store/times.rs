//! Times as people read and write them. SQLite knows the calendar.

use rusqlite::Result;

use super::Snapshot;
use super::statement::statements;

statements! {
    AS_TEXT = "SELECT strftime('%Y-%m-%dT%H:%M:%SZ', ?1 / 1000, 'unixepoch')";
    READ = "SELECT unixepoch(?1) * 1000 WHERE ?1 GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*'";
}

/// A time, Unix time in milliseconds, as RFC 3339 in UTC.
pub fn as_text(snapshot: &Snapshot<'_>, at_ms: i64) -> Result<String> {
    snapshot.one(AS_TEXT, [at_ms], |row| row.get(0))
}

/// A date, or a time as RFC 3339, as Unix time in milliseconds; `None` if it is neither.
pub fn read(snapshot: &Snapshot<'_>, text: &str) -> Result<Option<i64>> {
    Ok(snapshot.first(READ, [text], |row| row.get(0))?.flatten())
}
