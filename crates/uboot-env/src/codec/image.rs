//! One copy of the environment as bytes: checksum, flag byte, `name=value` strings, the rest.

use alloc::borrow::{Cow, ToOwned};
use alloc::string::String;
use alloc::vec::Vec;
use alloc::{format, vec};
use core::fmt;

use super::checksum::CRC_32;

/// A variable and its new value. `None`, or an empty value (which U-Boot takes for none), removes
/// the variable.
pub type Change<'a> = (&'a str, Option<&'a str>);

/// Which header a copy has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A checksum: 4 bytes. There is one copy.
    Single,
    /// A checksum and a flag: 5 bytes. There are two copies, and the flags say which one counts.
    Redundant,
}

/// The bytes of one copy, and what they mean.
///
/// ```text
/// CRC-32 of the data (4, little endian) | flag (1, only if redundant) | a=1\0 b=2\0 \0 | anything
/// ```
///
/// The data is everything behind the header, up to the copy's end. Source: `env_t` of U-Boot's
/// `include/env_internal.h`, `struct env_image_single` and `struct env_image_redundant` of its
/// `tools/env/fw_env.c`.
///
/// ```
/// use uboot_env::{Format, Image};
///
/// let image = Image::empty(0x4000, Format::Single).expect("large enough");
/// let image = image.changed(&[("bootdelay", Some("3"))])?;
/// assert_eq!(image.get("bootdelay").as_deref(), Some("3"));
///
/// let read_back = Image::new(image.bytes().to_vec(), Format::Single).expect("large enough");
/// assert!(read_back.is_good());
/// # Ok::<(), uboot_env::VariableError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    bytes: Vec<u8>,
    format: Format,
}

/// Why variables cannot be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariableError {
    /// The copy has no room for them.
    Full {
        /// How many more bytes they need.
        missing: usize,
    },
    /// The format cannot hold this name, or the value that was given with it.
    Invalid {
        /// The variable's name.
        name: String,
    },
}

const CRC: usize = 4;

impl Format {
    /// How many bytes come before the data.
    const fn header(self) -> usize {
        match self {
            Format::Single => CRC,
            Format::Redundant => CRC + 1,
        }
    }
}

impl Image {
    /// One copy as it was read, good or not; `None` if it is too short for a header and an end.
    pub fn new(bytes: Vec<u8>, format: Format) -> Option<Self> {
        (bytes.len() >= format.header() + 2).then_some(Image { bytes, format })
    }

    /// A good copy of `size` bytes without variables, filled up with zeros, with flag 0; `None` if
    /// it would be too short. It is what U-Boot's `mkenvimage -p 0` makes of an empty file, but
    /// for the flag.
    pub fn empty(size: usize, format: Format) -> Option<Self> {
        Image::new(vec![0; size], format).map(Image::with_checksum)
    }

    /// Whether the checksum fits. The variables of a copy that is not good mean nothing.
    pub fn is_good(&self) -> bool {
        self.bytes[..CRC] == CRC_32.checksum(self.data()).to_le_bytes()
    }

    /// The flag byte of a redundant copy; [`Flags`](crate::Flags) knows what it means.
    pub fn flag(&self) -> Option<u8> {
        match self.format {
            Format::Single => None,
            Format::Redundant => Some(self.bytes[CRC]),
        }
    }

    /// The same variables with another flag byte, which the checksum does not cover. A single copy
    /// has none and stays as it is.
    #[must_use]
    pub fn with_flag(mut self, flag: u8) -> Self {
        match self.format {
            Format::Single => {}
            Format::Redundant => self.bytes[CRC] = flag,
        }
        self
    }

