//! Why a directory does not survive a power cut.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why what is written to a directory may not survive a power cut.
#[derive(Debug)]
pub enum NotDurable {
    /// The kernel's table of mounts, at this path, cannot be read.
    Table(PathBuf, io::Error),
    /// No mount in the table has this directory.
    NoMount(PathBuf),
    /// The file system that the directory is on is not fit for it.
    FileSystem {
        /// The directory.
        dir: PathBuf,
        /// Where its file system is mounted.
        mounted_at: PathBuf,
        /// What is wrong with the file system.
        flaw: FileSystemFlaw,
    },
}

/// What keeps a file system from holding durable state. A kind is the kernel's name of it, such as `tmpfs`.
#[derive(Debug, PartialEq, Eq)]
pub enum FileSystemFlaw {
    /// It is read-only.
    ReadOnly,
    /// It is of this kind, which is not known to be on flash or on a disk.
    Volatile(String),
    /// It is an overlay without an upper layer.
    NoUpperLayer,
    /// It is an overlay, and where its upper layer is cannot be told.
    HiddenUpperLayer,
    /// It is an overlay, and its upper layer is read-only.
    ReadOnlyUpperLayer,
    /// It is an overlay, and its upper layer is of this kind.
    VolatileUpperLayer(String),
}

impl fmt::Display for NotDurable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotDurable::Table(table, why) => write!(f, "{} cannot be read: {why}", table.display()),
            NotDurable::NoMount(dir) => {
                write!(f, "{} is on no mount that the kernel tells of", dir.display())
            }
            NotDurable::FileSystem { dir, mounted_at, flaw } => {
                write!(f, "{} is on {flaw} (mounted at {})", dir.display(), mounted_at.display())
            }
        }
    }
}

impl fmt::Display for FileSystemFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileSystemFlaw::ReadOnly => f.write_str("a read-only file system"),
            FileSystemFlaw::Volatile(kind) => {
                write!(f, "a {kind}, which need not survive a power cut")
            }
            FileSystemFlaw::NoUpperLayer => f.write_str("an overlay without an upper layer"),
            FileSystemFlaw::HiddenUpperLayer => {
                f.write_str("an overlay whose upper layer is hidden")
            }
            FileSystemFlaw::ReadOnlyUpperLayer => {
                f.write_str("an overlay over a read-only file system")
            }
            FileSystemFlaw::VolatileUpperLayer(kind) => write!(
                f,
                "an overlay whose upper layer is a {kind}, which need not survive a power cut"
            ),
        }
    }
}

impl std::error::Error for NotDurable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            NotDurable::Table(_, why) => Some(why),
            NotDurable::NoMount(_) | NotDurable::FileSystem { .. } => None,
        }
    }
}
