//! Finding the environment where no `/etc/fw_env.config` says where it is.

use std::io;

use super::flash::Flash;
use crate::codec::checksum::CRC_32;
use crate::codec::layout::Location;

/// The kernel's list of flash partitions.
pub(crate) const PROC_MTD: &str = "/proc/mtd";

/// Smallest and largest environment that is looked for; the sizes between are powers of two.
const SIZES: (u64, u64) = (0x1000, 0x4_0000);

/// What is read first of each erase block, to see whether the rest is worth reading.
const HEAD: usize = 256;

/// One line of `/proc/mtd`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Partition {
    /// Its device.
    pub(crate) device: String,
    /// How many bytes it has.
    pub(crate) size: u64,
    /// How many bytes an erase block has.
    pub(crate) erase_size: u64,
    /// What the firmware calls it.
    pub(crate) name: String,
}

/// The partitions in `/proc/mtd`, those with `env` in their name first, the others in order.
/// Lines that are something else, as the head line is, are passed over.
pub(crate) fn partitions(proc_mtd: &str) -> Vec<Partition> {
    let mut found: Vec<Partition> = proc_mtd.lines().filter_map(partition).collect();
    found.sort_by_key(|partition| !partition.name.to_ascii_lowercase().contains("env"));
    found
}

fn partition(line: &str) -> Option<Partition> {
    let (device, rest) = line.split_once(": ")?;
    device.strip_prefix("mtd")?.parse::<u32>().ok()?;
    let (numbers, name) = rest.split_once(" \"")?;
    let (size, erase_size) = numbers.split_once(' ')?;
    Some(Partition {
        device: format!("/dev/{device}"),
        size: u64::from_str_radix(size, 16).ok()?,
        erase_size: u64::from_str_radix(erase_size, 16).ok()?,
        name: name.trim_end_matches('"').to_owned(),
    })
}

/// The environment in a partition, if one begins at an erase block of it.
///
/// OpenIPC's `fw_printenv` does the same when it has no configuration: it tries every erase block
/// of every partition, and takes the first whose checksum fits over 64, 256 or 128 KiB, as a single
/// copy. Here all powers of two from 4 KiB to 256 KiB are tried, and only in blocks that begin with
/// a name and `=`, so that the whole flash need not be read at each start. A redundant environment
/// is not guessed, as which two copies belong together cannot be told: it needs a configuration.
///
/// # Errors
/// If the flash cannot be read.
pub(crate) fn find(flash: &mut dyn Flash, partition: &Partition) -> io::Result<Option<Location>> {
    let size = partition.size.min(flash.size());
    let Some(step) = usize::try_from(partition.erase_size).ok().filter(|step| *step > 0) else {
        return Ok(None);
    };
    for at in (0..size).step_by(step) {
        let found = size_at(flash, at, size - at)?.map(usize::try_from).transpose().ok().flatten();
        if let Some((size, offset)) = found.zip(i64::try_from(at).ok()) {
            return Ok(Some(Location { device: partition.device.clone(), offset, size }));
        }
    }
    Ok(None)
}

/// The size of the environment at `at`, with at most `room` bytes, if there is one.
fn size_at(flash: &mut dyn Flash, at: u64, room: u64) -> io::Result<Option<u64>> {
    let mut head = [0; HEAD];
    if room < SIZES.0 {
        return Ok(None);
    }
    flash.read(at, &mut head)?;
    let Some((expected, data)) = head.split_first_chunk::<4>() else { return Ok(None) };
    let name = data.iter().position(|byte| !byte.is_ascii_graphic() || *byte == b'=');
    if name.is_none_or(|name| name == 0 || data[name] != b'=') {
        return Ok(None);
    }
    let expected = u32::from_le_bytes(*expected);
    let mut crc = CRC_32.digest();
    let mut checked = 4;
    let mut chunk = [0; 4096];
    let mut size = SIZES.0;
    while size <= SIZES.1.min(room) {
        while checked < size {
            let length = chunk.len().min(usize::try_from(size - checked).unwrap_or(chunk.len()));
            flash.read(at + checked, &mut chunk[..length])?;
            crc.update(&chunk[..length]);
            checked += length as u64;
        }
        if crc.clone().finalize() == expected {
            return Ok(Some(size));
        }
        size *= 2;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPENIPC: &str = "dev:    size   erasesize  name\n\
        mtd0: 00040000 00010000 \"boot\"\n\
        mtd1: 00010000 00010000 \"env\"\n\
        mtd2: 00200000 00010000 \"kernel\"\n";

    #[test]
    fn partitions_named_env_come_first() {
        let found: Vec<String> = partitions(OPENIPC).into_iter().map(|p| p.device).collect();
        assert_eq!(found, ["/dev/mtd1", "/dev/mtd0", "/dev/mtd2"]);
        assert_eq!(partitions(OPENIPC)[0].size, 0x10000);
        assert_eq!(partitions("mtdx: 1 2\nmtd1\n: \""), []);
    }
}
