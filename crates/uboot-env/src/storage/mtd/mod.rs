//! NOR flash behind `/dev/mtdN`.

mod ioctl;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use self::ioctl::{MTD_NORFLASH, MtdInfo, MtdRange};
use crate::codec::flags::Flags;
use crate::storage::flash::Flash;

/// A partition of NOR flash. It is open for writing only while it is written.
#[derive(Debug)]
pub(crate) struct MtdDevice {
    path: PathBuf,
    file: File,
    info: MtdInfo,
}

impl MtdDevice {
    /// The partition at `path`, open for reading as `file`.
    pub(crate) fn new(path: &Path, file: File) -> io::Result<Self> {
        let info = ioctl::info(file.as_fd())?;
        Ok(MtdDevice { path: path.to_owned(), file, info })
    }

    /// Whether it can be erased and written without minding bad blocks.
    pub(crate) fn is_nor(&self) -> bool {
        self.info.kind == MTD_NORFLASH && self.info.erase_size != 0
    }

    /// Which kind of flash it is, in the kernel's numbers.
    pub(crate) fn kind(&self) -> u8 {
        self.info.kind
    }

    fn writable(&self) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open(&self.path)
    }
}

impl Flash for MtdDevice {
    fn size(&self) -> u64 {
        self.info.size.into()
    }

    fn erase_size(&self) -> u64 {
        self.info.erase_size.into()
    }

    fn flags(&self) -> Flags {
        Flags::ActiveObsolete
    }

    fn read(&mut self, at: u64, into: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(into, at)
    }

    fn unlock(&mut self, at: u64, length: usize) -> io::Result<bool> {
        let device = self.writable()?;
        let range = range(at, length)?;
        match ioctl::is_locked(device.as_fd(), range) {
            Ok(false) => Ok(false),
            Ok(true) => ioctl::unlock(device.as_fd(), range).map(|()| true),
            // Many drivers cannot tell, and some of those can unlock nevertheless. Whether it
            // worked shows when what was written is read back.
            Err(_) => {
                let _ = ioctl::unlock(device.as_fd(), range);
                Ok(false)
            }
        }
    }

    fn erase(&mut self, at: u64, length: usize) -> io::Result<()> {
        ioctl::erase(self.writable()?.as_fd(), range(at, length)?)
    }

    fn program(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.writable()?.write_all_at(bytes, at)
    }

    fn lock(&mut self, at: u64, length: usize) -> io::Result<()> {
        ioctl::lock(self.writable()?.as_fd(), range(at, length)?)
    }
}

fn range(at: u64, length: usize) -> io::Result<MtdRange> {
    match (u32::try_from(at), u32::try_from(length)) {
        (Ok(start), Ok(length)) => Ok(MtdRange { start, length }),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}
