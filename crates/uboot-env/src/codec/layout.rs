//! Where the copies are.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

/// Where one copy is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The device's or file's absolute path.
    pub device: String,
    /// Its first byte; below zero it counts from the end of the device.
    pub offset: i64,
    /// How many bytes, header included.
    pub size: usize,
}

/// Where all copies are: one, or two of the same size if the environment is redundant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    copies: Vec<Location>,
}

impl Layout {
    /// One copy.
    pub fn single(copy: Location) -> Self {
        Layout { copies: vec![copy] }
    }

    /// Two copies, in the order in which U-Boot knows them; `None` if their sizes differ.
    pub fn redundant(first: Location, second: Location) -> Option<Self> {
        (first.size == second.size).then(|| Layout { copies: vec![first, second] })
    }

    /// The one copy, or both.
    pub fn copies(&self) -> &[Location] {
        &self.copies
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.offset < 0 { "-" } else { "" };
        let offset = self.offset.unsigned_abs();
        write!(f, "{} at {sign}{offset:#x}, {:#x} bytes", self.device, self.size)
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, copy) in self.copies.iter().enumerate() {
            let between = if number == 0 { "" } else { " and " };
            write!(f, "{between}{copy}")?;
        }
        Ok(())
    }
}
