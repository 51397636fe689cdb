//! Copies of the environment, for tests.

use uboot_env::{Format, Image};

/// A good copy of `size` bytes whose data begins with `data`; the rest is `rest`. The flag is 1.
pub fn image(size: usize, format: Format, data: &[u8], rest: u8) -> Image {
    let header = match format {
        Format::Single => 4,
        Format::Redundant => 5,
    };
    let mut bytes = vec![rest; size];
    bytes[header..header + data.len()].copy_from_slice(data);
    let crc = checksum(&bytes[header..]).to_le_bytes();
    bytes[..4].copy_from_slice(&crc);
    Image::new(bytes, format).expect("long enough").with_flag(1)
}

/// CRC-32 by its definition: the remainder of a division, bit by bit.
fn checksum(bytes: &[u8]) -> u32 {
    let remainder = bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
        })
    });
    !remainder
}
