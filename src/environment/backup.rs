//! The erase blocks that are about to be written, as they were: there while a write is under way.

use std::io;

use intercom_wire::json::from_object;
use serde::Serialize;

use crate::storage::{Disk, replace, seal, unseal};

/// Its name in the state directory.
pub const FILE: &str = "environment.backup";

/// No span of erase blocks is as long; beyond it the file is not ours.
const MAX_LENGTH: usize = 4 << 20;

/// Whole erase blocks and where they belong. Most of them is one byte again and again (erased
/// flash, zeros), which is not written out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Backup {
    device: String,
    start: u64,
    length: usize,
    rest: u8,
    hex: String,
}

from_object!(Backup { device, start, length, rest, hex });

impl Backup {
    pub(super) fn of(device: &str, start: u64, span: &[u8]) -> Self {
        let rest = span.last().copied().unwrap_or(0xff);
        let used = span.iter().rposition(|byte| *byte != rest).map_or(0, |at| at + 1);
        Backup {
            device: device.to_owned(),
            start,
            length: span.len(),
            rest,
            hex: span[..used].iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }

    /// The bytes, if these are those erase blocks and nothing is wrong with them.
    pub(super) fn span(&self, device: &str, start: u64, length: usize) -> Option<Vec<u8>> {
        let same = self.device == device && self.start == start && self.length == length;
        if !same || length > MAX_LENGTH || self.hex.len() > 2 * length {
            return None;
        }
        let mut span = vec![self.rest; length];
        for (byte, digits) in span.iter_mut().zip(self.hex.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(span)
    }

    /// Durable when this returns without an error.
    pub(super) fn save(&self, disk: &mut impl Disk) -> io::Result<()> {
        disk.is_durable().map_err(io::Error::other)?;
        replace(disk, FILE, &seal(self)?)
    }

    /// `None` if there is none, or one that is damaged.
    pub(super) fn read(disk: &mut impl Disk) -> io::Result<Option<Self>> {
        let Some(bytes) = disk.read(FILE)? else {
            return Ok(None);
        };
        match unseal(&bytes) {
            Ok(backup) => Ok(Some(backup)),
            Err(why) => {
                log::warn!("{FILE} is damaged and not used: {why}");
                Ok(None)
            }
        }
    }

    /// A backup that stays behind is harmless: the next start finds the blocks whole, and tries
    /// again to remove it.
    pub(super) fn remove(disk: &mut impl Disk) {
        if let Err(why) = disk.remove(FILE).and_then(|_| disk.sync_dir()) {
            log::warn!("{FILE} is not needed any more and cannot be removed: {why}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_backup_gives_back_what_it_was_given(
            mut span in prop::collection::vec(any::<u8>(), 0..300),
            rest in any::<u8>(),
            more in 0_usize..300,
        ) {
            span.resize(span.len() + more, rest);
            let backup = Backup::of("/dev/mtd1", 64, &span);
            prop_assert!(backup.hex.len() <= 2 * (span.len() - more));
            prop_assert_eq!(backup.span("/dev/mtd1", 64, span.len()), Some(span));
        }

        #[test]
        fn no_content_makes_it_panic(length in any::<usize>(), rest in any::<u8>(), hex in "\\PC*") {
            let backup = Backup { device: String::new(), start: 0, length, rest, hex };
            let _ = backup.span("", 0, length);
        }
    }

    #[test]
    fn a_backup_of_another_place_is_not_taken() {
        let backup = Backup::of("/dev/mtd1", 0, b"span");
        assert_eq!(backup.span("/dev/mtd2", 0, 4), None);
        assert_eq!(backup.span("/dev/mtd1", 4, 4), None);
        assert_eq!(backup.span("/dev/mtd1", 0, 8), None);
    }
}
