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
    /// If the configuration cannot be read or understood, or if none is found and some flash could not
    /// be read.
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
        let mut unreadable = None;
        for partition in scan::partitions(&list(root)?) {
            let found = open(root, &partition.device).and_then(|mut flash| {
                let path = || partition.device.clone();
                scan::find(flash.as_mut(), &partition)
                    .map_err(|error| Error::Unreadable { path: path(), error })
            });
            match found {
                Ok(Some(copy)) => return Ok(Some((Layout::single(copy), Origin::Scan))),
                // NAND has no environment that could be read here.
                Ok(None) | Err(Error::UnsupportedFlash { .. }) => {}
                Err(why) => unreadable = unreadable.or(Some(why)),
            }
        }
        // It may be where nothing could be read: that is not the same as none.
        unreadable.map_or(Ok(None), Err)
    }
}

/// The kernel's list of flash; empty on a system without any.
fn list(root: &Path) -> Result<String, Error> {
    let path = || scan::PROC_MTD.to_owned();
    match fs::read_to_string(under(root, scan::PROC_MTD)) {
        Ok(list) => Ok(list),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // An empty directory is where the kernel's files are not mounted yet.
            let mut proc = fs::read_dir(under(root, "/proc")).into_iter().flatten();
            let not_mounted = proc.next().is_none() && under(root, "/proc").is_dir();
            if not_mounted {
                Err(Error::Unreadable { path: path(), error })
            } else {
                Ok(String::new())
            }
        }
        Err(error) => Err(Error::Unreadable { path: path(), error }),
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
