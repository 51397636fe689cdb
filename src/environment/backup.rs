//! The backup of erase blocks in the state directory: there while a write is under way.

use std::io;

use intercom_wire::json_object;
use uboot_env::{Backup, Blocks};

use crate::storage::{Disk, replace, seal, unseal};

/// Its name in the state directory.
pub const FILE: &str = "environment.backup";

/// No span of erase blocks is as long; beyond it the file is not ours.
const MAX_LENGTH: usize = 4 << 20;

/// Keeps the backup on a disk.
pub(super) struct DiskBackup<'a, D: Disk>(pub(super) &'a mut D);

json_object! {
    /// The file. Most of the blocks is one byte again and again (erased flash, zeros), which is not
    /// written out.
    #[derive(Debug, Clone, PartialEq, Eq)]
    struct BackupFile {
        device: String,
        start: u64,
        length: usize,
        rest: u8,
        hex: String,
    }
}

impl BackupFile {
    fn of(blocks: &Blocks) -> Self {
        let bytes = &blocks.bytes;
        let rest = bytes.last().copied().unwrap_or(0xff);
        let used = bytes.iter().rposition(|byte| *byte != rest).map_or(0, |at| at + 1);
        BackupFile {
            device: blocks.device.clone(),
            start: blocks.start,
            length: bytes.len(),
            rest,
            hex: bytes[..used].iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }

    /// The blocks, if nothing is wrong with them.
    fn blocks(self) -> Option<Blocks> {
        if self.length > MAX_LENGTH || self.hex.len() > 2 * self.length {
            return None;
        }
        let mut bytes = vec![self.rest; self.length];
        for (byte, digits) in bytes.iter_mut().zip(self.hex.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(Blocks { device: self.device, start: self.start, bytes })
    }
}

impl<D: Disk> Backup for DiskBackup<'_, D> {
    fn save(&mut self, blocks: &Blocks) -> io::Result<()> {
        self.0.is_durable().map_err(io::Error::other)?;
        replace(self.0, FILE, &seal(&BackupFile::of(blocks))?)
    }

    fn load(&mut self) -> io::Result<Option<Blocks>> {
        let Some(bytes) = self.0.read(FILE)? else {
            return Ok(None);
        };
        let blocks = match unseal::<BackupFile>(&bytes) {
            Ok(file) => file.blocks(),
            Err(why) => {
                log::warn!("{FILE} is damaged and not used: {why}");
                return Ok(None);
            }
        };
        if blocks.is_none() {
            log::warn!("{FILE} has no erase blocks and is not used");
        }
        Ok(blocks)
    }

    fn discard(&mut self) -> io::Result<()> {
        self.0.remove(FILE)?;
        self.0.sync_dir()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_backup_gives_back_what_it_was_given(
            mut bytes in prop::collection::vec(any::<u8>(), 0..300),
            rest in any::<u8>(),
            more in 0_usize..300,
        ) {
            bytes.resize(bytes.len() + more, rest);
            let used = bytes.len() - more;
            let blocks = Blocks { device: "/dev/mtd1".into(), start: 64, bytes };
            let file = BackupFile::of(&blocks);
            prop_assert!(file.hex.len() <= 2 * used);
            prop_assert_eq!(file.blocks(), Some(blocks));
        }

        #[test]
        fn no_content_makes_it_panic(length in any::<usize>(), rest in any::<u8>(), hex in "\\PC*") {
            let file = BackupFile { device: String::new(), start: 0, length, rest, hex };
            let _ = file.blocks();
        }
    }
}
