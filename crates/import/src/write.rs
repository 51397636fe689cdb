//! Writes a result file: the rows as they were given, and what came of each.

use std::io;

use csv::{Terminator, WriterBuilder};

use crate::guard::guarded;
use crate::layout::{Column, Layout};

/// The columns that stand after those that were given.
pub(crate) const RESULT_COLUMNS: [&str; 3] = ["result", "request_id", "error"];

/// A row, and what came of it.
#[derive(Debug, Clone, Copy)]
pub struct Came<'a> {
    /// The cells as they were given.
    pub cells: &'a [String],
    /// What came of it, in one word; empty while nothing has.
    pub result: &'a str,
    /// The request that was made.
    pub request_id: &'a str,
    /// What is wrong with it.
    pub error: &'a str,
}

/// Writes the file, with the separator and the byte order mark of the one that was read.
///
/// # Errors
/// None that is known: memory takes what is written.
pub fn write<'a>(layout: &Layout, rows: impl Iterator<Item = Came<'a>>) -> io::Result<Vec<u8>> {
    let mut file = Vec::new();
    if layout.has_byte_order_mark {
        file.extend_from_slice("\u{FEFF}".as_bytes());
    }
    let mut writer = WriterBuilder::new()
        .delimiter(layout.separator.byte())
        .terminator(Terminator::CRLF)
        .from_writer(file);
    let given = layout.columns.iter().copied().map(Column::name);
    writer.write_record(given.chain(RESULT_COLUMNS))?;
    for Came { cells, result, request_id, error } in rows {
        let cells = cells.iter().map(String::as_str).chain([result, request_id, error]);
        writer.write_record(cells.map(|cell| guarded(cell).into_owned()))?;
    }
    writer.into_inner().map_err(|why| why.into_error())
}
