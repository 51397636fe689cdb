//! Reading a request from a file or from standard input.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use intercom_wire::MAX_REQUEST_BYTES;

use super::exit::Failure;
use crate::file_error::advice;
use crate::text::{self, NotText};

/// The file's bytes; `-` is standard input. One byte more than a panel reads is enough to see that
/// it is too large.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let limit = MAX_REQUEST_BYTES as u64 + 1;
    let (name, read) = match file == Path::new("-") {
        true => ("standard input".into(), io::stdin().take(limit).read_to_end(&mut bytes)),
        false => (
            file.to_string_lossy(),
            File::open(file).and_then(|file| file.take(limit).read_to_end(&mut bytes)),
        ),
    };
    let cannot = |why: &dyn Display| Failure::usage(format!("{name} cannot be read: {why}"));
    read.map_err(|why| cannot(&format!("{why}{}", advice(&why))))?;
    match text::decode(&bytes) {
        Ok(text) => Ok(text.into_bytes()),
        Err(why @ NotText::Utf16) => Err(cannot(&why)),
        // It is rejected for that, as on a route.
        Err(NotText::NotUtf8 { .. }) => Ok(bytes),
    }
}
