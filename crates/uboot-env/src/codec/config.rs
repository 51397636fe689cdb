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

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

    use super::*;
    use proptest::prelude::*;

    fn at(device: &str, offset: i64, size: usize) -> Location {
        Location { device: device.into(), offset, size }
    }

    fn copies(text: &str) -> Vec<Location> {
        let layout = parse_config(text).expect(text);
        layout.map_or(vec![], |layout| layout.copies().to_vec())
    }

    fn kind(line: &str) -> ConfigErrorKind {
        parse_config(line).expect_err(line).kind
    }

    #[test]
    fn one_line_is_a_single_copy_and_two_are_redundant() {
        let nor = "# NOR\n\n/dev/mtd1\t0x0000 0x4000\t0x4000\n";
        assert_eq!(copies(nor), [at("/dev/mtd1", 0, 0x4000)]);
        let two = "/dev/mtd1 0x0 0x1000 0x10000 1\n/dev/mtd2 0x10000 0x1000 0x10000 1\n/dev/x 0 10";
        assert_eq!(copies(two), [at("/dev/mtd1", 0, 0x1000), at("/dev/mtd2", 0x10000, 0x1000)]);
        assert_eq!(copies("# nothing\n"), []);
    }

    #[test]
    fn numbers_are_what_they_are_to_the_tools() {
        for (offset, value) in [("16", 16), ("0x10", 16), ("020", 16), ("0", 0), ("-0x20", -32)] {
            let line = format!("/dev/mmcblk0 {offset} 4000 # size: always hexadecimal");
            assert_eq!(copies(&line), [at("/dev/mmcblk0", value, 0x4000)], "{line}");
        }
    }

    #[test]
    fn an_error_names_the_line_and_what_is_wrong_with_it() {
        use ConfigErrorKind as Kind;
        for (line, kind) in [
            ("/dev/mtd1", Kind::MissingField),
            ("/dev/mtd1 0x0", Kind::MissingField),
            ("dev/mtd1 0x0 0x4000", Kind::RelativeDevice("dev/mtd1".into())),
            ("/dev/mtd1 zero 0x4000", Kind::Offset("zero".into())),
            ("/dev/mtd1 0x 0x4000", Kind::Offset("0x".into())),
            ("/dev/mtd1 --1 0x4000", Kind::Offset("--1".into())),
            ("/dev/mtd1 0x0 0", Kind::Size("0".into())),
            ("/dev/mtd1 0x0 64K", Kind::Hexadecimal("64K".into())),
            ("/dev/mtd1 0x0 0xffffffff", Kind::Size("0xffffffff".into())),
            ("/dev/mtd1 0x0 0x4000 block", Kind::Hexadecimal("block".into())),
            ("/dev/mtd1 0x0 0x4000 0x1000 2", Kind::TooFewSectors),
        ] {
            let found = parse_config(&format!("# where it is\n{line}\n"));
            assert_eq!(found, Err(ConfigError { line: 2, kind }), "{line}");
        }
        let unequal = parse_config("/dev/mtd1 0 1000\n/dev/mtd2 0 2000\n");
        assert_eq!(unequal, Err(ConfigError { line: 2, kind: Kind::UnequalSizes }));
    }

    #[test]
    fn yaml_is_recognised_and_refused_by_its_name() {
        let libubootenv = "uboot:\n  size : 0x4000\n  devices:\n    - path : /dev/mtd1\n";
        for text in [libubootenv, "---\nuboot:\n", "%YAML 1.2\n---\n", "size : 0x4000\n"] {
            assert_eq!(kind(text), ConfigErrorKind::Yaml, "{text}");
        }
        let words = kind(libubootenv).to_string();
        assert!(words.contains("YAML") && words.contains("`device offset size`"), "{words}");
    }

    #[test]
    fn a_ubi_volume_is_recognised_and_refused_by_its_name() {
        for device in ["/dev/ubi0_1", "/dev/ubi0:env", "ubi0:env"] {
            let found = kind(&format!("{device} 0 1000\n"));
            assert_eq!(found, ConfigErrorKind::UbiVolume(device.into()));
            assert!(found.to_string().contains("UBI volume"));
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*", words in "(/[a-z]|[-+0x9a#:]{1,5}|[ \n]){0,40}") {
            let _ = parse_config(&text);
            let _ = parse_config(&words);
        }
    }
}
