//! The seam to the disk: single system calls on the files of one directory.

use std::io;

use super::NotDurable;

/// The files of the state directory, one system call or so per method, so that a simulation can cut
/// the power between any two of them. Names are plain file names, without a folder.
pub trait Disk {
    /// The whole file, or `None` if there is none.
    ///
    /// # Errors
    /// As `open(2)` and `read(2)`.
    fn read(&mut self, name: &str) -> io::Result<Option<Vec<u8>>>;

    /// Creates a file that must not exist yet (`O_EXCL`) and writes it. Not durable before
    /// [`Disk::sync`] and [`Disk::sync_dir`].
    ///
    /// # Errors
    /// As `open(2)` and `write(2)`; `AlreadyExists` if the file is there.
    fn create(&mut self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Makes a file's content durable.
    ///
    /// # Errors
    /// As `fsync(2)`.
    fn sync(&mut self, name: &str) -> io::Result<()>;

    /// Gives a file a second name, which must not exist yet.
    ///
    /// # Errors
    /// As `link(2)`.
    fn link(&mut self, from: &str, to: &str) -> io::Result<()>;

    /// Renames a file over whatever has the other name.
    ///
    /// # Errors
    /// As `rename(2)`.
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file; whether there was one.
    ///
    /// # Errors
    /// As `unlink(2)`.
    fn remove(&mut self, name: &str) -> io::Result<bool>;

    /// Makes names (created, renamed, removed) durable.
    ///
    /// # Errors
    /// As `fsync(2)` on the directory.
    fn sync_dir(&mut self) -> io::Result<()>;

    /// Whether what is written here survives a power cut.
    ///
    /// # Errors
    /// Why it does not: a tmpfs, read-only, or nothing that could be told.
    fn is_durable(&mut self) -> Result<(), NotDurable>;
}
