//! What a check found.

use serde::Serialize;

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it has to be.
    Ok,
    /// Works, and somebody should know.
    Warning,
    /// A change would fail, or could be lost.
    Failed,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How it is.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to do, where there is something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl State {
    /// In one word; wrong is louder.
    pub fn label(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Warning => "WARNING",
            State::Failed => "FAILED",
        }
    }
}

impl Finding {
    pub(super) fn ok(found: impl Into<String>) -> Self {
        Finding { state: State::Ok, found: found.into(), advice: None }
    }

    pub(super) fn warning(found: impl Into<String>, advice: impl Into<String>) -> Self {
        Finding { state: State::Warning, found: found.into(), advice: Some(advice.into()) }
    }

    pub(super) fn failed(found: impl Into<String>, advice: impl Into<String>) -> Self {
        Finding { state: State::Failed, found: found.into(), advice: Some(advice.into()) }
    }
}
