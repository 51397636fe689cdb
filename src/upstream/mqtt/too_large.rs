//! A message that is larger than the panel reads.

use std::fmt;

use intercom_wire::MAX_REQUEST_BYTES;

/// A message on this topic is too large. The route rejects and acknowledges it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TooLarge<'a> {
    pub(super) topic: &'a str,
}

/// What it means to the operators of the panel and the broker.
impl fmt::Display for TooLarge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let topic = self.topic;
        write!(
            f,
            "The message on {topic} is too large: a panel reads at most {MAX_REQUEST_BYTES} bytes; if it is \
             retained, clear it."
        )
    }
}
