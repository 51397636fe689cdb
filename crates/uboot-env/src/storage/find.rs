//! Finding the environment of a system: in its `fw_env.config`, or else by its checksum.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use super::error::Error;
use super::open::open;
use super::paths::CONFIG;
use super::root::under;
use super::scan;
use crate::codec::config::parse_config;
use crate::codec::layout::Layout;

/// How it is known where the environment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// `/etc/fw_env.config` says so.
    Config,
    /// A checksum fits there; all flash was looked at.
    Scan,
}

impl Layout {
    /// Looks in `/etc/fw_env.config`; if that is not there or names nothing, at all NOR flash of
    /// `/proc/mtd`. `None` if there is no environment. Every path is taken under `root`: `/`, or
    /// the directory of another system's root file system.
    ///
    /// The scan finds a single copy of 4 KiB to 256 KiB, a power of two, that begins with an erase
    /// block and has a fitting checksum. A redundant environment is not guessed.
    ///
    /// # Errors
    /// If the configuration cannot be read or understood.
    pub fn find(root: impl AsRef<Path>) -> Result<Option<(Layout, Origin)>, Error> {
        let root = root.as_ref();
        let configured = match fs::read_to_string(under(root, CONFIG)) {
            Ok(text) => parse_config(&text)?,
            Err(why) if why.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Error::Unreadable { path: CONFIG.into(), error }),
        };
        if let Some(layout) = configured {
            return Ok(Some((layout, Origin::Config)));
        }
        // Without the list there is no flash.
        let list = fs::read_to_string(under(root, scan::PROC_MTD)).unwrap_or_default();
        let found = scan::partitions(&list).iter().find_map(|partition| {
            // What cannot be opened, NAND for example, is not where we could read it.
            let mut flash = open(root, &partition.device).ok()?;
            scan::find(flash.as_mut(), partition)
        });
        Ok(found.map(|copy| (Layout::single(copy), Origin::Scan)))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Config => write!(f, "from {CONFIG}"),
            Origin::Scan => f.write_str("found by its checksum"),
        }
    }
}
