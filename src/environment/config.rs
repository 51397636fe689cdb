//! `/etc/fw_env.config`, as U-Boot's own tools and libubootenv read it.

use std::fmt;

/// Where it is.
pub(super) const PATH: &str = "/etc/fw_env.config";

/// No environment is as large; beyond it a typing error is likelier.
const MAX_SIZE: u64 = 1 << 20;

/// Where one copy is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The device's absolute path on the board.
    pub device: String,
    /// Its first byte; below zero it counts from the end of the device.
    pub offset: i64,
    /// How many bytes, checksum included.
    pub size: usize,
}

/// A line that is not understood.
#[derive(Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

/// Reads the lines `device offset size [sector size [sectors [no locking]]]`: one copy, or two.
///
/// As in the tools an offset is decimal, octal or (with `0x`) hexadecimal, a size is always
/// hexadecimal, lines after the second are not read, and a field that begins with `#` ends a line.
/// Unlike the tools this does not pass over a line that it cannot read: half a configuration would
/// name another environment than the one meant. The sector fields are checked and then not used,
/// since the flash itself knows its erase blocks.
///
/// # Errors
/// The first line that is not understood.
pub fn parse(text: &str) -> Result<Vec<Location>, BadLine> {
    let mut copies: Vec<Location> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let fields: Vec<&str> =
            line.split_whitespace().take_while(|field| !field.starts_with('#')).collect();
        if fields.is_empty() || copies.len() == 2 {
            continue;
        }
        let bad = |why| BadLine { line: number, why };
        let copy = location(&fields).map_err(bad)?;
        if let Some(first) = copies.first()
            && first.size != copy.size
        {
            let why = "the two copies of a redundant environment have the same size";
            return Err(bad(why.into()));
        }
        copies.push(copy);
    }
    Ok(copies)
}

fn location(fields: &[&str]) -> Result<Location, String> {
    if fields.len() == 1 && fields[0].ends_with(':') {
        return Err("YAML is not understood here; write `device offset size`".into());
    }
    let [device, offset, size, rest @ ..] = fields else {
        return Err("an entry is `device offset size`, each after white space".into());
    };
    if !device.starts_with('/') {
        return Err(format!("the device `{device}` is not an absolute path"));
    }
    if device.starts_with("/dev/ubi") || device.contains(':') {
        return Err(format!("the device `{device}` is a UBI volume, which is not supported"));
    }
    let offset = integer(offset).ok_or_else(|| format!("`{offset}` is not an offset"))?;
    let bytes = hexadecimal(size).ok_or_else(|| format!("`{size}` is not a hexadecimal size"))?;
    if !(16..=MAX_SIZE).contains(&bytes) {
        return Err(format!("`{size}` is not the size of an environment"));
    }
    let sectors = rest
        .iter()
        .take(2)
        .map(|field| hexadecimal(field).ok_or_else(|| format!("`{field}` is not hexadecimal")))
        .collect::<Result<Vec<u64>, String>>()?;
    if let [sector, count] = sectors[..]
        && sector != 0
        && count != 0
        && sector.saturating_mul(count) < bytes
    {
        return Err("the environment does not fit into its sectors".into());
    }
    Ok(Location {
        device: (*device).to_owned(),
        offset,
        size: usize::try_from(bytes).map_err(|_| format!("`{size}` is too large"))?,
    })
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
fn hexadecimal(text: &str) -> Option<u64> {
    let digits = text.strip_prefix("0x").or(text.strip_prefix("0X"));
    let digits = digits.unwrap_or(text);
    if !digits.starts_with(|first: char| first.is_ascii_hexdigit()) {
        return None;
    }
    u64::from_str_radix(digits, 16).ok()
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.offset < 0 { "-" } else { "" };
        let offset = self.offset.unsigned_abs();
        write!(f, "{} at {sign}{offset:#x}, {:#x} bytes", self.device, self.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(device: &str, offset: i64, size: usize) -> Location {
        Location { device: device.into(), offset, size }
    }

    #[test]
    fn one_line_is_a_single_copy_and_two_are_redundant() {
        let nor = "# NOR\n\n/dev/mtd1\t0x0000 0x4000\t0x4000\n";
        assert_eq!(parse(nor), Ok(vec![at("/dev/mtd1", 0, 0x4000)]));
        let two = "/dev/mtd1 0x0 0x1000 0x10000 1\n/dev/mtd2 0x10000 0x1000 0x10000 1\n/dev/x 0 10";
        let copies = vec![at("/dev/mtd1", 0, 0x1000), at("/dev/mtd2", 0x10000, 0x1000)];
        assert_eq!(parse(two), Ok(copies));
        assert_eq!(parse("# nothing\n"), Ok(vec![]));
    }

    #[test]
    fn numbers_are_what_they_are_to_the_tools() {
        for (offset, value) in [("16", 16), ("0x10", 16), ("020", 16), ("0", 0), ("-0x20", -32)] {
            let line = format!("/dev/mmcblk0 {offset} 4000 # size: always hexadecimal");
            assert_eq!(parse(&line), Ok(vec![at("/dev/mmcblk0", value, 0x4000)]), "{line}");
        }
    }

    #[test]
    fn an_error_names_the_line() {
        for line in [
            "/dev/mtd1",
            "/dev/mtd1 0x0",
            "dev/mtd1 0x0 0x4000",
            "/dev/ubi0:env 0 1000",
            "/dev/mtd1 zero 0x4000",
            "/dev/mtd1 0x 0x4000",
            "/dev/mtd1 --1 0x4000",
            "/dev/mtd1 0x0 0",
            "/dev/mtd1 0x0 64K",
            "/dev/mtd1 0x0 0xffffffff",
            "/dev/mtd1 0x0 0x4000 block",
            "/dev/mtd1 0x0 0x4000 0x1000 2",
            "uboot:",
        ] {
            let error = parse(&format!("# where it is\n{line}\n")).expect_err(line);
            assert_eq!(error.line, 2, "{line}");
        }
        let unequal = "/dev/mtd1 0 1000\n/dev/mtd2 0 2000\n";
        assert_eq!(parse(unequal).expect_err("unequal").line, 2);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*", words in "(/[a-z]|[-+0x9a#]{1,5}|[ \n]){0,40}") {
            let _ = parse(&text);
            let _ = parse(&words);
        }
    }
}
