//! The documented 422 body: every error at once, by field, in the words that Laravel uses.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::json::{DecodeError, FromJson};

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

impl FromJson for Errors {
    fn from_json(value: &Value) -> Result<Self, DecodeError> {
        let object = value.as_object().ok_or_else(|| DecodeError::new("must be an object"))?;
        let mut errors = Vec::with_capacity(object.len());
        for (field, texts) in object {
            let texts = Vec::from_json(texts).map_err(|error| error.in_field(field))?;
            errors.push((field.clone(), texts));
        }
        if errors.is_empty() || errors.iter().any(|(_, texts)| texts.is_empty()) {
            return Err(DecodeError::new("has no error, or a field without a text"));
        }
        Ok(Errors(errors))
    }
}
