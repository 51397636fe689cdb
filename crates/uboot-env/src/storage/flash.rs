//! The seam to the flash.

use std::io;

use crate::codec::flags::Flags;

/// What can be done with flash, one call of the kernel each, so that a simulation can cut the power
/// in the middle of any of them. All places are bytes from the start of the device.
///
/// [`Store::open`](crate::Store::open) knows NOR flash, block devices and plain files; implement
/// this for anything else, and give it to [`Store::over`](crate::Store::over).
pub trait Flash: Send {
    /// How many bytes it has.
    fn size(&self) -> u64;

    /// How many bytes are erased at least, and at multiples of what; 1 where nothing is erased.
    fn erase_size(&self) -> u64;

    /// What the flag byte of a redundant environment means on it.
    fn flags(&self) -> Flags;

    /// Reads `into` full.
    ///
    /// # Errors
    /// As `pread(2)`.
    fn read(&mut self, at: u64, into: &mut [u8]) -> io::Result<()>;

    /// Takes the protection off whole erase blocks; whether there was any.
    ///
    /// # Errors
    /// If there is protection and it stays.
    fn unlock(&mut self, at: u64, length: usize) -> io::Result<bool>;

    /// Sets every bit of whole erase blocks.
    ///
    /// # Errors
    /// If it did not, or not wholly.
    fn erase(&mut self, at: u64, length: usize) -> io::Result<()>;

    /// Clears the bits that are 0 in `bytes`. Those that are 1 were set before, by erasing. The
    /// bytes are durable when this returns.
    ///
    /// # Errors
    /// If it did not, or not wholly.
    fn program(&mut self, at: u64, bytes: &[u8]) -> io::Result<()>;

    /// Protects whole erase blocks.
    ///
    /// # Errors
    /// If they are not protected now.
    fn lock(&mut self, at: u64, length: usize) -> io::Result<()>;
}