    /// All bytes, as they are in the flash.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A variable's value, with U+FFFD for what is not UTF-8. Of a name that is there twice the
    /// last one counts, as in U-Boot.
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        entries(self.data())
            .filter(|entry| is_of(entry, name))
            .last()
            .map(|entry| String::from_utf8_lossy(&entry[name.len() + 1..]))
    }

    /// All names and values in the order in which they are stored, with U+FFFD for what is not
    /// UTF-8. Entries without `=` or without a name are left out.
    pub fn variables(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        entries(self.data()).filter_map(|entry| {
            let end = entry.iter().position(|byte| *byte == b'=').filter(|end| *end > 0)?;
            let (name, value) = (&entry[..end], &entry[end + 1..]);
            Some((String::from_utf8_lossy(name), String::from_utf8_lossy(value)))
        })
    }

    /// The copy with changed variables: each in its place, new ones last. All else stays as it is,
    /// also entries without `=` and what stands behind the last variable, unless variables now
    /// need the room.
    ///
    /// # Errors
    /// If there is no room, or a name or value cannot be written.
    pub fn changed(&self, changes: &[Change<'_>]) -> Result<Image, VariableError> {
        let old: Vec<&[u8]> = entries(self.data()).collect();
        let new = edited(&old, changes)?;
        if new == old {
            return Ok(self.clone());
        }
        self.holding(&new, length_of(&old))
    }

    /// Whether [`Image::changed`] would be another copy than this one.
    ///
    /// # Errors
    /// If a name or value cannot be written.
    pub(crate) fn is_changed_by(&self, changes: &[Change<'_>]) -> Result<bool, VariableError> {
        let old: Vec<&[u8]> = entries(self.data()).collect();
        Ok(edited(&old, changes)? != old)
    }

    fn holding(
        &self,
        entries: &[Cow<'_, [u8]>],
        old_length: usize,
    ) -> Result<Image, VariableError> {
        let mut image = self.clone();
        let data = &mut image.bytes[self.format.header()..];
        let length = length_of(entries);
        if length > data.len() {
            return Err(VariableError::Full { missing: length - data.len() });
        }
        // What is set free looks like the unused rest: erased, or zeros.
        let unused = if data.last() == Some(&0xff) { 0xff } else { 0 };
        let old_length = old_length.min(data.len());
        data[length.min(old_length)..old_length].fill(unused);
        let mut at = 0;
        for entry in entries {
            data[at..at + entry.len()].copy_from_slice(entry);
            data[at + entry.len()] = 0;
            at += entry.len() + 1;
        }
        data[at..length].fill(0);
        Ok(image.with_checksum())
    }

    fn with_checksum(mut self) -> Self {
        let crc = CRC_32.checksum(self.data()).to_le_bytes();
        self.bytes[..CRC].copy_from_slice(&crc);
        self
    }

    fn data(&self) -> &[u8] {
        &self.bytes[self.format.header()..]
    }
}

/// Everything before the first empty string; U-Boot reads no further.
fn entries(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    data.split(|byte| *byte == 0).take_while(|entry| !entry.is_empty())
}

/// The entries with changed variables.
fn edited<'a>(
    old: &[&'a [u8]],
    changes: &[Change<'_>],
) -> Result<Vec<Cow<'a, [u8]>>, VariableError> {
    let mut new: Vec<Cow<'_, [u8]>> = old.iter().map(|entry| Cow::from(*entry)).collect();
    for &(name, value) in changes {
        let value = value.unwrap_or_default();
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            return Err(VariableError::Invalid { name: name.to_owned() });
        }
        let last = new.iter().rposition(|entry| is_of(entry, name));
        let wanted = (!value.is_empty()).then(|| format!("{name}={value}").into_bytes());
        match (last, wanted) {
            (Some(at), Some(wanted)) => new[at] = wanted.into(),
            (None, Some(wanted)) => new.push(wanted.into()),
            (_, None) => new.retain(|entry| !is_of(entry, name)),
        }
        // Earlier ones of the same name: tools that take the first must not see another value.
        let mut left = new.iter().filter(|entry| is_of(entry, name)).count();
        new.retain(|entry| {
            let again = is_of(entry, name) && left > 1;
            left -= usize::from(again);
            !again
        });
    }
    Ok(new)
}

fn is_of(entry: &[u8], name: &str) -> bool {
    entry.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'='))
}

/// Bytes that the entries take with all their ends; two zeros stand for no variables.
fn length_of(entries: &[impl AsRef<[u8]>]) -> usize {
    let strings: usize = entries.iter().map(|entry| entry.as_ref().len() + 1).sum();
    (strings + 1).max(2)
}

impl fmt::Display for VariableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VariableError::Full { missing } => write!(
                f,
                "the environment is full: {missing} more bytes are needed; remove variables that \
                 nothing uses"
            ),
            VariableError::Invalid { name } => write!(
                f,
                "the variable `{}` cannot be written: a name is not empty and has no `=`, \
                 and neither name nor value has a NUL",
                name.escape_debug()
            ),
        }
    }
}

impl core::error::Error for VariableError {}
