//! The lines of `fw_env.config`, as U-Boot's own tools and libubootenv read them.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::RangeInclusive;

use super::layout::{Layout, Location};

/// Below it there is no room for a variable; no environment is larger, so beyond it a typing error
/// is likelier.
const SIZES: RangeInclusive<u64> = 16..=1 << 20;

/// A line that is not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub kind: ConfigErrorKind,
}

/// What is wrong with a line of `fw_env.config`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigErrorKind {
    /// The file is in libubootenv's YAML format, which is not read here.
    Yaml,
    /// The device, which is given, is a UBI volume, which is not supported.
    UbiVolume(String),
    /// Fewer fields than device, offset and size.
    MissingField,
    /// The device, which is given, is not an absolute path.
    RelativeDevice(String),
    /// The field is not an offset: decimal, octal or hexadecimal as in C.
    Offset(String),
    /// The field is not a hexadecimal number.
    Hexadecimal(String),
    /// The field is a number, but no environment has this size.
    Size(String),
    /// The sectors hold fewer bytes than the environment has.
    TooFewSectors,
    /// The second copy has another size than the first.
    UnequalSizes,
}

/// Reads the lines `device offset size [sector size [sectors [no locking]]]`: one copy, or two.
/// `None` if no line names one.
///
/// As in the tools an offset is decimal, octal or (with `0x`) hexadecimal, a size is always
/// hexadecimal, lines after the second are not read, and a field that begins with `#` ends a line.
/// Unlike the tools this does not pass over a line that it cannot read: half a configuration would
/// name another environment than the one meant. The sector fields are checked and then not used,
/// since the flash itself knows its erase blocks.
///
/// Source: `get_config` of U-Boot's `tools/env/fw_env.c`, `libuboot_read_config` of libubootenv.
///
/// # Errors
/// The first line that is not understood.
pub fn parse_config(text: &str) -> Result<Option<Layout>, ConfigError> {
    let mut found: Option<Layout> = None;
    for (line, text) in (1..).zip(text.lines()) {
        let fields: Vec<&str> =
            text.split_whitespace().take_while(|field| !field.starts_with('#')).collect();
        let first = match &found {
            _ if fields.is_empty() => continue,
            None => None,
            Some(layout) => match layout.copies() {
                [first] => Some(first.clone()),
                _ => continue,
            },
        };
        let error = |kind| ConfigError { line, kind };
        let copy = location(&fields).map_err(error)?;
        found = Some(match first {
            None => Layout::single(copy),
            Some(first) => Layout::redundant(first, copy)
                .ok_or_else(|| error(ConfigErrorKind::UnequalSizes))?,
        });
    }
    Ok(found)
}

fn location(fields: &[&str]) -> Result<Location, ConfigErrorKind> {
    if is_yaml(fields) {
        return Err(ConfigErrorKind::Yaml);
    }
    let [device, offset, size, sectors @ ..] = fields else {
        return Err(ConfigErrorKind::MissingField);
    };
    if device.starts_with("/dev/ubi") || device.contains(':') {
        return Err(ConfigErrorKind::UbiVolume((*device).to_owned()));
    }
    if !device.starts_with('/') {
        return Err(ConfigErrorKind::RelativeDevice((*device).to_owned()));
    }
    let offset = integer(offset).ok_or_else(|| ConfigErrorKind::Offset((*offset).to_owned()))?;
    let bytes = hexadecimal(size)?;
    let no_size = || ConfigErrorKind::Size((*size).to_owned());
    if !SIZES.contains(&bytes) {
        return Err(no_size());
    }
    let sectors =
        sectors.iter().take(2).map(|field| hexadecimal(field)).collect::<Result<Vec<u64>, _>>()?;
    if let [sector, count] = sectors[..]
        && sector != 0
        && count != 0
        && sector.saturating_mul(count) < bytes
    {
        return Err(ConfigErrorKind::TooFewSectors);
    }
    let size = usize::try_from(bytes).map_err(|_| no_size())?;
    Ok(Location { device: (*device).to_owned(), offset, size })
}

/// Whether a line is one that a YAML file begins with: a document mark, or a key.
fn is_yaml(fields: &[&str]) -> bool {
    match fields {
        ["---" | "%YAML", ..] | [_, ":", ..] => true,
        [key, ..] => key.ends_with(':'),
        [] => false,
    }
}

/// As `strtoll` with base 0.
fn integer(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        Some(digits) => (16, digits),
        None if digits.starts_with('0') => (8, digits),
        None => (10, digits),
    };
    if !digits.starts_with(|first: char| first.is_digit(radix)) {
        return None;
    }
    i64::from_str_radix(&format!("{sign}{digits}"), radix).ok()
}

/// As `strtoul` with base 16.
fn hexadecimal(text: &str) -> Result<u64, ConfigErrorKind> {
    let digits = text.strip_prefix("0x").or(text.strip_prefix("0X")).unwrap_or(text);
    let number = if digits.starts_with(|first: char| first.is_ascii_hexdigit()) {
        u64::from_str_radix(digits, 16).ok()
    } else {
        None
    };
    number.ok_or_else(|| ConfigErrorKind::Hexadecimal(text.to_owned()))
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.kind)
    }
}

impl fmt::Display for ConfigErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigErrorKind::Yaml => f.write_str(
                "this is the YAML format of libubootenv, which is not supported; if the file \
                 describes a single environment, replace it by lines `device offset size`, which \
                 libubootenv reads as well; if it describes several, leave it as it is, since the \
                 tools of libubootenv need it",
            ),
            ConfigErrorKind::UbiVolume(device) => write!(
                f,
                "the device `{device}` is a UBI volume, which is not supported; leave the line as \
                 it is, and use `fw_printenv` and `fw_setenv`"
            ),
            ConfigErrorKind::MissingField => {
                f.write_str("an entry is `device offset size`, each after white space")
            }
            ConfigErrorKind::RelativeDevice(device) => {
                write!(f, "the device `{device}` is not an absolute path")
            }
            ConfigErrorKind::Offset(field) => write!(f, "`{field}` is not an offset"),
            ConfigErrorKind::Hexadecimal(field) => {
                write!(f, "`{field}` is not a hexadecimal number")
            }
            ConfigErrorKind::Size(field) => {
                write!(f, "`{field}` is not the size of an environment")
            }
            ConfigErrorKind::TooFewSectors => {
                f.write_str("the environment does not fit into its sectors")
            }
            ConfigErrorKind::UnequalSizes => {
                f.write_str("the two copies of a redundant environment have the same size")
            }
        }
    }
}

impl core::error::Error for ConfigError {}
