//! One copy of the environment as bytes: checksum, flag byte if redundant, `name=value` strings, the rest.

use std::borrow::Cow;
use std::fmt;

/// A variable and its new value; none, or an empty one (which U-Boot takes for none), removes it.
pub type Change<'a> = (&'a str, Option<&'a str>);

/// The bytes of one copy, and what they mean.
///
/// ```text
/// CRC-32 of the data (4, little endian) | flag (1, only if redundant) | a=1\0 b=2\0 \0 | anything
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    bytes: Vec<u8>,
    redundant: bool,
}

/// Why variables cannot be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// There is no room; how many bytes are missing.
    Full(usize),
    /// A name or value that the format cannot hold; the variable's name.
    Invalid(String),
}

const CRC: usize = 4;

impl Image {
    /// One copy as it was read; `None` if it is too short to hold even no variables.
    pub fn new(bytes: Vec<u8>, redundant: bool) -> Option<Self> {
        let image = Image { bytes, redundant };
        (image.bytes.len() >= image.header() + 2).then_some(image)
    }

    /// Whether the checksum fits.
    pub fn is_good(&self) -> bool {
        self.bytes[..CRC] == crc32fast::hash(self.data()).to_le_bytes()
    }

    /// The flag byte of a redundant copy.
    pub fn flag(&self) -> Option<u8> {
        self.redundant.then(|| self.bytes[CRC])
    }

    /// The same variables with another flag byte; the checksum does not cover it.
    #[must_use]
    pub fn with_flag(mut self, flag: u8) -> Self {
        if self.redundant {
            self.bytes[CRC] = flag;
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

    /// The copy with changed variables: each in its place, new ones last. All else stays as it is,
    /// also entries without `=` and what stands behind the last variable, unless variables now
    /// need the room.
    ///
    /// # Errors
    /// If there is no room, or a name or value cannot be written.
    pub fn changed(&self, changes: &[Change<'_>]) -> Result<Image, Unfit> {
        let old: Vec<&[u8]> = entries(self.data()).collect();
        let mut new: Vec<Cow<'_, [u8]>> = old.iter().map(|entry| Cow::from(*entry)).collect();
        for &(name, value) in changes {
            let value = value.unwrap_or_default();
            if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
                return Err(Unfit::Invalid(name.to_owned()));
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
        if new == old {
            return Ok(self.clone());
        }
        self.holding(&new, length_of(&old))
    }

    fn holding(&self, entries: &[Cow<'_, [u8]>], old_length: usize) -> Result<Image, Unfit> {
        let mut image = self.clone();
        let data = &mut image.bytes[self.header()..];
        let length = length_of(entries);
        if length > data.len() {
            return Err(Unfit::Full(length - data.len()));
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
        let crc = crc32fast::hash(image.data()).to_le_bytes();
        image.bytes[..CRC].copy_from_slice(&crc);
        Ok(image)
    }

    fn header(&self) -> usize {
        CRC + usize::from(self.redundant)
    }

    fn data(&self) -> &[u8] {
        &self.bytes[self.header()..]
    }
}

/// Everything before the first empty string; U-Boot reads no further.
fn entries(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    data.split(|byte| *byte == 0).take_while(|entry| !entry.is_empty())
}

fn is_of(entry: &[u8], name: &str) -> bool {
    entry.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'='))
}

/// Bytes that the entries take with all their ends; two zeros stand for no variables.
fn length_of(entries: &[impl AsRef<[u8]>]) -> usize {
    let strings: usize = entries.iter().map(|entry| entry.as_ref().len() + 1).sum();
    (strings + 1).max(2)
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unfit::Full(missing) => write!(
                f,
                "the environment is full: {missing} more bytes are needed; remove variables that nothing uses"
            ),
            Unfit::Invalid(name) => write!(
                f,
                "the variable `{}` cannot be written: a name is not empty and has no `=`, \
                 and neither name nor value has a NUL",
                name.escape_debug()
            ),
        }
    }
}
