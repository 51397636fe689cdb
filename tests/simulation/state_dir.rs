//! The agent's seam to the disk.

use std::io;

use intercom_agent::storage::{Disk, FileSystemFlaw, NotDurable};

use super::disk::{DiskState, Later, Mutant};
use super::power::Reach;
use super::world::Shared;

/// The agent's side of it.
pub struct SimulatedDisk(pub Shared);

impl SimulatedDisk {
    fn change(
        &mut self,
        name: &str,
        later: Later,
        effect: impl FnOnce(&mut DiskState, Reach),
    ) -> io::Result<()> {
        let power = self.0.borrow().power.clone();
        let shared = self.0.clone();
        if shared.borrow().disk.read_only {
            power.check()?;
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        power.call(|reach| {
            let disk = &mut shared.borrow_mut().disk;
            // To sync what is durable already writes nothing.
            disk.writes += u32::from(!matches!(later, Later::SyncDir) || !disk.journal.is_empty());
            if disk.is_late(name) {
                disk.later.push(later);
            } else {
                effect(disk, reach);
            }
        })
    }

    fn has(&self, name: &str) -> bool {
        self.0.borrow().disk.names.contains_key(name)
    }
}

impl Disk for SimulatedDisk {
    fn read(&mut self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let world = self.0.borrow();
        world.power.check()?;
        if world.disk.is_unreadable(name) {
            return Err(io::Error::other("input/output error"));
        }
        Ok(world.disk.file(name).map(<[u8]>::to_vec))
    }

    fn create(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        if self.has(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let mut full = false;
        self.change(name, Later::Create(name.to_owned(), bytes.to_vec()), |disk, reach| {
            let room = disk.capacity.saturating_sub(disk.used());
            full = bytes.len() > room;
            disk.create(name, &bytes[..bytes.len().min(room)], reach);
        })?;
        if full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        let late = self.0.borrow().disk.is_late(name);
        if !late && !self.has(name) {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.change(name, Later::Sync(name.to_owned()), |disk, reach| {
            if reach == Reach::Whole {
                disk.sync(name);
            }
        })
    }

    fn link(&mut self, from: &str, to: &str) -> io::Result<()> {
        if !self.has(from) {
            return Err(io::ErrorKind::NotFound.into());
        }
        if self.has(to) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.change(from, Later::Link(from.to_owned(), to.to_owned()), |disk, reach| {
            if reach == Reach::Whole {
                disk.link(from, to);
            }
        })
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let late = self.0.borrow().disk.is_late(from);
        if !late && !self.has(from) {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.change(from, Later::Rename(from.to_owned(), to.to_owned()), |disk, reach| {
            disk.rename(from, to, reach);
        })
    }

    fn remove(&mut self, name: &str) -> io::Result<bool> {
        // What is to be written late is written now, and removed as it should be.
        if matches!(self.0.borrow().disk.mutant, Mutant::Late(prefix) if name == prefix) {
            self.0.borrow_mut().disk.catch_up();
        }
        if !self.has(name) {
            return Ok(false);
        }
        self.change("", Later::Remove(name.to_owned()), |disk, reach| {
            if reach == Reach::Whole {
                disk.unset(name);
            }
        })?;
        Ok(true)
    }

    fn sync_dir(&mut self) -> io::Result<()> {
        self.change("", Later::SyncDir, |disk, reach| {
            if reach == Reach::Whole {
                disk.sync_dir();
            }
        })
    }

    fn is_durable(&mut self) -> Result<(), NotDurable> {
        let world = self.0.borrow();
        if world.disk.volatile && world.disk.mutant != Mutant::SaysDurable {
            Err(NotDurable::FileSystem {
                dir: "/var/lib/intercom-agent".into(),
                mounted_at: "/".into(),
                flaw: FileSystemFlaw::Volatile("tmpfs".to_owned()),
            })
        } else {
            Ok(())
        }
    }
}
