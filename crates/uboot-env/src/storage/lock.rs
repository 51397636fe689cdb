//! The lock that `fw_printenv` and `fw_setenv` take too. Who cannot have it in time gets an error, and
//! neither reads nor writes.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use super::error::Error;
use super::paths::LOCK;
use super::root::under;

/// Far longer than a tool needs to erase and write; one that hangs must not hang us.
const LIMIT: Duration = Duration::from_secs(5);

const BETWEEN: Duration = Duration::from_millis(20);

/// Held until it is dropped.
pub(crate) type Held = Flock<File>;

/// The lock's file, and how long to wait for it.
#[derive(Debug)]
pub(crate) struct LockFile {
    path: PathBuf,
    limit: Duration,
}

impl LockFile {
    /// The lock of the system at `root`.
    pub(crate) fn of(root: &Path) -> Self {
        LockFile { path: under(root, LOCK), limit: LIMIT }
    }

    /// Held until the answer is dropped; `None` where no tool can take it either.
    pub(crate) fn take(&self) -> Result<Option<Held>, Error> {
        let opened = OpenOptions::new().write(true).create(true).truncate(false).open(&self.path);
        let mut file = match opened {
            Ok(file) => file,
            // No such directory, or one that nobody can write to: the tools stop there.
            Err(why)
                if matches!(
                    why.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                return Ok(None);
            }
            Err(why) => return Err(Error::Lock(why)),
        };
        let until = Instant::now() + self.limit;
        loop {
            match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(held) => return Ok(Some(held)),
                Err((back, Errno::EWOULDBLOCK | Errno::EINTR)) if Instant::now() < until => {
                    file = back;
                    thread::sleep(BETWEEN);
                }
                Err((_, why)) => return Err(Error::Lock(why.into())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock_file(name: &str) -> LockFile {
        let name = format!("uboot-env-{}-{name}.lock", std::process::id());
        LockFile { path: std::env::temp_dir().join(name), limit: Duration::from_millis(60) }
    }

    #[test]
    fn a_lock_that_is_never_given_back_is_an_error_and_not_for_ever() {
        let lock = lock_file("held");
        let held = lock.take().expect("free");
        assert!(held.is_some());
        assert!(matches!(lock.take(), Err(Error::Lock(_))));
        drop(held);
        assert!(lock.take().expect("free again").is_some());
        std::fs::remove_file(&lock.path).expect("removed");
    }

    #[test]
    fn without_its_directory_no_tool_can_hold_it() {
        let lock = LockFile::of(Path::new("/nonexistent"));
        assert!(lock.take().expect("nobody else").is_none());
    }
}
