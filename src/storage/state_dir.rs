//! The state directory on a real disk.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::{Disk, NotDurable, durability};
use crate::file_error::of_file;
use crate::root::Root;
use crate::text::open_file;

/// A directory that only the agent writes to, readable by its owner alone.
#[derive(Debug, Clone)]
pub struct StateDir {
    /// Where it really is.
    dir: PathBuf,
    /// Where the board has it.
    board_dir: PathBuf,
    /// The kernel's table of mounts; a sandboxed board need not have one.
    mountinfo: Option<PathBuf>,
}

impl StateDir {
    /// The directory at `dir`. Whether it is there and can be written shows with the first use.
    pub fn new(root: &Root, dir: &Path) -> Self {
        let mountinfo = root.path("/proc/self/mountinfo");
        StateDir {
            dir: root.path(dir),
            board_dir: dir.to_owned(),
            mountinfo: (!root.is_sandbox() || mountinfo.exists()).then_some(mountinfo),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.dir
    }

    fn error(&self, name: &str, why: io::Error) -> io::Error {
        of_file(self.dir.join(name), why)
    }
}

impl Disk for StateDir {
    fn read(&mut self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        let opened = open_file(&self.dir.join(name));
        match opened.and_then(|mut file| file.read_to_end(&mut bytes)) {
            Ok(_) => Ok(Some(bytes)),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(why) => Err(self.error(name, why)),
        }
    }

    fn create(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(self.dir.join(name))
            .and_then(|mut file| file.write_all(bytes))
            .map_err(|why| self.error(name, why))
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        File::open(self.dir.join(name))
            .and_then(|file| file.sync_all())
            .map_err(|why| self.error(name, why))
    }

    fn link(&mut self, from: &str, to: &str) -> io::Result<()> {
        fs::hard_link(self.dir.join(from), self.dir.join(to)).map_err(|why| self.error(to, why))
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.dir.join(from), self.dir.join(to)).map_err(|why| self.error(from, why))
    }

    fn remove(&mut self, name: &str) -> io::Result<bool> {
        match fs::remove_file(self.dir.join(name)) {
            Ok(()) => Ok(true),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(why) => Err(self.error(name, why)),
        }
    }

    fn sync_dir(&mut self) -> io::Result<()> {
        File::open(&self.dir).and_then(|dir| dir.sync_all()).map_err(|why| of_file(&self.dir, why))
    }

    fn is_durable(&mut self) -> Result<(), NotDurable> {
        let Some(mountinfo) = &self.mountinfo else { return Ok(()) };
        let table = fs::read_to_string(mountinfo)
            .map_err(|why| NotDurable::Table(mountinfo.clone(), why))?;
        durability::check(&table, &self.board_dir)
    }
}
