//! The parameters of a statement as PostgreSQL writes them: `$1` for `?1`, and for `:name` the place of
//! its value.

use std::fmt::Write;

use crate::store::engine::Param;

/// The text with `$1`, `$2` and so on. What is in quotes stays as it is.
pub(super) fn numbered(text: &str, params: &[Param<'_>]) -> String {
    let mut numbered = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['\'', '?', ':']) {
        let (before, from) = rest.split_at(at);
        numbered.push_str(before);
        let length = match from.as_bytes().first() {
            Some(b'\'') => from[1..].find('\'').map_or(from.len(), |end| end + 2),
            Some(b'?') => 1,
            _ => 1 + word(&from[1..]),
        };
        let (part, after) = from.split_at(length);
        match params.iter().position(|param| param.name == Some(part)) {
            // Writing to a string never fails.
            Some(place) => drop(write!(numbered, "${}", place + 1)),
            None => numbered.push_str(if part == "?" { "$" } else { part }),
        }
        rest = after;
    }
    numbered.push_str(rest);
    numbered
}

fn word(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_names_become_numbers_and_quoted_text_stays() {
        let places = "SELECT ?1, '?1 :a', x || ?12 FROM t WHERE y = '\n?'";
        assert_eq!(numbered(places, &[]), "SELECT $1, '?1 :a', x || $12 FROM t WHERE y = '\n?'");
        let params =
            [Param { name: Some(":a"), value: &1 }, Param { name: Some(":after"), value: &2 }];
        let names = "SELECT x::text WHERE a = :a AND b > :after AND a < :a";
        assert_eq!(numbered(names, &params), "SELECT x::text WHERE a = $1 AND b > $2 AND a < $1");
    }
}
