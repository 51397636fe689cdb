//! The state directory on a disk that keeps after a power cut what was synced, and of the rest what
//! it likes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::power::Reach;

/// What a power cut leaves of that which was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsynced {
    /// Nothing.
    Lost,
    /// All of it, as if the disk had just been in time.
    Kept,
    /// All names, and no content.
    Empty,
    /// All names, and half the content.
    Torn,
    /// The first half of the names, in the order in which they were made, and half the content.
    Prefix,
    /// Any of the names and any part of the content, by seed.
    Any(u64),
}

/// How the disk misbehaves, for the tests of the tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mutant {
    #[default]
    None,
    /// `fsync` of a file does nothing.
    NoSync,
    /// `fsync` of the directory does nothing.
    NoSyncDir,
    /// Files whose name begins so are not written before one of them is removed again.
    Late(&'static str),
    /// After a boot nothing is written before the link is touched.
    LateAtBoot,
    /// A file is overwritten in place instead of replaced.
    InPlace,
    /// It says that it is durable, whatever it is.
    SaysDurable,
}

/// The content of a file.
#[derive(Debug, Clone)]
struct Inode {
    written: Arc<[u8]>,
    synced: bool,
    unreadable: bool,
}

/// A change of names.
#[derive(Debug, Clone)]
pub enum NameChange {
    Set(String, usize),
    Unset(String),
}

/// What was asked for and delayed by a [`Mutant`].
#[derive(Debug, Clone)]
pub enum Later {
    Create(String, Vec<u8>),
    Sync(String),
    Link(String, String),
    Rename(String, String),
    Remove(String),
    SyncDir,
}

/// All that the disk holds.
#[derive(Debug, Clone)]
pub struct DiskState {
    inodes: Vec<Inode>,
    pub names: BTreeMap<String, usize>,
    durable: BTreeMap<String, usize>,
    pub journal: Vec<NameChange>,
    pub later: Vec<Later>,
    pub mutant: Mutant,
    /// How many bytes fit on it.
    pub capacity: usize,
    pub read_only: bool,
    pub volatile: bool,
    /// Whether the link was touched in this boot.
    pub link_touched: bool,
    /// How often the record was replaced.
    pub records: u32,
    /// How often anything was changed.
    pub writes: u32,
}

impl Default for DiskState {
    fn default() -> Self {
        DiskState {
            inodes: Vec::new(),
            names: BTreeMap::new(),
            durable: BTreeMap::new(),
            journal: Vec::new(),
            later: Vec::new(),
            mutant: Mutant::None,
            capacity: 1 << 20,
            read_only: false,
            volatile: false,
            link_touched: false,
            records: 0,
            writes: 0,
        }
    }
}

impl DiskState {
    /// What is found at the next start.
    pub fn lose_power(&mut self, unsynced: Unsynced) {
        if self.volatile {
            self.durable.clear();
            self.journal.clear();
        }
        let mut random = match unsynced {
            Unsynced::Any(seed) => super::random_numbers::Random::new(seed),
            _ => super::random_numbers::Random::new(0),
        };
        let journal = std::mem::take(&mut self.journal);
        let half = journal.len() / 2;
        let mut names = std::mem::take(&mut self.durable);
        let mut kept_before = true;
        for (at, change) in journal.into_iter().enumerate() {
            let kept = match unsynced {
                Unsynced::Lost => false,
                Unsynced::Kept | Unsynced::Empty | Unsynced::Torn => true,
                Unsynced::Prefix => at < half,
                Unsynced::Any(_) => random.below(2) == 0,
            };
            match change {
                NameChange::Set(name, inode) if kept => _ = names.insert(name, inode),
                // A rename takes the old name away only after it has made the new one.
                NameChange::Unset(name) if kept && kept_before => _ = names.remove(&name),
                _ => {}
            }
            kept_before = kept;
        }
        for inode in self.inodes.iter_mut().filter(|inode| !inode.synced) {
            let all = inode.written.len();
            let kept = match unsynced {
                Unsynced::Lost | Unsynced::Empty => 0,
                Unsynced::Kept => all,
                Unsynced::Torn | Unsynced::Prefix => all / 2,
                Unsynced::Any(_) => random.below(all as u64 + 1) as usize,
            };
            inode.written = inode.written[..kept].into();
            inode.synced = true;
        }
        self.later.clear();
        self.durable.clone_from(&names);
        self.names = names;
    }

