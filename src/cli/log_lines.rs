//! Where log lines go: each with one system call, and not more of them than anybody reads.
//!
//! Whoever can make the panel log could otherwise fill its flash, or its memory where the log is there.

use std::io::{self, Write};
use std::time::{Duration, Instant};

/// So many lines may come at once.
const BURST: u32 = 200;
/// One more may come after each of these.
const EVERY: Duration = Duration::from_millis(200);

/// Gathers the pieces of a line, which the logger writes one by one.
pub(super) struct LogLines<W> {
    out: W,
    /// What each line begins with.
    name: &'static str,
    line: Vec<u8>,
    /// How many lines may come now.
    room: u32,
    /// Up to when `room` has been counted.
    counted: Instant,
    left_out: u64,
}

impl<W: Write> LogLines<W> {
    /// `name` stands in front of each line.
    pub(super) fn new(out: W, name: &'static str) -> Self {
        let counted = Instant::now();
        LogLines { out, name, line: name.into(), room: BURST, counted, left_out: 0 }
    }

    fn end_line(&mut self, now: Instant) -> io::Result<()> {
        let more = now.duration_since(self.counted).as_millis() / EVERY.as_millis();
        let more = u32::try_from(more).unwrap_or(BURST).min(BURST);
        if more > 0 {
            self.counted = now;
            self.room = (self.room + more).min(BURST);
        }
        let line = std::mem::replace(&mut self.line, self.name.into());
        if self.room == 0 {
            self.left_out += 1;
            return Ok(());
        }
        self.room -= 1;
        if self.left_out > 0 {
            let Self { name, left_out, .. } = self;
            let note = format!("{name}[WARN] {left_out} lines were too many and are left out\n");
            self.out.write_all(note.as_bytes())?;
            self.left_out = 0;
        }
        self.out.write_all(&line)
    }
}

impl<W: Write> Write for LogLines<W> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(piece);
        if piece.ends_with(b"\n") {
            self.end_line(Instant::now())?;
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts the calls too.
    #[derive(Default)]
    struct Out(Vec<String>);

    impl Write for Out {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(String::from_utf8_lossy(bytes).into_owned());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_written_at_once() {
        let mut lines = LogLines::new(Out::default(), "");
        for piece in ["[WARN]", " ", "a line", "\n", "an", "other\n"] {
            write!(lines, "{piece}").expect("written");
        }
        assert_eq!(lines.out.0, ["[WARN] a line\n", "another\n"]);
    }

    #[test]
    fn each_line_begins_with_the_name() {
        let mut lines = LogLines::new(Out::default(), "name: ");
        for _ in 0..BURST + 2 {
            lines.write_all(b"a line\n").expect("written");
        }
        lines.line.extend_from_slice(b"later\n");
        lines.end_line(lines.counted + EVERY).expect("written");
        assert_eq!(lines.out.0[..2], ["name: a line\n", "name: a line\n"]);
        let end = &lines.out.0[BURST as usize..];
        assert_eq!(end, ["name: [WARN] 2 lines were too many and are left out\n", "name: later\n"]);
    }

    #[test]
    fn a_flood_is_cut_and_told_in_sum() {
        let mut lines = LogLines::new(Out::default(), "");
        let start = lines.counted;
        let mut say = |text: &str, at: Instant| {
            lines.line.extend_from_slice(text.as_bytes());
            lines.end_line(at).expect("written");
            lines.out.0.len()
        };
        for _ in 0..10 * BURST {
            say("again\n", start);
        }
        assert_eq!(say("again\n", start), BURST as usize);
        say("later\n", start + EVERY);
        say("at once after it\n", start + EVERY);
        let said = lines.out.0.concat();
        let left_out = 9 * BURST + 1;
        let end = format!("again\n[WARN] {left_out} lines were too many and are left out\nlater\n");
        assert!(said.ends_with(&end), "{said}");
    }
}
