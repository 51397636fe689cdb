//! A panel's model: a text, of which only some characters tell one from another.

/// What counts of a model: not its case, its spaces and the punctuation of ASCII. Empty if nothing
/// does. (Unicode's tables of what is a letter would be 3 KB.)
pub fn comparable_model(model: &str) -> String {
    let counts = |c: &char| c.is_ascii_alphanumeric() || !c.is_ascii();
    model.chars().filter(counts).flat_map(char::to_lowercase).collect()
}