    /// A file, as a program would read it.
    pub fn file(&self, name: &str) -> Option<&[u8]> {
        self.names.get(name).map(|inode| &*self.inodes[*inode].written)
    }

    /// Spoils a file.
    pub fn spoil(&mut self, name: &str) {
        if let Some(inode) = self.names.get(name) {
            let mut bytes = self.inodes[*inode].written.to_vec();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x40;
            self.inodes[*inode].written = bytes.into();
        }
    }

    /// Makes what is in a file unreadable.
    pub fn make_unreadable(&mut self, name: &str) {
        if let Some(inode) = self.names.get(name) {
            self.inodes[*inode].unreadable = true;
        }
    }

    pub fn is_unreadable(&self, name: &str) -> bool {
        self.names.get(name).is_some_and(|inode| self.inodes[*inode].unreadable)
    }

    /// What makes two disks the same.
    pub fn digest(&self, into: &mut impl std::hash::Hasher) {
        use std::hash::Hash;
        for names in [&self.names, &self.durable] {
            for (name, inode) in names {
                (name, &self.inodes[*inode].written, self.inodes[*inode].synced).hash(into);
            }
        }
        self.journal.len().hash(into);
    }

    pub fn used(&self) -> usize {
        let mut inodes: Vec<usize> = self.names.values().copied().collect();
        inodes.sort_unstable();
        inodes.dedup();
        inodes.iter().map(|inode| self.inodes[*inode].written.len()).sum()
    }

    fn set(&mut self, name: &str, inode: usize) {
        self.names.insert(name.to_owned(), inode);
        self.journal.push(NameChange::Set(name.to_owned(), inode));
    }

    pub fn unset(&mut self, name: &str) {
        self.names.remove(name);
        self.journal.push(NameChange::Unset(name.to_owned()));
    }

    /// Whether a [`Mutant`] does this late.
    pub fn is_late(&self, name: &str) -> bool {
        match self.mutant {
            Mutant::Late(prefix) => name.starts_with(prefix),
            Mutant::LateAtBoot => !self.link_touched,
            _ => false,
        }
    }

    /// The boot is over.
    pub fn started(&mut self) {
        self.link_touched = true;
        self.catch_up();
    }

    /// Does what was delayed.
    pub fn catch_up(&mut self) {
        for later in std::mem::take(&mut self.later) {
            match later {
                Later::Create(name, bytes) => self.create(&name, &bytes, Reach::Whole),
                Later::Sync(name) => self.sync(&name),
                Later::Link(from, to) => self.link(&from, &to),
                Later::Rename(from, to) => self.rename(&from, &to, Reach::Whole),
                Later::Remove(name) => self.unset(&name),
                Later::SyncDir => self.sync_dir(),
            }
        }
    }

    pub fn create(&mut self, name: &str, bytes: &[u8], reach: Reach) {
        let length = match reach {
            Reach::Nothing => return,
            Reach::Half => bytes.len() / 2,
            Reach::Whole => bytes.len(),
        };
        self.inodes.push(Inode {
            written: bytes[..length].into(),
            synced: false,
            unreadable: false,
        });
        self.set(name, self.inodes.len() - 1);
    }

    pub fn sync(&mut self, name: &str) {
        if let Some(inode) = self.names.get(name)
            && self.mutant != Mutant::NoSync
        {
            self.inodes[*inode].synced = true;
        }
    }

    pub fn link(&mut self, from: &str, to: &str) {
        if let Some(inode) = self.names.get(from) {
            self.set(to, *inode);
        }
    }

    pub fn rename(&mut self, from: &str, to: &str, reach: Reach) {
        let Some(inode) = self.names.get(from).copied() else { return };
        // rename(2): two names of one file stay as they are.
        if self.names.get(to) == Some(&inode) || reach == Reach::Nothing {
            return;
        }
        if self.mutant == Mutant::InPlace && self.names.contains_key(to) {
            let target = self.names[to];
            let bytes = self.inodes[inode].written.clone();
            let length = if reach == Reach::Half { bytes.len() / 2 } else { bytes.len() };
            self.inodes[target].written = bytes[..length].into();
            return;
        }
        self.set(to, inode);
        // jffs2 links the new name before it unlinks the old one.
        if reach == Reach::Whole {
            self.unset(from);
        }
        self.records += u32::from(to == "record.json");
    }

    pub fn sync_dir(&mut self) {
        if self.mutant != Mutant::NoSyncDir {
            self.journal.clear();
            self.durable.clone_from(&self.names);
        }
    }
}
