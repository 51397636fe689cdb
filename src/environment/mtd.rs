//! NOR flash behind `/dev/mtdN`.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::flags::Flags;
use super::flash::Flash;
use crate::sys::mtd::{self, MTD_NORFLASH, MtdInfo, MtdRange};

/// A partition of NOR flash. It is open for writing only while it is written.
#[derive(Debug)]
pub(super) struct MtdDevice {
    path: PathBuf,
    file: File,
    info: MtdInfo,
}

impl MtdDevice {
    /// The partition at `path`, open for reading.
    ///
    /// # Errors
    /// As `ioctl(2)`; `Unsupported` if it is not NOR: NAND has bad blocks, which move everything.
    pub(super) fn new(path: &Path, file: File) -> io::Result<Self> {
        let info = mtd::mtd_info(file.as_fd())?;
        if info.kind != MTD_NORFLASH || info.erase_size == 0 {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                format!("flash of type {} is not supported, only NOR", info.kind),
            ));
        }
        let path = path.to_owned();
        Ok(MtdDevice { path, file, info })
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
        match mtd::mtd_is_locked(device.as_fd(), range) {
            Ok(false) => Ok(false),
            Ok(true) => mtd::mtd_unlock(device.as_fd(), range).map(|()| true),
            // Many drivers cannot tell, and some of those can unlock all the same. Whether it
            // worked shows when what was written is read back.
            Err(_) => {
                let _ = mtd::mtd_unlock(device.as_fd(), range);
                Ok(false)
            }
        }
    }

    fn erase(&mut self, at: u64, length: usize) -> io::Result<()> {
        mtd::mtd_erase(self.writable()?.as_fd(), range(at, length)?)
    }

    fn program(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.writable()?.write_all_at(bytes, at)
    }

    fn lock(&mut self, at: u64, length: usize) -> io::Result<()> {
        mtd::mtd_lock(self.writable()?.as_fd(), range(at, length)?)
    }
}

fn range(at: u64, length: usize) -> io::Result<MtdRange> {
    match (u32::try_from(at), u32::try_from(length)) {
        (Ok(start), Ok(length)) => Ok(MtdRange { start, length }),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}
