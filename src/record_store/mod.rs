//! Reading and replacing the record's file.

mod damage;

use std::fmt;
use std::io;

use crate::record::{FORMAT, Record};
use crate::storage::{Disk, NotDurable, PREVIOUS, replace, seal, unseal};
pub use damage::{Damage, Flaw, SetAside};

/// The record's file in the state directory.
const FILE: &str = "record.json";
/// Where a damaged record is set aside.
const DAMAGED: &str = "record.json.damaged";
/// Keeps room for the end of a change, so that a full disk is found out before its beginning.
const RESERVE: &str = "reserve";

/// What was found at the start.
#[derive(Debug)]
pub enum Loaded {
    /// A good record.
    Good(Record),
    /// No record at all: the agent runs for the first time, or the store was erased.
    Nothing,
    /// The last good copy, since the record was damaged; with what was wrong.
    Previous(Record, Damage),
    /// A damaged record and no good copy of it; with what was wrong.
    Lost(Damage),
}

/// Why no room can be kept for a change.
#[derive(Debug)]
pub enum ReserveError {
    /// What is written to this disk does not outlive a power cut.
    NotDurable(NotDurable),
    /// The disk cannot be written.
    Disk(io::Error),
}

/// The record's file, through the seam to the disk.
#[derive(Debug)]
pub struct RecordStore<D> {
    disk: D,
}

impl<D: Disk> RecordStore<D> {
    /// The record in this state directory.
    pub fn new(disk: D) -> Self {
        RecordStore { disk }
    }

    /// The disk, for the environment's backup beside the record.
    pub fn disk(&mut self) -> &mut D {
        &mut self.disk
    }

    /// Reads the record. A damaged one, or one that the disk cannot read, is set aside and not
    /// deleted: what the board says by itself must never be written over it.
    pub fn load(&mut self) -> Loaded {
        // A process that was killed may have left a record that is there and not durable yet. What
        // is built on it, a report or a change, must not outlive it. A disk that cannot be synced
        // says so again at the next transition.
        if let Err(why) = self.disk.sync_dir() {
            log::debug!("the state directory cannot be synced: {why}");
        }
        // What failed once may have failed in passing.
        let looked = self.look().or_else(|_| self.look());
        let mut loaded = looked.unwrap_or_else(|why| self.look_behind(why));
        let (Loaded::Previous(_, damage) | Loaded::Lost(damage)) = &mut loaded else {
            return loaded;
        };
        // Setting it aside is for whoever looks later; the agent goes on without it.
        damage.set_aside = match self.disk.rename(FILE, DAMAGED).and_then(|()| self.disk.sync_dir())
        {
            Ok(()) => SetAside::Yes,
            Err(why) if why.kind() == io::ErrorKind::NotFound => SetAside::No,
            Err(why) => SetAside::Failed(why),
        };
        loaded
    }

    /// The copy before a record that cannot be read.
    fn look_behind(&mut self, why: io::Error) -> Loaded {
        let damage = Flaw::Unreadable(why).into();
        match self.read(&format!("{FILE}{PREVIOUS}")) {
            Ok(Some(Ok(record))) => Loaded::Previous(record, damage),
            _ => Loaded::Lost(damage),
        }
    }

    /// What [`RecordStore::load`] would find; changes nothing.
    ///
    /// # Errors
    /// If the disk cannot be read.
    pub fn look(&mut self) -> io::Result<Loaded> {
        let flaw = match self.read(FILE)? {
            Some(Ok(record)) => return Ok(Loaded::Good(record)),
            Some(Err(flaw)) => Some(flaw),
            None => None,
        };
        Ok(match (self.read(&format!("{FILE}{PREVIOUS}"))?, flaw) {
            (Some(Ok(record)), flaw) => {
                Loaded::Previous(record, flaw.unwrap_or(Flaw::Missing).into())
            }
            (Some(Err(flaw)), None) | (_, Some(flaw)) => Loaded::Lost(flaw.into()),
            (None, None) => Loaded::Nothing,
        })
    }

    /// Looks at the record, or at its last good copy, and changes nothing.
    ///
    /// # Errors
    /// If the disk cannot be read.
    pub fn peek(&mut self) -> io::Result<Option<Record>> {
        Ok(match self.look()? {
            Loaded::Good(record) | Loaded::Previous(record, _) => Some(record),
            Loaded::Lost(_) | Loaded::Nothing => None,
        })
    }

    /// The name of a damaged record that was set aside, if there is one.
    ///
    /// # Errors
    /// If the disk cannot be read.
    pub fn set_aside(&mut self) -> io::Result<Option<&'static str>> {
        Ok(self.disk.read(DAMAGED)?.map(|_| DAMAGED))
    }

    /// Replaces the record: one transition, durable when this returns.
    ///
    /// # Errors
    /// As the disk's; the record is then the old one, or the new one but perhaps not yet durable.
    pub fn save(&mut self, record: &Record) -> io::Result<()> {
        replace(&mut self.disk, FILE, &seal(record)?)
    }

    /// Makes sure that a change can be ended before it is begun.
    ///
    /// # Errors
    /// This disk cannot carry a change: it is volatile, read-only or full.
    pub fn reserve(&mut self, record: &Record) -> Result<(), ReserveError> {
        self.disk.is_durable().map_err(ReserveError::NotDurable)?;
        let size = room_for_a_change(record)?;
        self.release()?;
        self.disk
            .create(RESERVE, &incompressible(size))
            .and_then(|()| self.disk.sync(RESERVE))
            .map_err(|why| {
                // A part of it must not take the room that it was to keep.
                let _ = self.release();
                why.into()
            })
    }

    /// Frees what [`RecordStore::reserve`] kept.
    ///
    /// # Errors
    /// As the disk's.
    pub fn release(&mut self) -> io::Result<bool> {
        self.disk.remove(RESERVE)
    }

    fn read(&mut self, name: &str) -> io::Result<Option<Result<Record, Flaw>>> {
        Ok(self.disk.read(name)?.map(|bytes| parse(&bytes)))
    }
}

impl fmt::Display for ReserveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReserveError::NotDurable(why) => why.fmt(f),
            ReserveError::Disk(why) => write!(f, "the state directory cannot be written: {why}"),
        }
    }
}

impl std::error::Error for ReserveError {}

impl From<io::Error> for ReserveError {
    fn from(why: io::Error) -> Self {
        ReserveError::Disk(why)
    }
}

/// How many bytes a change needs on the disk before it may begin.
///
/// # Errors
/// If the record cannot be written as JSON.
pub fn room_for_a_change(record: &Record) -> io::Result<usize> {
    // The record may grow by an outcome and a report; jffs2 needs a node's head for each page.
    Ok(2 * seal(record)?.len() + 8 * 1024)
}

fn parse(bytes: &[u8]) -> Result<Record, Flaw> {
    let record: Record = unseal(bytes).map_err(Flaw::Content)?;
    if record.format == FORMAT { Ok(record) } else { Err(Flaw::Format(record.format)) }
}

/// Bytes that jffs2's compression cannot shrink (xorshift), so that the room is really taken.
fn incompressible(size: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    })
    .take(size)
    .collect()
}
