//! The erase blocks that are about to be written, as they were: kept while a write is under way.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::codec::checksum::CRC_32;

/// Whole erase blocks and where they belong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocks {
    /// The path of their device.
    pub device: String,
    /// Their first byte on it.
    pub start: u64,
    /// All their bytes.
    pub bytes: Vec<u8>,
}

/// Keeps the erase blocks that are being replaced, where the flash itself has no second copy of
/// them: for a single copy, and for one that shares its erase blocks with other data.
///
/// [`BackupFile`] is one in a file; [`NoBackup`] is none.
pub trait Backup {
    /// Keeps these blocks, in place of any others. They are durable when this returns without an
    /// error: a power cut at any later moment leaves them for [`Backup::load`]. A cut during this
    /// call leaves the former ones, these, or none.
    ///
    /// # Errors
    /// If they are not kept; nothing is written to the flash then.
    fn save(&mut self, blocks: &Blocks) -> io::Result<()>;

    /// The blocks that were kept; `None` if there are none, or they are damaged.
    ///
    /// # Errors
    /// If that cannot be told.
    fn load(&mut self) -> io::Result<Option<Blocks>>;

    /// Forgets the blocks. If that fails they do no harm: [`Store::recover`](crate::Store::recover)
    /// finds the environment whole, and tries again to forget them.
    ///
    /// # Errors
    /// If they are perhaps still there.
    fn discard(&mut self) -> io::Result<()>;
}

/// No backup: what needs one is not written. A redundant environment in erase blocks of its own
/// needs none.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoBackup;

impl Backup for NoBackup {
    fn save(&mut self, _: &Blocks) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "no place for a backup was given"))
    }

    fn load(&mut self) -> io::Result<Option<Blocks>> {
        Ok(None)
    }

    fn discard(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A backup in a file, readable by its owner alone. It is there only while a write is under way.
///
/// Its directory has to survive a power cut (no tmpfs), and no other program writes the file or the
/// one with `.new` after its name.
#[derive(Debug, Clone)]
pub struct BackupFile {
    path: PathBuf,
}

const MAGIC: &str = "uboot-env backup 1";

impl BackupFile {
    /// The file at `path`, in a directory that is there.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        BackupFile { path: path.into() }
    }

    fn temporary(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".new");
        name.into()
    }

    /// Makes the names in the directory durable.
    fn sync_dir(&self) -> io::Result<()> {
        let dir = self.path.parent().filter(|dir| !dir.as_os_str().is_empty());
        File::open(dir.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Backup for BackupFile {
    fn save(&mut self, blocks: &Blocks) -> io::Result<()> {
        let temporary = self.temporary();
        // Never written into: after a power cut it may be another name of the file itself.
        remove(&temporary)?;
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        let written = file.write_all(&encode(blocks)).and_then(|()| file.sync_all());
        if let Err(why) = written {
            // Half of it must not fill up a disk that is nearly full.
            let _ = remove(&temporary);
            return Err(why);
        }
        fs::rename(&temporary, &self.path)?;
        self.sync_dir()
    }

    fn load(&mut self) -> io::Result<Option<Blocks>> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(why) => return Err(why),
        };
        let blocks = decode(&bytes);
        if blocks.is_none() {
            log::warn!("{} is damaged and not used", self.path.display());
        }
        Ok(blocks)
    }

    fn discard(&mut self) -> io::Result<()> {
        if remove(&self.path)? { self.sync_dir() } else { Ok(()) }
    }
}

/// Whether there was such a file.
fn remove(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(why) => Err(why),
    }
}

/// `MAGIC \n device \n start \n bytes`, and a checksum of all that.
fn encode(blocks: &Blocks) -> Vec<u8> {
    let head = format!("{MAGIC}\n{}\n{}\n", blocks.device, blocks.start);
    let mut bytes = [head.as_bytes(), &blocks.bytes].concat();
    let checksum = CRC_32.checksum(&bytes).to_le_bytes();
    bytes.extend(checksum);
    bytes
}

fn decode(bytes: &[u8]) -> Option<Blocks> {
    let (content, checksum) = bytes.split_last_chunk::<4>()?;
    if CRC_32.checksum(content) != u32::from_le_bytes(*checksum) {
        return None;
    }
    let mut parts = content.splitn(4, |byte| *byte == b'\n');
    let mut line = || str::from_utf8(parts.next()?).ok();
    if line()? != MAGIC {
        return None;
    }
    let (device, start) = (line()?.to_owned(), line()?.parse().ok()?);
    Some(Blocks { device, start, bytes: parts.next()?.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn blocks_come_back_as_they_were(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            start in any::<u64>(),
        ) {
            let blocks = Blocks { device: "/dev/mtd1".into(), start, bytes };
            prop_assert_eq!(decode(&encode(&blocks)), Some(blocks));
        }

        #[test]
        fn one_changed_byte_is_noticed(at in any::<prop::sample::Index>(), by in 1..=u8::MAX) {
            let blocks = Blocks { device: "/dev/mtd1".into(), start: 64, bytes: vec![7; 40] };
            let mut bytes = encode(&blocks);
            let at = at.index(bytes.len());
            bytes[at] ^= by;
            prop_assert_eq!(decode(&bytes), None);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = decode(&bytes);
            let _ = decode(&[bytes.as_slice(), &CRC_32.checksum(&bytes).to_le_bytes()].concat());
        }
    }

    #[test]
    fn a_file_keeps_the_last_blocks_until_they_are_discarded() {
        let name = format!("uboot-env-{}.backup", std::process::id());
        let mut file = BackupFile::new(std::env::temp_dir().join(name));
        assert_eq!(file.load().expect("no file"), None);
        for bytes in [vec![1; 100], vec![2; 10]] {
            let blocks = Blocks { device: "/dev/mtd1".into(), start: 0, bytes };
            fs::write(file.temporary(), "left by a power cut").expect("written");
            file.save(&blocks).expect("saved");
            assert_eq!(file.load().expect("readable"), Some(blocks));
        }
        file.discard().expect("discarded");
        assert_eq!(file.load().expect("no file"), None);
        file.discard().expect("nothing to do");
        assert!(!file.temporary().exists());
    }
}
