//! One service for one database: two that share a client ID would take each other's session over
//! on the broker, without end.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The longest text that is read from a lock file: who holds it.
const MAX_HOLDER_BYTES: u64 = 200;

/// The advisory lock on a database, held until this is dropped or the process ends. It is on a
/// file beside the database: closing a file that SQLite has open would drop SQLite's own locks.
#[derive(Debug)]
pub struct Lock {
    _held: File,
}

/// Why the lock is not held.
#[derive(Debug)]
pub enum LockError {
    /// Another service holds it.
    Held {
        /// The lock file.
        file: PathBuf,
        /// What the other service has written there about itself.
        holder: String,
    },
    /// The lock file cannot be used.
    File {
        /// The lock file.
        file: PathBuf,
        /// What the kernel says.
        why: io::Error,
    },
}

impl Lock {
    /// Takes the lock on a database and says there who holds it.
    ///
    /// # Errors
    /// Another service holds it, or its file, `DATABASE.lock`, cannot be written.
    pub fn take(database: &Path) -> Result<Self, LockError> {
        // By whatever name the database is given. One that is not there yet has no other name.
        let database = database.canonicalize().unwrap_or_else(|_| database.to_owned());
        let mut file = database.into_os_string();
        file.push(".lock");
        let path = PathBuf::from(file);
        let failed = |why| LockError::File { file: path.clone(), why };
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .mode(0o600)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(why)) => return Err(failed(why)),
            Err(TryLockError::WouldBlock) => {
                let mut text = Vec::new();
                lock.take(MAX_HOLDER_BYTES).read_to_end(&mut text).map_err(failed)?;
                let holder = String::from_utf8_lossy(&text).trim().to_owned();
                return Err(LockError::Held { file: path, holder });
            }
        }
        lock.set_len(0).map_err(failed)?;
        writeln!(lock, "process {}", std::process::id()).map_err(failed)?;
        Ok(Lock { _held: lock })
    }
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LockError::Held { file, holder } => {
                // It is empty for a moment while the other service starts.
                let holder = if holder.is_empty() { "a process" } else { holder };
                write!(
                    f,
                    "another intercom-billing serves it ({holder}, which holds {}): stop that one, \
                     or give this one a database of its own",
                    file.display()
                )
            }
            LockError::File { file, why } => {
                write!(f, "the lock file {} cannot be used: {why}", file.display())
            }
        }
    }
}

impl std::error::Error for LockError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            LockError::Held { .. } => None,
            LockError::File { why, .. } => Some(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_service_is_told_who_holds_the_database() {
        let dir = tempfile::TempDir::new().expect("a directory");
        let database = dir.path().join("billing.sqlite");
        let first = Lock::take(&database).expect("free");
        let why = Lock::take(&database).expect_err("held").to_string();
        assert!(why.contains(&format!("process {}, ", std::process::id())), "{why}");
        assert!(why.contains("billing.sqlite.lock"), "{why}");
        drop(first);
        Lock::take(&database).expect("free again");
    }

    #[test]
    fn a_link_to_the_database_leads_to_the_same_lock() {
        let dir = tempfile::TempDir::new().expect("a directory");
        let (database, link) = (dir.path().join("billing.sqlite"), dir.path().join("link"));
        File::create(&database).expect("a file");
        std::os::unix::fs::symlink(&database, &link).expect("a link");
        let _first = Lock::take(&database).expect("free");
        let why = Lock::take(&link).expect_err("held").to_string();
        assert!(why.contains("billing.sqlite.lock"), "{why}");
    }

    #[test]
    fn a_lock_file_that_cannot_be_made_is_named() {
        let why = Lock::take(Path::new("/proc/none/b")).expect_err("no directory").to_string();
        assert!(why.contains("/proc/none/b.lock"), "{why}");
    }
}
