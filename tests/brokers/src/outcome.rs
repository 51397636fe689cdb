//! How a step ended.

/// Why a step says nothing about a broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skipped(pub &'static str);

/// What a step found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was right.
    Passed,
    /// Something was not.
    Failed,
    /// The broker cannot be asked.
    Skipped(&'static str),
}
