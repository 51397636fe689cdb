//! A request from its arrival to its decision.

use super::delivery::Delivery;

/// A delivery with its place in the order in which they came.
#[derive(Debug)]
pub(super) struct PendingRequest {
    pub(super) delivery: Delivery,
    /// Rises with each delivery.
    pub(super) arrival: u64,
}
