//! A panel's model: a text, of which only some characters tell one from another.

/// What counts of a model: its letters and digits, without their case. Empty if it has none.
pub fn comparable_model(model: &str) -> String {
    model.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
