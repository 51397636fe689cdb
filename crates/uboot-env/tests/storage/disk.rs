//! A disk for the backup that loses its power in the middle of any call.

use std::collections::BTreeMap;
use std::io;

use uboot_env::{Backup, Blocks};

use super::power::{Power, Tear};

/// A file's name on the simulated disk.
const FILE: &str = "backup";
const TEMPORARY: &str = "backup.new";

/// A disk that keeps what was synced after a power cut. Of the rest it may keep any part.
#[derive(Clone)]
pub(super) struct SimulatedDisk {
    pub(super) power: Power,
    /// Nothing can be kept on it.
    pub(super) is_full: bool,
    /// `fsync` of a file does what it says.
    pub(super) syncs_files: bool,
    /// `fsync` of the directory does what it says.
    pub(super) syncs_names: bool,
    /// The content of each inode: as written, and as durable.
    inodes: Vec<(Vec<u8>, Vec<u8>)>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
}

impl SimulatedDisk {
    pub(super) fn new(power: &Power) -> Self {
        SimulatedDisk {
            power: power.clone(),
            is_full: false,
            syncs_files: true,
            syncs_names: true,
            inodes: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
        }
    }

    /// What is found at the next start: with or without the names that were not synced.
    pub(super) fn after_a_cut(&self, keeps_names: bool, power: &Power) -> Self {
        let mut disk = self.clone();
        for (written, durable) in &mut disk.inodes {
            written.clone_from(durable);
        }
        if keeps_names {
            disk.durable_names.clone_from(&disk.names);
        } else {
            disk.names.clone_from(&disk.durable_names);
        }
        disk.power = power.clone();
        disk
    }

    /// Whether there is a backup, good or not.
    pub(super) fn has_file(&self) -> bool {
        self.names.contains_key(FILE)
    }

    fn inode(&self, name: &str) -> io::Result<usize> {
        let found = self.names.get(name).copied();
        found.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn read(&mut self, name: &str) -> io::Result<Option<Vec<u8>>> {
        self.power.check()?;
        let inode = self.names.get(name);
        Ok(inode.map(|inode| self.inodes[*inode].0.clone()))
    }

    fn create(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        if self.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.power.clone().call(|tear| {
            // Content that was never synced may be on the disk in part.
            let torn = bytes.iter().enumerate();
            let torn = torn.filter(|(at, _)| tear.reaches(*at, bytes.len()));
            let half = bytes[..bytes.len() / 2].to_vec();
            self.names.insert(name.to_owned(), self.inodes.len());
            self.inodes.push((torn.map(|(_, byte)| *byte).collect(), half));
        })
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        let (inode, honest) = (self.inode(name)?, self.syncs_files);
        self.power.clone().call(|tear| {
            if honest && tear == Tear::All {
                self.inodes[inode].1 = self.inodes[inode].0.clone();
            }
        })
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let inode = self.inode(from)?;
        self.power.clone().call(|tear| {
            // jffs2 links the new name before it unlinks the old one.
            if tear != Tear::Nothing {
                self.names.insert(to.to_owned(), inode);
            }
            if tear == Tear::All {
                self.names.remove(from);
            }
        })
    }

    fn remove(&mut self, name: &str) -> io::Result<bool> {
        let there = self.names.contains_key(name);
        if there {
            self.power.clone().call(|tear| {
                if tear == Tear::All {
                    self.names.remove(name);
                }
            })?;
        }
        Ok(there)
    }

    fn sync_dir(&mut self) -> io::Result<()> {
        let honest = self.syncs_names;
        self.power.clone().call(|tear| {
            if honest && tear == Tear::All {
                self.durable_names = self.names.clone();
            }
        })
    }
}

impl Backup for SimulatedDisk {
    fn save(&mut self, blocks: &Blocks) -> io::Result<()> {
        if self.is_full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let mut bytes = format!("{}\n{}\n", blocks.device, blocks.start).into_bytes();
        bytes.extend(&blocks.bytes);
        bytes.extend(b"\nend");
        self.remove(TEMPORARY)?;
        self.create(TEMPORARY, &bytes)?;
        self.sync(TEMPORARY)?;
        self.rename(TEMPORARY, FILE)?;
        self.sync_dir()
    }

    fn load(&mut self) -> io::Result<Option<Blocks>> {
        let Some(bytes) = self.read(FILE)? else { return Ok(None) };
        let Some(content) = bytes.strip_suffix(b"\nend") else { return Ok(None) };
        let mut parts = content.splitn(3, |byte| *byte == b'\n');
        let mut line = || String::from_utf8_lossy(parts.next().expect("whole")).into_owned();
        let (device, start) = (line(), line().parse().expect("a number"));
        let bytes = parts.next().expect("whole").to_vec();
        Ok(Some(Blocks { device, start, bytes }))
    }

    fn discard(&mut self) -> io::Result<()> {
        self.remove(FILE)?;
        self.sync_dir()
    }
}
