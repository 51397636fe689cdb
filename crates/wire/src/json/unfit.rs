//! Why a JSON value is not what it should be.

use std::fmt;

/// A value that is not what it should be, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// The fields' names from the outermost on, with dots between; empty for the whole text.
    path: String,
    what: String,
}

impl Unfit {
    /// What is wrong, as the rest of a sentence that begins with the value.
    pub fn new(what: impl Into<String>) -> Self {
        Unfit { path: String::new(), what: what.into() }
    }

    /// The same, seen from the object or the list that has the value in this place.
    pub fn in_field(mut self, name: &str) -> Self {
        if !self.path.is_empty() {
            self.path.insert(0, '.');
        }
        self.path.insert_str(0, name);
        self
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => write!(f, "it {}", self.what),
            path => write!(f, "`{path}` {}", self.what),
        }
    }
}

impl std::error::Error for Unfit {}
