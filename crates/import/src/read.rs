//! Reads an import file.

use std::fmt;

use csv::{ReaderBuilder, StringRecord, Trim};

use crate::guard::unguarded;
use crate::layout::{COLUMNS, Column, Layout, Separator};
use crate::write::RESULT_COLUMNS;

/// The most rows of one file.
pub const MAX_ROWS: usize = 10_000;

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// How it is laid out.
    pub layout: Layout,
    /// The rows, without blank ones.
    pub rows: Vec<Row>,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line on which it begins; the header's is 1 where nothing stands before it.
    pub line: u64,
    /// As many cells as there are columns, trimmed. What is missing at the end is empty.
    pub cells: Vec<String>,
    /// What is wrong with it as a row.
    pub fault: Option<Fault>,
}

/// Why a row cannot be meant so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A cell stands where the header has no name.
    Surplus,
    /// A cell of this column has a line break: its quotation mark is most likely not closed.
    LineBreak(Column),
}

/// Why a text is no import file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileError {
    /// It has no header.
    Empty,
    /// The header has a name that is none.
    UnknownColumn(String),
    /// The header has a name twice.
    ColumnTwice(Column),
    /// Neither `id` nor `mac` is in the header.
    NamesNoIntercom,
    /// Neither `new_mac` nor `new_serial_number` is in the header.
    AsksForNothing,
    /// There is nothing below the header.
    NoRows,
    /// There are more rows than [`MAX_ROWS`].
    TooManyRows,
    /// It cannot be read as CSV.
    Malformed(String),
}

/// What stands in a place of the header.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A column that is imported.
    Of(Column),
    /// A column of a result file.
    OfAResult,
    /// No name: spreadsheets write empty columns.
    Unnamed,
}

/// Reads a file.
///
/// # Errors
/// The header is not as it should be, or there are no rows or too many.
pub fn read(text: &str) -> Result<File, FileError> {
    let (has_byte_order_mark, text) = match text.strip_prefix('\u{FEFF}') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let header = text.lines().find(|line| !line.trim().is_empty()).ok_or(FileError::Empty)?;
    let separator = Separator::of_header(header);
    let mut reader = ReaderBuilder::new()
        .delimiter(separator.byte())
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .from_reader(text.as_bytes());
    let mut lines = Lines::of(text);
    let mut places: Option<Vec<Place>> = None;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|why| FileError::Malformed(why.to_string()))?;
        if record.iter().all(str::is_empty) {
            continue;
        }
        let Some(places) = &places else {
            places = Some(header_of(&record)?);
            continue;
        };
        if rows.len() == MAX_ROWS {
            return Err(FileError::TooManyRows);
        }
        rows.push(row(lines.of_record(&record), places, &record));
    }
    let places = places.ok_or(FileError::Empty)?;
    if rows.is_empty() {
        return Err(FileError::NoRows);
    }
    let columns = places.iter().filter_map(|place| place.column()).collect();
    Ok(File { layout: Layout { separator, has_byte_order_mark, columns }, rows })
}

fn header_of(record: &StringRecord) -> Result<Vec<Place>, FileError> {
    let mut places = Vec::with_capacity(record.len());
    for text in record {
        let name = text.to_ascii_lowercase().replace([' ', '-'], "_");
        let place = match (name.as_str(), Column::of(&name)) {
            ("", _) => Place::Unnamed,
            (_, Some(column)) => Place::Of(column),
            (name, None) if RESULT_COLUMNS.contains(&name) => Place::OfAResult,
            (_, None) => return Err(FileError::UnknownColumn(text.chars().take(64).collect())),
        };
        if let Place::Of(column) = place
            && places.contains(&place)
        {
            return Err(FileError::ColumnTwice(column));
        }
        places.push(place);
    }
    let has = |column| places.contains(&Place::Of(column));
    if !has(Column::Id) && !has(Column::Mac) {
        return Err(FileError::NamesNoIntercom);
    }
    if !has(Column::NewMac) && !has(Column::NewSerialNumber) {
        return Err(FileError::AsksForNothing);
    }
    Ok(places)
}

fn row(line: u64, places: &[Place], record: &StringRecord) -> Row {
    let mut cells = Vec::new();
    let mut fault = None;
    for (index, place) in places.iter().enumerate() {
        let cell = record.get(index).unwrap_or_default();
        match place {
            Place::Of(column) => {
                if cell.contains(['\n', '\r']) {
                    fault = fault.or(Some(Fault::LineBreak(*column)));
                }
                cells.push(unguarded(cell).to_owned());
            }
            Place::Unnamed if !cell.is_empty() => fault = fault.or(Some(Fault::Surplus)),
            Place::Unnamed | Place::OfAResult => {}
        }
    }
    if record.iter().skip(places.len()).any(|cell| !cell.is_empty()) {
        fault = fault.or(Some(Fault::Surplus));
    }
    Row { line, cells, fault }
}

impl Place {
    fn column(self) -> Option<Column> {
        match self {
            Place::Of(column) => Some(column),
            Place::OfAResult | Place::Unnamed => None,
        }
    }
}

/// Counts lines. The reader says where it began to look for a record: before blank lines.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        Lines { text: text.as_bytes(), at: 0, line: 1 }
    }

    /// The line on which a record begins. Records come in their order.
    fn of_record(&mut self, record: &StringRecord) -> u64 {
        let from = record.position().map_or(0, |position| position.byte());
        let from = usize::try_from(from).unwrap_or(usize::MAX).min(self.text.len());
        while let Some(byte) = self.text.get(self.at)
            && (self.at < from || matches!(byte, b'\n' | b'\r'))
        {
            let is_end = match byte {
                b'\n' => true,
                b'\r' => self.text.get(self.at + 1) != Some(&b'\n'),
                _ => false,
            };
            self.line += u64::from(is_end);
            self.at += 1;
        }
        self.line
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Surplus => f.write_str("The row has a cell that has no name in the header."),
            Fault::LineBreak(column) => write!(
                f,
                "The cell of {} has a line break: a quotation mark is not closed.",
                column.name()
            ),
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileError::Empty => f.write_str("The file is empty."),
            FileError::UnknownColumn(name) => {
                write!(f, "The header has {name:?}, which is no column:")?;
                let names: Vec<&str> = COLUMNS.iter().map(|column| column.name()).collect();
                write!(f, " they are {}.", names.join(", "))
            }
            FileError::ColumnTwice(column) => write!(f, "The header has {} twice.", column.name()),
            FileError::NamesNoIntercom => {
                f.write_str("The header needs id or mac, which say which intercom is meant.")
            }
            FileError::AsksForNothing => {
                f.write_str("The header needs new_mac or new_serial_number.")
            }
            FileError::NoRows => f.write_str("The file has no rows below its header."),
            FileError::TooManyRows => {
                write!(f, "The file must not have more than {MAX_ROWS} rows.")
            }
            FileError::Malformed(why) => write!(f, "The file cannot be read as CSV: {why}."),
        }
    }
}

impl std::error::Error for Fault {}

impl std::error::Error for FileError {}
