//! The stable name of a board: it never changes, whatever identity the board carries.

use std::fmt;
use std::str::FromStr;

use super::Mac;
use crate::json_text;

/// 1 to 64 letters, digits, `_` or `-`, and none of the words that stand in topics; safe in an MQTT
/// topic, a client id and a query string. No dots: NATS refuses them in a topic, and RabbitMQ turns
/// them into slashes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BoardName(String);

/// The text is not 1 to 64 letters, digits, `_` or `-`, or it is a word that stands in topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidBoardName;

impl BoardName {
    /// The longest name, in characters.
    pub const MAX_CHARS: usize = 64;

    /// The name of a board that has no die ID: its factory MAC, bare and in lower case.
    pub fn from_mac(mac: Mac) -> Self {
        use fmt::Write;
        let mut name = String::from("mac-");
        for octet in mac.octets() {
            // Writing to a String cannot fail.
            let _ = write!(name, "{octet:02x}");
        }
        BoardName(name)
    }

    /// The name of a board that has nothing of its own to be named after. `seed` is random text, such
    /// as the UUID of a boot; what may not stand in a name is left out.
    pub fn random(seed: &str) -> Self {
        let seed = seed.chars().filter(char::is_ascii_alphanumeric).take(32);
        BoardName(["random-".to_owned(), seed.collect()].concat())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a text is 1 to `max` characters that mean nothing to a topic, a path or a shell.
pub(super) fn is_plain_word(text: &str, max: usize) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    (1..=max).contains(&text.len()) && text.bytes().all(plain)
}

/// The levels of [`topics`](super::topics) that are not a value.
const WORDS_IN_TOPICS: [&str; 6] = ["by-board", "here", "patch", "presence", "status", "who"];

impl FromStr for BoardName {
    type Err = InvalidBoardName;

    fn from_str(text: &str) -> Result<Self, InvalidBoardName> {
        let safe = !text.contains('.') && !WORDS_IN_TOPICS.contains(&text);
        if safe && is_plain_word(text, Self::MAX_CHARS) {
            Ok(BoardName(text.to_owned()))
        } else {
            Err(InvalidBoardName)
        }
    }
}

impl fmt::Display for BoardName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for InvalidBoardName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "is not 1 to 64 letters, digits, underscores or hyphens, or is a word of the topics \
             (by-board, here, patch, presence, status, who)",
        )
    }
}

impl std::error::Error for InvalidBoardName {}

json_text!(BoardName);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topics;

    #[test]
    fn a_name_has_no_dot_and_is_no_word_of_a_topic() {
        for good in ["gate-1", "die-0a1b", "mac-020000000001", "Who", "presence_2"] {
            assert!(good.parse::<BoardName>().is_ok(), "{good}");
        }
        for wrong in ["", "gate.1", "a/b", "a+b", "who", "here", "patch", "presence", "status"] {
            assert_eq!(wrong.parse::<BoardName>(), Err(InvalidBoardName), "{wrong}");
        }
    }

    #[test]
    fn every_word_of_a_topic_is_refused() {
        for topic in topics::ALL {
            for level in topic.split('/').skip(1).filter(|level| !level.starts_with('{')) {
                assert!(WORDS_IN_TOPICS.contains(&level), "{level} of {topic}");
            }
        }
    }
}
