//! What a hook prints, as a bounded number of bounded lines.

/// How many lines of one hook are passed on.
pub(super) const MAX_LINES: usize = 100;
/// How many bytes of one line are passed on.
pub(super) const MAX_LINE_BYTES: usize = 400;

/// Cuts a stream of bytes into lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    line: Vec<u8>,
    last: Option<String>,
    told: usize,
    dropped: usize,
}

impl Lines {
    /// Takes bytes as they come, and tells each line that they end.
    pub(super) fn push(&mut self, bytes: &[u8], mut tell: impl FnMut(&str)) {
        for byte in bytes {
            if *byte == b'\n' {
                self.end_line(&mut tell);
            } else if self.line.len() < MAX_LINE_BYTES {
                self.line.push(*byte);
            }
        }
    }

    /// Tells the line that had no end, and how many lines were dropped. Gives the last line.
    pub(super) fn finish(mut self, mut tell: impl FnMut(&str)) -> Option<String> {
        self.end_line(&mut tell);
        if self.dropped > 0 {
            tell(&format!("({} more lines)", self.dropped));
        }
        self.last
    }

    fn end_line(&mut self, tell: &mut impl FnMut(&str)) {
        let text = String::from_utf8_lossy(&self.line);
        // A hook must not be able to forge lines or colours in the log.
        let text: String = text.chars().filter(|character| !character.is_control()).collect();
        self.line.clear();
        if text.trim().is_empty() {
            return;
        }
        let text = text.trim_end();
        self.last = Some(text.to_owned());
        if self.told < MAX_LINES {
            self.told += 1;
            tell(text);
        } else {
            self.dropped += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(chunks: &[&[u8]]) -> Vec<String> {
        let mut told = Vec::new();
        let mut lines = Lines::default();
        for chunk in chunks {
            lines.push(chunk, |line| told.push(line.to_owned()));
        }
        lines.finish(|line| told.push(line.to_owned()));
        told
    }

    #[test]
    fn lines_are_told_one_by_one() {
        assert_eq!(lines(&[b"one\ntw", b"o\r\n\n\x1b[31mthree"]), ["one", "two", "[31mthree"]);
    }

    #[test]
    fn a_flood_is_cut_and_counted() {
        let told = lines(&[&b"x\n".repeat(MAX_LINES + 7)]);
        assert_eq!(told.len(), MAX_LINES + 1);
        assert_eq!(told[MAX_LINES], "(7 more lines)");
        assert_eq!(lines(&[&b"x".repeat(MAX_LINE_BYTES * 3)]), ["x".repeat(MAX_LINE_BYTES)]);
    }

    #[test]
    fn the_last_line_is_kept_however_many_there_were() {
        let mut lines = Lines::default();
        lines.push(&b"x\n".repeat(MAX_LINES), |_| {});
        lines.push(b"a call is going on\n\n", |_| {});
        assert_eq!(lines.finish(|_| {}).as_deref(), Some("a call is going on"));
        assert_eq!(Lines::default().finish(|_| {}), None);
    }

    proptest! {
        #[test]
        fn how_the_bytes_arrive_does_not_matter(
            bytes in prop::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..200),
            cut in 0..200_usize,
        ) {
            let (first, second) = bytes.split_at(cut.min(bytes.len()));
            prop_assert_eq!(lines(&[first, second]), lines(&[&bytes]));
        }
    }
}
