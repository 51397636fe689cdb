//! Reading a request from a file or from standard input.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;

use intercom_wire::MAX_REQUEST_BYTES;

use super::exit::Failure;
use super::progress::while_working;
use crate::file_error::advice;
use crate::text::{self, NotText};

/// The file's bytes; `-` is standard input. One byte more than a panel reads is enough to see that
/// it is too large.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let limit = MAX_REQUEST_BYTES as u64 + 1;
    let is_stdin = file == Path::new("-");
    let name = if is_stdin { "standard input".into() } else { file.to_string_lossy() };
    let mut read = || match is_stdin {
        true => io::stdin().take(limit).read_to_end(&mut bytes),
        false => File::open(file).and_then(|file| file.take(limit).read_to_end(&mut bytes)),
    };
    let what = format!("reading the request from {name}");
    let read = match is_stdin && io::stdin().is_terminal() {
        true => {
            // Once: a line that is rewritten would take away what is being typed.
            let _ = writeln!(io::stderr(), "{what}, until Ctrl-D");
            read()
        }
        false => while_working(&what, read),
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
