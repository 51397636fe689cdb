//! One writer: whoever changes the record holds the lock on its directory.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use crate::file_error::of_file;

const FILE: &str = "lock";

/// Held for as long as the process may change the record; the kernel lets go of it at any death.
#[derive(Debug)]
pub struct StateDirLock(#[allow(dead_code, reason = "held, never looked at")] Option<Flock<File>>);

impl StateDirLock {
    /// Takes the lock on the directory, which is made if it is not there.
    ///
    /// # Errors
    /// `WouldBlock` if another process holds it.
    pub fn take(dir: &Path) -> io::Result<Self> {
        // Not truncated: that would set its time, and a file system on flash writes it down.
        let mut lock = OpenOptions::new();
        lock.write(true).create(true).truncate(false);
        let file = make_durable_dir(dir).and_then(|()| lock.open(dir.join(FILE)));
        let file = match file {
            Ok(file) => file,
            // Nobody can write here, so there is nothing to keep apart; every change ends as failed.
            Err(why) if why.raw_os_error() == Some(Errno::EROFS as i32) => {
                return Ok(StateDirLock(None));
            }
            Err(why) => return Err(of_file(dir, why)),
        };
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => Ok(StateDirLock(Some(lock))),
            Err((_, Errno::EWOULDBLOCK)) => Err(io::Error::new(
                io::ErrorKind::WouldBlock,
                format!(
                    "another intercom-agent works in {}; wait until it has ended, or stop it",
                    dir.display()
                ),
            )),
            Err((_, why)) => Err(of_file(dir, why.into())),
        }
    }

    /// Whether another process holds the lock on the directory now. Writes nothing.
    pub fn is_held(dir: &Path) -> bool {
        File::open(dir.join(FILE)).is_ok_and(|file| {
            let taken = Flock::lock(file, FlockArg::LockSharedNonblock);
            matches!(taken, Err((_, Errno::EWOULDBLOCK)))
        })
    }
}

/// Makes the directory and everything above it, each name durable: a record in a directory that a
/// power cut takes away again would be no record.
fn make_durable_dir(dir: &Path) -> io::Result<()> {
    match fs::metadata(dir) {
        Ok(found) if found.is_dir() => return Ok(()),
        Ok(_) => return Err(io::ErrorKind::NotADirectory.into()),
        Err(_) => {}
    }
    if let Some(parent) = dir.parent().filter(|parent| *parent != Path::new("")) {
        make_durable_dir(parent)?;
        fs::create_dir_all(dir)?;
        return File::open(parent)?.sync_all();
    }
    fs::create_dir_all(dir)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Sandbox;
    use std::time::SystemTime;

    #[test]
    fn whether_the_lock_is_held_is_found_out_without_making_it() {
        let sandbox = Sandbox::new();
        let dir = sandbox.root().path(Path::new("/state"));
        assert!(!StateDirLock::is_held(&dir) && !dir.exists());
        let lock = StateDirLock::take(&dir).expect("taken");
        assert!(StateDirLock::is_held(&dir));
        drop(lock);
        assert!(!StateDirLock::is_held(&dir));
    }

    #[test]
    fn taking_the_lock_again_writes_nothing() {
        let sandbox = Sandbox::new();
        let dir = sandbox.root().path(Path::new("/state"));
        drop(StateDirLock::take(&dir).expect("taken"));
        let file = File::open(dir.join(FILE)).expect("the lock's file");
        file.set_modified(SystemTime::UNIX_EPOCH).expect("a time long ago");
        drop(StateDirLock::take(&dir).expect("taken again"));
        let modified = file.metadata().and_then(|now| now.modified()).expect("its time");
        assert_eq!(modified, SystemTime::UNIX_EPOCH);
    }
}
