//! Where the environment is, and how that is known.

use std::fmt;
use std::fs;
use std::io;

use super::config::{self, Location};
use super::error::Error;
use super::{flash, scan};
use crate::board::Root;

/// How it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// `/etc/fw_env.config`.
    Config,
    /// A checksum that fits, found by looking at all flash.
    Scan,
}

/// Where the copies are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// One, or two if the environment is redundant.
    pub copies: Vec<Location>,
    /// How it is known.
    pub origin: Origin,
}

impl Layout {
    /// Looks in `/etc/fw_env.config`; if that is not there or names nothing, at all flash.
    /// `None` if there is no environment.
    ///
    /// # Errors
    /// If the configuration cannot be read or understood.
    pub fn find(root: &Root) -> Result<Option<Layout>, Error> {
        let copies = match fs::read_to_string(root.path(config::PATH)) {
            Ok(text) => config::parse(&text).map_err(Error::Config)?,
            Err(why) if why.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(why) => return Err(Error::Unreadable(config::PATH.into(), why)),
        };
        if !copies.is_empty() {
            let origin = Origin::Config;
            return Ok(Some(Layout { copies, origin }));
        }
        // Without the list there is no flash.
        let list = fs::read_to_string(root.path(scan::PROC_MTD)).unwrap_or_default();
        let found = scan::partitions(&list).iter().find_map(|partition| {
            // What cannot be opened, NAND for example, is not where we could read it.
            let mut flash = flash::open(&root.path(&partition.device)).ok()?;
            scan::find(flash.as_mut(), partition)
        });
        Ok(found.map(|copy| Layout { copies: vec![copy], origin: Origin::Scan }))
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, copy) in self.copies.iter().enumerate() {
            let between = if number == 0 { "" } else { " and " };
            write!(f, "{between}{copy}")?;
        }
        match self.origin {
            Origin::Config => write!(f, " (from {})", config::PATH),
            Origin::Scan => write!(f, " (found by its checksum)"),
        }
    }
}
