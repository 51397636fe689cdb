//! What is wrong with a record that cannot be used.

use std::fmt;
use std::io;

use super::DAMAGED;
use crate::record::FORMAT;
use crate::storage;

/// Why the record cannot be used, and what became of its file.
#[derive(Debug)]
pub struct Damage {
    /// What is wrong with it.
    pub flaw: Flaw,
    /// Whether its file was set aside.
    pub set_aside: SetAside,
}

/// What is wrong with a record.
#[derive(Debug)]
pub enum Flaw {
    /// There is none, and there was one.
    Missing,
    /// The disk does not give it.
    Unreadable(io::Error),
    /// Its bytes are no record.
    Content(storage::Damaged),
    /// It has this format, which this version does not read.
    Format(u32),
}

/// What became of the file of a record that cannot be used.
#[derive(Debug)]
pub enum SetAside {
    /// It was left where it was, or there is none.
    No,
    /// It was renamed.
    Yes,
    /// It could not be renamed, or that could not be made durable.
    Failed(io::Error),
}

impl From<Flaw> for Damage {
    fn from(flaw: Flaw) -> Self {
        Damage { flaw, set_aside: SetAside::No }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.flaw.fmt(f)?;
        match &self.set_aside {
            SetAside::No => Ok(()),
            SetAside::Yes => write!(f, "; it was set aside as {DAMAGED}"),
            SetAside::Failed(why) => write!(f, "; it could not be set aside: {why}"),
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Flaw::Missing => f.write_str("it is not there"),
            Flaw::Unreadable(why) => write!(f, "it cannot be read: {why}"),
            Flaw::Content(why) => why.fmt(f),
            Flaw::Format(format) => {
                write!(f, "its format is {format} and this version reads {FORMAT}")
            }
        }
    }
}
