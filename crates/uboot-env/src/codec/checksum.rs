//! The checksum of a copy: CRC-32 as in gzip and zlib, `crc32()` of U-Boot's `lib/crc32.c`. Each
//! changed [`Image`](super::image::Image) is given it, so that no copy is written with a bad one.

use crc::{CRC_32_ISO_HDLC, Crc, Table};

/// `CRC_32.checksum(bytes)` for all bytes, `CRC_32.digest()` for bytes that come in pieces.
///
/// It works byte by byte, with the smallest table there is: 1 KiB of flash. Bit by bit, the checksums
/// of one write of an environment took longer than all that is written.
pub(crate) static CRC_32: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_check_value_of_the_catalogue_of_checksums() {
        assert_eq!(CRC_32.checksum(b"123456789"), 0xcbf4_3926);
        assert_eq!(CRC_32.checksum(b""), 0);
    }
}
