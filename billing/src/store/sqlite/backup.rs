//! A copy of a database in one file: taken while a service uses it, and put in its place again.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use tempfile::NamedTempFile;

use super::schema;

/// What the name of an unfinished copy begins with.
const UNFINISHED: &str = ".unfinished-";
/// What SQLite keeps beside a database.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Why there is no copy. Nothing is left at its place.
#[derive(Debug)]
pub enum CopyError {
    /// There is a file already where the copy, or SQLite's own file beside it, is to be.
    Exists(PathBuf),
    /// The original is not this service's, or of a newer version.
    NotOurs,
    /// SQLite finds damage.
    Damaged(String),
    /// SQLite fails.
    Sqlite(rusqlite::Error),
    /// A file cannot be written.
    File(PathBuf, io::Error),
}

/// Copies the state that a database has now, with all that was ever acknowledged. What is written
/// meanwhile does not wait for it. The copy is whole and on the disk when this returns, and until
/// then it is not there.
///
/// # Errors
/// The copy is there already or cannot be written, or the original is not a whole database of this
/// service.
pub fn copy(from: &Path, to: &Path) -> Result<(), CopyError> {
    must_be_free(to)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let original = Connection::open_with_flags(from, flags)?;
    schema::set_up(&original)?;
    if !schema::is_ours(&original)? {
        return Err(CopyError::NotOurs);
    }
    let dir = match to.parent() {
        Some(dir) if dir != Path::new("") => dir,
        _ => Path::new("."),
    };
    let cannot_write = |why| CopyError::File(to.to_owned(), why);
    let unfinished =
        tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(dir).map_err(cannot_write)?;
    write(&original, &unfinished)?;
    unfinished.as_file().sync_all().map_err(cannot_write)?;
    unfinished.persist_noclobber(to).map_err(|why| match why.error.kind() {
        io::ErrorKind::AlreadyExists => CopyError::Exists(to.to_owned()),
        _ => cannot_write(why.error),
    })?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(cannot_write)
}

/// SQLite would take a log that is left beside the copy for its own.
fn must_be_free(to: &Path) -> Result<(), CopyError> {
    let beside = BESIDE.map(|end| {
        let mut name = to.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    });
    let taken =
        [to.to_owned()].into_iter().chain(beside).find(|path| fs::symlink_metadata(path).is_ok());
    taken.map_or(Ok(()), |path| Err(CopyError::Exists(path)))
}

fn write(original: &Connection, copy: &NamedTempFile) -> Result<(), CopyError> {
    let mut copy = Connection::open(copy.path())?;
    // In one step: SQLite begins anew whenever another process writes between two.
    let step = Backup::new(original, &mut copy)?.step(-1)?;
    if step != StepResult::Done {
        return Err(CopyError::Damaged(format!("it cannot be read now ({step:?})")));
    }
    // Without a log beside it the copy is one file.
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    let found: String = copy.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    match found.as_str() {
        "ok" => Ok(()),
        _ => Err(CopyError::Damaged(found)),
    }
}

impl From<rusqlite::Error> for CopyError {
    fn from(error: rusqlite::Error) -> Self {
        CopyError::Sqlite(error)
    }
}

impl fmt::Display for CopyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CopyError::Exists(path) => write!(f, "{} is there already", path.display()),
            CopyError::NotOurs => {
                f.write_str("it is no database of intercom-billing, or a newer version wrote it")
            }
            CopyError::Damaged(found) => write!(f, "it is damaged: {found}"),
            CopyError::Sqlite(error) => error.fmt(f),
            CopyError::File(path, why) => write!(f, "{} cannot be written: {why}", path.display()),
        }
    }
}

impl std::error::Error for CopyError {}
