//! One copy in the erase blocks that hold it.

use std::io;
use std::ops::Range;

use super::backup::Blocks;
use super::error::Error;
use super::flash::Flash;
use crate::codec::flags::{Flags, OBSOLETE};
use crate::codec::image::{Format, Image};
use crate::codec::layout::Location;

/// One copy: a device, and where in it. What else is in its erase blocks stays as it is.
pub(crate) struct Copy {
    /// The device's path, for people and to tell backups apart.
    pub(crate) device: String,
    flash: Box<dyn Flash>,
    at: u64,
    size: usize,
    format: Format,
}

/// One copy with its erase blocks, as they were read.
pub(crate) struct Contents {
    /// All bytes.
    pub(crate) span: Vec<u8>,
    /// The copy among them.
    pub(crate) image: Image,
    /// Whether its checksum fits.
    pub(crate) is_good: bool,
}

/// Why writing was not done.
pub(crate) enum Fault {
    /// A call failed.
    Io(io::Error),
    /// No call failed, and something else is there now.
    Differs,
}

impl Copy {
    pub(crate) fn new(
        location: &Location,
        flash: Box<dyn Flash>,
        format: Format,
    ) -> Result<Self, Error> {
        let outside = || Error::Outside { device: location.device.clone() };
        let from = if location.offset < 0 { flash.size() } else { 0 };
        let at = from.checked_add_signed(location.offset).ok_or_else(outside)?;
        let copy = Copy { device: location.device.clone(), flash, at, size: location.size, format };
        let (start, length) = copy.place().ok_or_else(outside)?;
        if start + length as u64 > copy.flash.size() {
            return Err(outside());
        }
        Ok(copy)
    }

    /// What the flag byte means here.
    pub(crate) fn flags(&self) -> Flags {
        self.flash.flags()
    }

    /// Never 0, whatever the device says.
    fn erase_size(&self) -> u64 {
        self.flash.erase_size().max(1)
    }

    /// Whether erasing one of the two takes bytes of the other.
    pub(crate) fn shares_blocks_with(&self, other: &Copy) -> bool {
        let end = |(start, length): (u64, usize)| start + length as u64;
        match (self.place(), other.place()) {
            (Some(mine), Some(its)) => {
                self.device == other.device && mine.0 < end(its) && its.0 < end(mine)
            }
            _ => true,
        }
    }

    /// First byte and length of its erase blocks; `None` if there are no such numbers.
    pub(crate) fn place(&self) -> Option<(u64, usize)> {
        let block = self.erase_size();
        let start = self.at / block * block;
        let end = self.at.checked_add(self.size as u64)?.div_ceil(block).checked_mul(block)?;
        Some((start, usize::try_from(end - start).ok()?))
    }

    /// Where the copy is among the bytes of its erase blocks.
    pub(crate) fn inside(&self) -> Range<usize> {
        // Less than the length of the span, which is a `usize`.
        let before = (self.at % self.erase_size()) as usize;
        before..before + self.size
    }

    /// Its erase blocks as a backup keeps them.
    pub(crate) fn blocks(&self, span: &[u8]) -> Result<Blocks, Error> {
        let (start, _) =
            self.place().ok_or_else(|| Error::Outside { device: self.device.clone() })?;
        Ok(Blocks { device: self.device.clone(), start, bytes: span.to_vec() })
    }

    /// Whether a backup is of its erase blocks.
    pub(crate) fn is_at(&self, blocks: &Blocks) -> bool {
        self.device == blocks.device && self.place() == Some((blocks.start, blocks.bytes.len()))
    }

    pub(crate) fn read(&mut self) -> Result<Contents, Error> {
        let outside = || Error::Outside { device: self.device.clone() };
        let (start, length) = self.place().ok_or_else(outside)?;
        let mut span = vec![0; length];
        self.flash
            .read(start, &mut span)
            .map_err(|error| Error::Unreadable { path: self.device.clone(), error })?;
        let image = self.image_in(&span).ok_or_else(outside)?;
        let is_good = image.is_good();
        Ok(Contents { span, image, is_good })
    }

    /// The copy among the bytes of its erase blocks.
    pub(crate) fn image_in(&self, span: &[u8]) -> Option<Image> {
        Image::new(span.get(self.inside())?.to_vec(), self.format)
    }

    /// The same erase blocks with another copy in them.
    pub(crate) fn span_with(&self, span: &[u8], image: &Image) -> Vec<u8> {
        let mut span = span.to_vec();
        span[self.inside()].copy_from_slice(image.bytes());
        span
    }

    /// Whether something besides the copy is in its erase blocks.
    pub(crate) fn has_neighbours(&self, span: &[u8]) -> bool {
        let inside = self.inside();
        let around = span[..inside.start].iter().chain(&span[inside.end..]);
        around.into_iter().any(|byte| *byte != 0xff)
    }

    /// Replaces the erase blocks: one erase, one write, read back.
    pub(crate) fn put(&mut self, span: &[u8]) -> Result<(), Fault> {
        let (start, length) = self.place().ok_or(Fault::Differs)?;
        let flash = &mut self.flash;
        let was_locked = flash.unlock(start, length).map_err(Fault::Io)?;
        let written = flash.erase(start, length).and_then(|()| flash.program(start, span));
        self.lock_again(was_locked, start, length);
        written.map_err(Fault::Io)?;
        let mut now = vec![0; length];
        self.flash.read(start, &mut now).map_err(Fault::Io)?;
        if now == span { Ok(()) } else { Err(Fault::Differs) }
    }

    /// Says of this copy that the other one counts. Bits are only cleared, so nothing is erased.
    pub(crate) fn mark_obsolete(&mut self) -> io::Result<()> {
        let (start, length) = self.place().ok_or(io::ErrorKind::InvalidInput)?;
        let was_locked = self.flash.unlock(start, length)?;
        // Right behind the checksum, which does not cover it.
        let marked = self.flash.program(self.at + 4, &[OBSOLETE]);
        self.lock_again(was_locked, start, length);
        marked
    }

    fn lock_again(&mut self, was_locked: bool, start: u64, length: usize) {
        if was_locked && let Err(why) = self.flash.lock(start, length) {
            log::warn!("{} stays without its write protection: {why}", self.device);
        }
    }
}
