//! The seam to the flash, and plain files that stand for it.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, FileTypeExt};
use std::path::{Path, PathBuf};

use super::flags::Flags;
use super::mtd::MtdDevice;

/// What can be done with flash, one call of the kernel each, so that a simulation can cut the power
/// in the middle of any of them. All places are bytes from the start of the device.
pub trait Flash: Send {
    /// How many bytes it has.
    fn size(&self) -> u64;

    /// How many bytes are erased at least, and at multiples of what.
    fn erase_size(&self) -> u64;

    /// What the flag byte of a redundant environment means on it.
    fn flags(&self) -> Flags;

    /// Reads `into` full.
    ///
    /// # Errors
    /// As `pread(2)`.
    fn read(&mut self, at: u64, into: &mut [u8]) -> io::Result<()>;

    /// Takes the protection off whole erase blocks; whether there was any.
    ///
    /// # Errors
    /// If there is protection and it stays.
    fn unlock(&mut self, at: u64, length: usize) -> io::Result<bool>;

    /// Sets every bit of whole erase blocks.
    ///
    /// # Errors
    /// If it did not, or not wholly.
    fn erase(&mut self, at: u64, length: usize) -> io::Result<()>;

    /// Clears the bits that are 0 in `bytes`. Those that are 1 were set before, by erasing.
    ///
    /// # Errors
    /// If it did not, or not wholly.
    fn program(&mut self, at: u64, bytes: &[u8]) -> io::Result<()>;

    /// Protects whole erase blocks.
    ///
    /// # Errors
    /// If they are not protected now.
    fn lock(&mut self, at: u64, length: usize) -> io::Result<()>;
}

/// Opens what is at `path`: a character device is flash, all else a plain file or block device.
///
/// # Errors
/// As `open(2)`; `Unsupported` for flash that is not NOR.
pub(super) fn open(path: &Path) -> io::Result<Box<dyn Flash>> {
    let file = File::open(path)?;
    if file.metadata()?.file_type().is_char_device() {
        Ok(Box::new(MtdDevice::new(path, file)?))
    } else {
        Ok(Box::new(PlainFile::new(path, file)?))
    }
}

/// A file or block device, which needs no erasing: it is overwritten in place. It is opened anew
/// for each call, since U-Boot's `fw_setenv` replaces a plain file by another one.
#[derive(Debug)]
pub(super) struct PlainFile {
    path: PathBuf,
    size: u64,
}

impl PlainFile {
    fn new(path: &Path, mut file: File) -> io::Result<Self> {
        let size = file.seek(SeekFrom::End(0))?;
        Ok(PlainFile { path: path.to_owned(), size })
    }
}

impl Flash for PlainFile {
    fn size(&self) -> u64 {
        self.size
    }

    fn erase_size(&self) -> u64 {
        1
    }

    fn flags(&self) -> Flags {
        Flags::Counter
    }

    fn read(&mut self, at: u64, into: &mut [u8]) -> io::Result<()> {
        File::open(&self.path)?.read_exact_at(into, at)
    }

    fn unlock(&mut self, _: u64, _: usize) -> io::Result<bool> {
        Ok(false)
    }

    fn erase(&mut self, _: u64, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn program(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(&self.path)?;
        file.write_all_at(bytes, at)?;
        file.sync_all()
    }

    fn lock(&mut self, _: u64, _: usize) -> io::Result<()> {
        Ok(())
    }
}
