//! The checksum of a copy: CRC-32 as in gzip and zlib, `crc32()` of U-Boot's `lib/crc32.c`. Each
//! changed [`Image`](super::image::Image) is given it, so that no copy is written with a bad one.

use crc::{CRC_32_ISO_HDLC, Crc, NoTable};

/// `CRC_32.checksum(bytes)` for all bytes, `CRC_32.digest()` for bytes that come in pieces.
///
/// It works bit by bit: a table takes 1 KiB to 16 KiB of flash, and without one an environment is
/// still checked within milliseconds.
pub(crate) static CRC_32: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_check_value_of_the_catalogue_of_checksums() {
        assert_eq!(CRC_32.checksum(b"123456789"), 0xcbf4_3926);
        assert_eq!(CRC_32.checksum(b""), 0);
    }
}
