//! The ioctls of flash behind `/dev/mtdN`; the only place with `unsafe`. Source: the kernel's
//! `include/uapi/mtd/mtd-abi.h`.
#![allow(unsafe_code, reason = "the kernel takes raw pointers; each block says why it is sound")]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// `struct mtd_info_user` of `include/uapi/mtd/mtd-abi.h`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct MtdInfo {
    /// What the flash is: [`MTD_NORFLASH`] and others.
    pub(super) kind: u8,
    flags: u32,
    /// Bytes in the whole partition.
    pub(super) size: u32,
    /// Bytes in one erase block.
    pub(super) erase_size: u32,
    write_size: u32,
    oob_size: u32,
    padding: u64,
}

/// `struct erase_info_user`: a range of whole erase blocks, in bytes from the partition's start.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(super) struct MtdRange {
    /// Its first byte.
    pub(super) start: u32,
    /// How many bytes.
    pub(super) length: u32,
}

/// The only kind of flash that can be erased and written without minding bad blocks.
pub(super) const MTD_NORFLASH: u8 = 3;

mod number {
    use super::{MtdInfo, MtdRange};

    nix::ioctl_read!(memgetinfo, b'M', 1, MtdInfo);
    nix::ioctl_write_ptr!(memerase, b'M', 2, MtdRange);
    nix::ioctl_write_ptr!(memlock, b'M', 5, MtdRange);
    nix::ioctl_write_ptr!(memunlock, b'M', 6, MtdRange);
    // The kernel declares it as a read, yet it takes the range from here and answers by its result.
    nix::ioctl_read!(memislocked, b'M', 23, MtdRange);
}

/// What the flash behind `/dev/mtdN` is.
///
/// # Errors
/// As `ioctl(2)`; `ENOTTY` if it is no flash.
pub(super) fn info(device: BorrowedFd<'_>) -> io::Result<MtdInfo> {
    let mut info = MtdInfo::default();
    // SAFETY: the kernel writes one `mtd_info_user`, whose layout `MtdInfo` has, into a live one.
    unsafe { number::memgetinfo(device.as_raw_fd(), &raw mut info) }?;
    Ok(info)
}

/// Sets every bit of a range.
///
/// # Errors
/// As `ioctl(2)`.
pub(super) fn erase(device: BorrowedFd<'_>, range: MtdRange) -> io::Result<()> {
    // SAFETY: the kernel only reads one `erase_info_user`, whose layout `MtdRange` has.
    unsafe { number::memerase(device.as_raw_fd(), &raw const range) }?;
    Ok(())
}

/// Protects a range against erasing and writing.
///
/// # Errors
/// As `ioctl(2)`; `EOPNOTSUPP` where the flash has no protection.
pub(super) fn lock(device: BorrowedFd<'_>, range: MtdRange) -> io::Result<()> {
    // SAFETY: the kernel only reads one `erase_info_user`, whose layout `MtdRange` has.
    unsafe { number::memlock(device.as_raw_fd(), &raw const range) }?;
    Ok(())
}

/// Takes the protection off a range.
///
/// # Errors
/// As `ioctl(2)`; `EOPNOTSUPP` where the flash has no protection.
pub(super) fn unlock(device: BorrowedFd<'_>, range: MtdRange) -> io::Result<()> {
    // SAFETY: the kernel only reads one `erase_info_user`, whose layout `MtdRange` has.
    unsafe { number::memunlock(device.as_raw_fd(), &raw const range) }?;
    Ok(())
}

/// Whether a range is protected.
///
/// # Errors
/// As `ioctl(2)`; `EOPNOTSUPP` where the flash cannot tell.
pub(super) fn is_locked(device: BorrowedFd<'_>, mut range: MtdRange) -> io::Result<bool> {
    // SAFETY: the kernel reads one `erase_info_user`, whose layout `MtdRange` has, from a live one.
    let answer = unsafe { number::memislocked(device.as_raw_fd(), &raw mut range) }?;
    Ok(answer == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers hold the size of the struct, so a wrong layout shows here.
    #[test]
    fn the_numbers_are_those_of_the_kernel() {
        assert_eq!(nix::request_code_read!(b'M', 1, size_of::<MtdInfo>()), 0x8020_4d01);
        assert_eq!(nix::request_code_write!(b'M', 2, size_of::<MtdRange>()), 0x4008_4d02);
        assert_eq!(nix::request_code_write!(b'M', 5, size_of::<MtdRange>()), 0x4008_4d05);
        assert_eq!(nix::request_code_write!(b'M', 6, size_of::<MtdRange>()), 0x4008_4d06);
        assert_eq!(nix::request_code_read!(b'M', 23, size_of::<MtdRange>()), 0x8008_4d17);
    }
}
