//! Splits a JSON array into its elements, from a body of any length.
//!
//! It only finds where each element begins and ends; the caller parses the bytes. Neither the whole
//! array nor an element above [`MAX_REQUEST_BYTES`] is held in memory.

use std::io::{self, BufRead, BufReader, Read};

use intercom_wire::MAX_REQUEST_BYTES;

const BUFFER: usize = 8 * 1024;

/// The rest of an array.
#[derive(Debug)]
pub(super) struct Elements<R> {
    from: BufReader<R>,
    element: Vec<u8>,
    first: bool,
}

/// One element.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Element<'a> {
    /// Its bytes: one JSON value if the body is valid.
    Whole(&'a [u8]),
    /// It has this many bytes, which is too many, and was skipped.
    TooLong(u64),
}

/// Why there are no more elements.
#[derive(Debug)]
pub(super) enum ListError {
    /// The body cannot be read any further.
    Read(io::Error),
    /// The body is not a JSON array.
    Malformed(Malformed),
}

/// What is wrong with a body that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Malformed {
    /// It does not begin with `[`.
    NotAList,
    /// It ends within the array.
    CutShort,
    /// This byte stands where it has no meaning.
    Misplaced(u8),
}

impl From<Malformed> for ListError {
    fn from(why: Malformed) -> Self {
        ListError::Malformed(why)
    }
}

/// The position of the scan in an element.
#[derive(Default)]
struct Place {
    depth: u64,
    in_string: bool,
    escaped: bool,
}

impl<R: Read> Elements<R> {
    /// Reads up to the first element.
    pub(super) fn open(body: R) -> Result<Self, ListError> {
        let mut from = BufReader::with_capacity(BUFFER, body);
        if next_visible(&mut from)? != Some(b'[') {
            return Err(Malformed::NotAList.into());
        }
        from.consume(1);
        Ok(Elements { from, element: Vec::new(), first: true })
    }

    /// The next element; `None` after the end of the array, which only white space may follow.
    pub(super) fn next(&mut self) -> Result<Option<Element<'_>>, ListError> {
        let mut byte = next_visible(&mut self.from)?.ok_or(Malformed::CutShort)?;
        let first = std::mem::take(&mut self.first);
        if byte == b']' {
            self.from.consume(1);
            return match next_visible(&mut self.from)? {
                None => Ok(None),
                Some(more) => Err(Malformed::Misplaced(more).into()),
            };
        }
        if !first {
            if byte != b',' {
                return Err(Malformed::Misplaced(byte).into());
            }
            self.from.consume(1);
            byte = next_visible(&mut self.from)?.ok_or(Malformed::CutShort)?;
        }
        if matches!(byte, b',' | b']' | b'}') {
            return Err(Malformed::Misplaced(byte).into());
        }
        self.read_element().map(Some)
    }

    fn read_element(&mut self) -> Result<Element<'_>, ListError> {
        self.element.clear();
        let mut length = 0;
        let mut place = Place::default();
        loop {
            let chunk = fill(&mut self.from)?;
            if chunk.is_empty() {
                return Err(Malformed::CutShort.into());
            }
            let within = chunk.iter().position(|byte| place.ends_before(*byte));
            let taken = within.unwrap_or(chunk.len());
            length += taken as u64;
            if length <= MAX_REQUEST_BYTES as u64 {
                self.element.extend_from_slice(&chunk[..taken]);
            }
            self.from.consume(taken);
            if within.is_some() {
                return Ok(if length <= MAX_REQUEST_BYTES as u64 {
                    Element::Whole(&self.element)
                } else {
                    Element::TooLong(length)
                });
            }
        }
    }
}

impl Place {
    /// True if the element ends before this byte; otherwise the byte belongs to it.
    fn ends_before(&mut self, byte: u8) -> bool {
        if self.in_string {
            if self.escaped {
                self.escaped = false;
            } else {
                self.escaped = byte == b'\\';
                self.in_string = byte != b'"';
            }
            return false;
        }
        match byte {
            b'"' => self.in_string = true,
            b'[' | b'{' => self.depth += 1,
            b']' | b'}' | b',' | b' ' | b'\t' | b'\n' | b'\r' if self.depth == 0 => return true,
            b']' | b'}' => self.depth -= 1,
            _ => {}
        }
        false
    }
}

/// The next byte that is not white space, without consuming it; `None` at the end of the body.
fn next_visible(from: &mut impl BufRead) -> Result<Option<u8>, ListError> {
    loop {
        let chunk = fill(from)?;
        if chunk.is_empty() {
            return Ok(None);
        }
        match chunk.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) {
            Some(at) => {
                let byte = chunk[at];
                from.consume(at);
                return Ok(Some(byte));
            }
            None => {
                let all = chunk.len();
                from.consume(all);
            }
        }
    }
}

fn fill(from: &mut impl BufRead) -> Result<&[u8], ListError> {
    // It is called twice, since the compiler does not see that a failed first borrow has ended.
    while let Err(why) = from.fill_buf() {
        if why.kind() != io::ErrorKind::Interrupted {
            return Err(ListError::Read(why));
        }
    }
    from.fill_buf().map_err(ListError::Read)
}

#[cfg(test)]
mod tests;
