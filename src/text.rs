//! Text as people and their tools write it: with a byte order mark, with CR LF, or as UTF-16.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::OFlag;

/// The byte order mark.
const MARK: &str = "\u{feff}";
/// Character devices of flash partitions (the kernel's `MTD_CHAR_MAJOR`).
const MTD_MAJOR: u64 = 90;

/// Why bytes cannot be read as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotText {
    /// It is UTF-16.
    Utf16,
    /// It is some other encoding, or no text.
    NotUtf8 {
        /// The first line that is not UTF-8, counted from 1.
        line: usize,
    },
}

/// Reads UTF-8, without a byte order mark and with plain line ends.
///
/// # Errors
/// When it is not UTF-8.
pub fn decode(bytes: &[u8]) -> Result<String, NotText> {
    if is_utf_16(bytes) {
        return Err(NotText::Utf16);
    }
    let text = str::from_utf8(bytes).map_err(|why| {
        let (good, _) = bytes.split_at(why.valid_up_to());
        NotText::NotUtf8 { line: good.iter().filter(|byte| **byte == b'\n').count() + 1 }
    })?;
    let unmarked = text.strip_prefix(MARK).unwrap_or(text);
    Ok(unmarked.replace("\r\n", "\n"))
}

/// Opens a file that can be read to its end: no directory, pipe or terminal. Opening it never waits.
///
/// # Errors
/// As `open(2)`, and when it is something else than a file or a flash partition.
pub fn open_file(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)?;
    let found = file.metadata()?;
    let is_partition = found.file_type().is_block_device()
        || (found.file_type().is_char_device() && found.rdev() >> 8 == MTD_MAJOR);
    match found.is_file() || is_partition {
        true => Ok(file),
        false => Err(io::Error::other("it is not a regular file")),
    }
}

/// Opens a text file that is too long to be held, behind its byte order mark. Its line ends are as they
/// are.
///
/// # Errors
/// As [`open_file`] and `read(2)`, and when it is UTF-16.
pub fn open(path: &Path) -> io::Result<BufReader<File>> {
    let mut file = BufReader::new(open_file(path)?);
    let start = file.fill_buf()?;
    if is_utf_16(start) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, NotText::Utf16));
    }
    if start.starts_with(MARK.as_bytes()) {
        file.consume(MARK.len());
    }
    Ok(file)
}

/// Without a mark half of an ASCII character is zero, and no text of ours has a zero.
fn is_utf_16(bytes: &[u8]) -> bool {
    matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 1..=127, ..] | [1..=127, 0, ..])
}

impl std::error::Error for NotText {}

impl fmt::Display for NotText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotText::Utf16 => f.write_str("it is UTF-16: save it as UTF-8"),
            NotText::NotUtf8 { line } => {
                write!(f, "line {line} is not UTF-8: save it as UTF-8, if it is text at all")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::Sandbox;

    const LITTLE_ENDIAN: fn(u16) -> [u8; 2] = u16::to_le_bytes;
    const BIG_ENDIAN: fn(u16) -> [u8; 2] = u16::to_be_bytes;

    proptest! {
        #[test]
        fn text_is_the_same_however_it_is_marked_and_its_lines_end(text in "[^\r\u{feff}\0]*") {
            for mark in ["", "\u{feff}"] {
                for end in ["\n", "\r\n"] {
                    let written = format!("{mark}{}", text.replace('\n', end));
                    prop_assert_eq!(decode(written.as_bytes()), Ok(text.clone()));
                }
            }
        }

        #[test]
        fn utf_16_is_named(text in "[ -~][^\0]*", mark in prop::bool::ANY) {
            let text = format!("{}{text}", if mark { "\u{feff}" } else { "" });
            for bytes_of in [LITTLE_ENDIAN, BIG_ENDIAN] {
                let bytes: Vec<u8> = text.encode_utf16().flat_map(bytes_of).collect();
                prop_assert_eq!(decode(&bytes), Err(NotText::Utf16));
            }
        }

        #[test]
        fn no_bytes_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = decode(&bytes);
        }
    }

    #[test]
    fn what_may_never_end_is_not_opened() {
        let sandbox = Sandbox::new();
        let pipe = sandbox.root().path(Path::new("/pipe"));
        mkfifo(&pipe, Mode::S_IRWXU).expect("made");
        for path in [&pipe, Path::new("/"), Path::new("/dev/zero")] {
            let why = open_file(path).expect_err("no file").to_string();
            assert_eq!(why, "it is not a regular file", "{}", path.display());
        }
        assert!(open_file(Path::new("/proc/self/status")).is_ok());
    }

    #[test]
    fn another_encoding_is_told_by_its_line() {
        let latin_1 = b"a = 1\n# f\xfcr\n";
        assert_eq!(decode(latin_1), Err(NotText::NotUtf8 { line: 2 }));
    }
}
