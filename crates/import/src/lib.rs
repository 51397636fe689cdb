//! An import file: replacements of panels as CSV, as spreadsheets write it, and the result file with what
//! came of each row. No I/O, and nothing is known here of what a value means.
//!
//! ```text
//! text ─ read ─► File { layout, rows } ─ … ─► rows with what came of them ─ write ─► text
//! ```
//!
//! A result file can be corrected and read again.

mod guard;
mod layout;
mod read;
mod write;

pub use layout::{COLUMNS, Column, Layout, Separator};
pub use read::{Fault, File, FileError, MAX_ROWS, Row, read};
pub use write::{Came, write};

#[cfg(test)]
mod tests;
