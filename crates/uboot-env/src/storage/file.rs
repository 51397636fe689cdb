//! Plain files and block devices, such as an eMMC.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::flash::Flash;
use crate::codec::flags::Flags;

/// A file or block device, which needs no erasing: it is overwritten in place. It is opened anew
/// for each call, since U-Boot's `fw_setenv` replaces a plain file by another one.
#[derive(Debug)]
pub(crate) struct PlainFile {
    path: PathBuf,
    size: u64,
}

impl PlainFile {
    pub(crate) fn new(path: &Path, mut file: File) -> io::Result<Self> {
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
