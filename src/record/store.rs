//! Reading and replacing the record's file.

use std::io;

use super::{FORMAT, Record};
use crate::storage::{Disk, PREVIOUS, replace, seal, unseal};

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
    /// The last good copy, since the record was damaged; with what was wrong, in words.
    Previous(Record, String),
    /// A damaged record and no good copy of it; with what was wrong, in words.
    Lost(String),
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

    /// Reads the record. A damaged one is set aside, not deleted.
    ///
    /// # Errors
    /// If the disk cannot be read.
    pub fn load(&mut self) -> io::Result<Loaded> {
        let damage = match self.disk.read(FILE)? {
            None => None,
            Some(bytes) => match read(&bytes) {
                Ok(record) => return Ok(Loaded::Good(record)),
                Err(damage) => Some(damage),
            },
        };
        let previous = self.disk.read(&format!("{FILE}{PREVIOUS}"))?.map(|bytes| read(&bytes));
        let Some(damage) = damage else {
            return Ok(match previous {
                Some(Ok(record)) => Loaded::Previous(record, "it is not there".to_owned()),
                Some(Err(damage)) => Loaded::Lost(damage),
                None => Loaded::Nothing,
            });
        };
        // Setting it aside is for whoever looks later; the agent goes on without it.
        let aside = self.disk.rename(FILE, DAMAGED).and_then(|()| self.disk.sync_dir());
        let damage = match aside {
            Ok(()) => format!("{damage}; it was set aside as {DAMAGED}"),
            Err(why) => format!("{damage}; it could not be set aside: {why}"),
        };
        Ok(match previous {
            Some(Ok(record)) => Loaded::Previous(record, damage),
            _ => Loaded::Lost(damage),
        })
    }

    /// Looks at the record, or at its last good copy, and changes nothing.
    ///
    /// # Errors
    /// If the disk cannot be read.
    pub fn peek(&mut self) -> io::Result<Option<Record>> {
        for name in [FILE.to_owned(), format!("{FILE}{PREVIOUS}")] {
            if let Some(Ok(record)) = self.disk.read(&name)?.map(|bytes| read(&bytes)) {
                return Ok(Some(record));
            }
        }
        Ok(None)
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
    /// Why this disk cannot carry a change, in words: volatile, read-only or full.
    pub fn reserve(&mut self, record: &Record) -> Result<(), String> {
        self.disk.is_durable()?;
        let in_words = |why: io::Error| format!("the state directory cannot be written: {why}");
        // The record may grow by an outcome and a report; jffs2 needs a node's head for each page.
        let size = 2 * seal(record).map_err(|why| in_words(why.into()))?.len() + 8 * 1024;
        self.release().map_err(in_words)?;
        self.disk
            .create(RESERVE, &incompressible(size))
            .and_then(|()| self.disk.sync(RESERVE))
            .map_err(|why| {
                // A part of it must not take the room that it was to keep.
                let _ = self.release();
                in_words(why)
            })
    }

    /// Frees what [`RecordStore::reserve`] kept.
    ///
    /// # Errors
    /// As the disk's.
    pub fn release(&mut self) -> io::Result<bool> {
        self.disk.remove(RESERVE)
    }
}

fn read(bytes: &[u8]) -> Result<Record, String> {
    let record: Record = unseal(bytes).map_err(|damage| damage.to_string())?;
    if record.format == FORMAT {
        Ok(record)
    } else {
        Err(format!("its format is {} and this version reads {FORMAT}", record.format))
    }
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
