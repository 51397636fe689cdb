//! The documented 422 body: every error at once, by field, in the words that Laravel uses.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What is wrong with a body: at least one text for at least one field, in the order found.
///
/// On the wire: `{"message": "…", "errors": {"field": ["…"]}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errors(Vec<(String, Vec<String>)>);

impl Errors {
    /// One error on one field.
    pub fn on(field: &str, text: impl Into<String>) -> Self {
        Errors(vec![(field.to_owned(), vec![text.into()])])
    }

    /// Nothing wrong so far: where collecting starts. Never leaves this module's siblings.
    pub(super) fn none() -> Self {
        Errors(Vec::new())
    }

    pub(super) fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds another error.
    pub fn add(&mut self, field: &str, text: impl Into<String>) {
        match self.0.iter_mut().find(|(name, _)| name == field) {
            Some((_, texts)) => texts.push(text.into()),
            None => self.0.push((field.to_owned(), vec![text.into()])),
        }
    }

    /// These errors and then the others.
    pub(super) fn and(mut self, others: Errors) -> Self {
        for (field, texts) in others.0 {
            for text in texts {
                self.add(&field, text);
            }
        }
        self
    }

    /// The fields that are wrong, each with its texts.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().map(|(field, texts)| (field.as_str(), texts.as_slice()))
    }

    /// The first error, and how many more there are: Laravel's summary.
    pub fn message(&self) -> String {
        let mut texts = self.0.iter().flat_map(|(_, texts)| texts);
        let first = texts.next().map_or("The given data was invalid.", String::as_str);
        match texts.count() {
            0 => first.to_owned(),
            1 => format!("{first} (and 1 more error)"),
            more => format!("{first} (and {more} more errors)"),
        }
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl std::error::Error for Errors {}

/// Only the `errors` object; its owner writes `message` beside it.
impl Serialize for Errors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(field, texts)| (field, texts)))
    }
}

impl<'de> Deserialize<'de> for Errors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = BTreeMap::<String, Vec<String>>::deserialize(deserializer)?;
        if fields.is_empty() || fields.values().any(Vec::is_empty) {
            return Err(D::Error::custom("an error without a field or without a text"));
        }
        Ok(Errors(fields.into_iter().collect()))
    }
}
