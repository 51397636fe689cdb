//! Failures of the network in words, the same on every route.

use std::io;

/// What the system says of a name that nobody knows; it has no kind of its own.
const NO_SUCH_NAME: &str = "failed to lookup address information";

/// A clause that follows the server's name and a colon.
pub(super) fn in_words(why: &io::Error) -> String {
    let text = match why.kind() {
        io::ErrorKind::ConnectionRefused => {
            "nothing listens there: is it running, and is the address in the configuration right?"
        }
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
            "no way leads there: check the panel's address and gateway"
        }
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => "it closed the connection",
        io::ErrorKind::TimedOut => "it does not answer",
        _ => {
            let text = why.to_string();
            return match text.starts_with(NO_SUCH_NAME) {
                true => "the name of its host is not known: check the panel's DNS and the URL"
                    .to_owned(),
                false => format!("the network failed: {text}"),
            };
        }
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_to_check() {
        for (kind, says) in [
            (io::ErrorKind::ConnectionRefused, "nothing listens there"),
            (io::ErrorKind::NetworkUnreachable, "no way leads there"),
            (io::ErrorKind::ConnectionReset, "it closed the connection"),
        ] {
            assert!(in_words(&kind.into()).starts_with(says));
        }
        let name = io::Error::other(format!("{NO_SUCH_NAME}: Name or service not known"));
        assert!(in_words(&name).starts_with("the name of its host is not known"));
        assert_eq!(in_words(&io::Error::other("odd")), "the network failed: odd");
    }
}
