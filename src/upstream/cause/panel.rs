//! What the panel itself lacks.

use crate::config::Unfilled;
use crate::random::NoRandomNumbers;
use crate::upstream::tls::TlsFileError;

causes! {
    /// Why the panel itself cannot ask upstream.
    enum PanelCause {
        /// A file of the configuration cannot be used; its error says which, and what to do.
        File { why: String } = "file",
            "{why}",
            "";
        /// A topic or path of the configuration asks for something that the board does not know.
        Unfilled { what: String, why: String } = "unfilled",
            "{what} cannot be filled in: {why}",
            "take that placeholder out of the configuration, or give it a value";
        /// A connection needs a random number.
        NoRandomNumbers = "no-random-numbers",
            "the kernel gives no random numbers",
            "";
        /// The system has no thread, no socket or no memory for it.
        NoResources { why: String } = "no-resources",
            "the panel has no thread or socket for it: {why}",
            "";
        /// The agent wants another connection, or the daemon ends.
        GivenUp = "given-up",
            "the connection was given up",
            "";
    }
}

impl PanelCause {
    /// A file cannot be used.
    pub(crate) fn file(why: impl ToString) -> Self {
        PanelCause::File { why: why.to_string() }
    }

    /// The system does not give what a connection needs.
    pub(crate) fn no_resources(why: impl ToString) -> Self {
        PanelCause::NoResources { why: why.to_string() }
    }
}

impl From<TlsFileError> for super::Cause {
    fn from(why: TlsFileError) -> Self {
        PanelCause::file(why).into()
    }
}

impl From<Unfilled> for super::Cause {
    fn from(why: Unfilled) -> Self {
        PanelCause::Unfilled { what: "a topic or path".to_owned(), why: why.to_string() }.into()
    }
}

impl From<NoRandomNumbers> for super::Cause {
    fn from(NoRandomNumbers: NoRandomNumbers) -> Self {
        PanelCause::NoRandomNumbers.into()
    }
}
