//! Breaks lines between words, so that a terminal shows each below its own column.

/// The column of a table up to which a broken line is indented.
const DEEPEST: usize = 31;

/// The text in lines of at most `width` characters. A word that is longer stays whole: it is a path or
/// an address that somebody wants to copy.
pub fn wrap(text: &str, width: usize) -> String {
    let mut wrapped = String::with_capacity(text.len());
    for line in text.lines() {
        wrap_line(&mut wrapped, line, width);
        wrapped.push('\n');
    }
    wrapped
}

fn wrap_line(wrapped: &mut String, line: &str, width: usize) {
    let leading = line.len() - line.trim_start().len();
    let indent = indent(line, leading, width);
    let mut rest = line;
    let mut indented = 0;
    while let Some((at, letter)) = rest.char_indices().nth(width.saturating_sub(indented)) {
        // Never within the indentation, or nothing would ever be left of it.
        let first = if indented == 0 { leading } else { 0 };
        let (fits, too_long) = rest.split_at(at);
        let last = if letter == ' ' { Some(at) } else { fits.rfind(' ') };
        let next = || too_long.find(' ').map(|end| at + end);
        let Some(end) = last.filter(|end| *end > first).or_else(next) else { break };
        let (start, after) = rest.split_at(end);
        wrapped.push_str(start.trim_end());
        wrapped.push('\n');
        wrapped.extend(std::iter::repeat_n(' ', indent));
        indented = indent;
        rest = after.trim_start();
    }
    wrapped.push_str(rest);
}

/// Where the last column of a table begins in this line, if a broken line has room below it.
fn indent(line: &str, leading: usize, width: usize) -> usize {
    let deepest = DEEPEST.min(width / 2);
    let is_gap = |three: &[u8]| matches!(three, [b' ', b' ', after] if *after != b' ');
    let gaps = line.as_bytes().windows(3).enumerate().filter(|(_, three)| is_gap(three));
    let mut columns = gaps.map(|(at, _)| at + 2).filter(|at| *at > leading && *at <= deepest);
    columns.next_back().unwrap_or((leading + 2).min(deepest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_row_goes_on_below_its_last_column() {
        assert_eq!(
            wrap("upstream   reached over MQTT", 24),
            "upstream   reached over\n           MQTT\n"
        );
        assert_eq!(wrap("  an indented line", 14), "  an indented\n    line\n");
        assert_eq!(wrap("short", 40), "short\n");
        assert_eq!(wrap("a /very/long/path and more", 10), "a\n  /very/long/path\n  and more\n");
    }

    proptest! {
        #[test]
        fn every_line_fits_and_no_word_is_lost(text in "([a-zé]{1,10} {1,4}){0,30}", width in 20_usize..90) {
            let wrapped = wrap(&text, width);
            for line in wrapped.lines() {
                prop_assert!(line.chars().count() <= width, "{line}");
            }
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            prop_assert_eq!(words(&wrapped), words(&text));
        }
    }
}
