//! One copy in the erase blocks that hold it.

use std::io;
use std::ops::Range;

use super::config::Location;
use super::error::Error;
use super::flags::{Flags, OBSOLETE};
use super::flash::Flash;
use super::format::Image;

/// One copy: a device, and where in it. What else is in its erase blocks stays as it is.
pub(super) struct Copy {
    /// The device's path on the board, for people and to tell backups apart.
    pub(super) device: String,
    flash: Box<dyn Flash>,
    at: u64,
    size: usize,
    redundant: bool,
}

/// The erase blocks of one copy, as they were read.
pub(super) struct Blocks {
    /// All bytes.
    pub(super) span: Vec<u8>,
    /// The copy among them.
    pub(super) image: Image,
}

/// Why writing was not done.
pub(super) enum Fault {
    /// A call failed.
    Io(io::Error),
    /// No call failed, and something else is there now.
    Differs,
}

impl Copy {
    pub(super) fn new(
        location: &Location,
        flash: Box<dyn Flash>,
        redundant: bool,
    ) -> Result<Self, Error> {
        let outside = || Error::Outside(location.device.clone());
        let from = if location.offset < 0 { flash.size() } else { 0 };
        let at = from.checked_add_signed(location.offset).ok_or_else(outside)?;
        let copy =
            Copy { device: location.device.clone(), flash, at, size: location.size, redundant };
        let (start, length) = copy.place().ok_or_else(outside)?;
        if start + length as u64 > copy.flash.size() {
            return Err(outside());
        }
        Ok(copy)
    }

    /// What the flag byte means here.
    pub(super) fn flags(&self) -> Flags {
        self.flash.flags()
    }

    /// Whether erasing one of the two takes bytes of the other.
    pub(super) fn shares_blocks_with(&self, other: &Copy) -> bool {
        let end = |(start, length): (u64, usize)| start + length as u64;
        match (self.place(), other.place()) {
            (Some(mine), Some(its)) => {
                self.device == other.device && mine.0 < end(its) && its.0 < end(mine)
            }
            _ => true,
        }
    }

    /// First byte and length of its erase blocks; `None` if there are no such numbers.
    pub(super) fn place(&self) -> Option<(u64, usize)> {
        let block = self.flash.erase_size();
        let start = self.at / block * block;
        let end = self.at.checked_add(self.size as u64)?.div_ceil(block).checked_mul(block)?;
        Some((start, usize::try_from(end - start).ok()?))
    }

    /// Where the copy is among the bytes of its erase blocks.
    pub(super) fn inside(&self) -> Range<usize> {
        // Less than the length of the span, which is a `usize`.
        let before = (self.at % self.flash.erase_size()) as usize;
        before..before + self.size
    }

    pub(super) fn read(&mut self) -> Result<Blocks, Error> {
        let outside = || Error::Outside(self.device.clone());
        let (start, length) = self.place().ok_or_else(outside)?;
        let mut span = vec![0; length];
        self.flash
            .read(start, &mut span)
            .map_err(|why| Error::Unreadable(self.device.clone(), why))?;
        let image = self.image_in(&span).ok_or_else(outside)?;
        Ok(Blocks { span, image })
    }

    /// The copy among the bytes of its erase blocks.
    pub(super) fn image_in(&self, span: &[u8]) -> Option<Image> {
        Image::new(span.get(self.inside())?.to_vec(), self.redundant)
    }

    /// The same erase blocks with another copy in them.
    pub(super) fn span_with(&self, span: &[u8], image: &Image) -> Vec<u8> {
        let mut span = span.to_vec();
        span[self.inside()].copy_from_slice(image.bytes());
        span
    }

    /// Whether something besides the copy is in its erase blocks.
    pub(super) fn has_neighbours(&self, span: &[u8]) -> bool {
        let inside = self.inside();
        let around = span[..inside.start].iter().chain(&span[inside.end..]);
        around.into_iter().any(|byte| *byte != 0xff)
    }

    /// Replaces the erase blocks: one erase, one write, read back.
    pub(super) fn put(&mut self, span: &[u8]) -> Result<(), Fault> {
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
    pub(super) fn mark_obsolete(&mut self) -> io::Result<()> {
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
