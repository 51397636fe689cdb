//! The decision: what a request means for this board.
//!
//! Pure: no clock, no I/O. The first row of [`decide`] that fits decides.

mod facts;
mod table;

pub use facts::{Delivered, Facts, MacOwner, OwnId, Past, Timing, Via, WithheldTopic};
pub use intercom_wire::signature::Signature;
pub use table::{Decision, Ignored, MAX_DEFERRALS, decide};

#[cfg(test)]
mod tests;
