//! Typing errors: the known word that an unknown one most likely stands for.

/// The word of `known` that is nearest to `word`; `None` where none is near enough to be meant.
/// Case and separators do not count, since they are what people get wrong most.
pub fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let word = letters(word);
    let (steps, nearest) = known
        .iter()
        .map(|known| (distance(&word, &letters(known)), *known))
        .min_by_key(|(steps, _)| *steps)?;
    // A word of which more than half differs is another word.
    (steps * 2 <= word.len()).then_some(nearest)
}

fn letters(word: &str) -> Vec<u8> {
    let letters = word.bytes().filter(u8::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

/// How many letters must be put in, taken out or replaced (Levenshtein).
fn distance(from: &[u8], to: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, letter) in from.iter().enumerate() {
        let mut diagonal = at;
        let mut left = at + 1;
        for (cell, other) in row.iter_mut().skip(1).zip(to) {
            let replaced = diagonal + usize::from(letter != other);
            diagonal = *cell;
            left = replaced.min(diagonal + 1).min(left + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = at + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: [&str; 4] = ["id", "mac", "new_mac", "new_serial_number"];

    #[test]
    fn a_typing_error_has_its_word() {
        for (typed, meant) in [
            ("newmac", Some("new_mac")),
            ("new-mac", Some("new_mac")),
            ("NEW_MAC", Some("new_mac")),
            ("new_mca", Some("new_mac")),
            ("new_serialnumber", Some("new_serial_number")),
            ("new_serial_nr", Some("new_serial_number")),
            ("serial", None),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, &FIELDS), meant, "{typed}");
        }
        assert_eq!(nearest("mac", &[]), None);
    }

    #[test]
    fn the_distance_counts_single_letters() {
        for (from, to, steps) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("abc", "abc", 0),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(from.as_bytes(), to.as_bytes()), steps, "{from} {to}");
        }
    }
}
