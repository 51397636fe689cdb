//! Where a webhook's events are posted.

use std::fmt;
use std::str::FromStr;

use url::Url;

/// The longest URL, in characters.
pub const MAX_CHARS: usize = 2048;

/// A URL that events can be posted to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(Url);

/// A text is no such URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidAddress {
    /// It is no URL of a host by http or https.
    NoUrl,
    /// It has a user or a password, which lists and logs would show.
    HasCredentials,
    /// It is too long.
    TooLong,
}

impl Address {
    /// The URL.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        if text.chars().count() > MAX_CHARS {
            return Err(InvalidAddress::TooLong);
        }
        let mut url = Url::parse(text).map_err(|_| InvalidAddress::NoUrl)?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(InvalidAddress::NoUrl);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidAddress::HasCredentials);
        }
        url.set_fragment(None);
        Ok(Address(url))
    }
}

impl fmt::Display for InvalidAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InvalidAddress::NoUrl => f.write_str("must be a URL with http:// or https://"),
            InvalidAddress::HasCredentials => f.write_str("must not have a user or a password"),
            InvalidAddress::TooLong => write!(f, "must not be longer than {MAX_CHARS} characters"),
        }
    }
}

impl std::error::Error for InvalidAddress {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_url_without_credentials_is_an_address() {
        let read = |text: &str| text.parse::<Address>().map(|address| address.as_str().to_owned());
        assert_eq!(read("https://crm.example/a?b=c#d"), Ok("https://crm.example/a?b=c".into()));
        for (text, why) in [
            ("crm.example", InvalidAddress::NoUrl),
            ("ftp://crm.example", InvalidAddress::NoUrl),
            ("http://user:word@crm.example/", InvalidAddress::HasCredentials),
            ("http://user@crm.example/", InvalidAddress::HasCredentials),
        ] {
            assert_eq!(read(text), Err(why), "{text}");
        }
        assert_eq!(read(&format!("http://h/{}", "a".repeat(2048))), Err(InvalidAddress::TooLong));
    }
}
