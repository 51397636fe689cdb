//! Where upstream is: the kinds of URL in the configuration.
//!
//! No error shows the text that is wrong: a mistyped URL may have a password anywhere in it.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use http::Uri;

/// An MQTT broker: `mqtt://HOST[:PORT]` or `mqtts://HOST[:PORT]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    /// Whether it is reached over TLS (`mqtts`).
    pub tls: bool,
    /// A host name or an address; an IPv6 address without its brackets.
    pub host: String,
    /// 1883 without TLS and 8883 with it, unless the URL says another.
    pub port: u16,
}

/// An HTTP service: `http://HOST[:PORT][/BASE]` or `https://HOST[:PORT][/BASE]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpBase {
    /// Whether it is reached over TLS (`https`).
    pub tls: bool,
    /// A host name or an address; an IPv6 address without its brackets.
    pub host: String,
    /// 80 without TLS and 443 with it, unless the URL says another.
    pub port: u16,
    url: String,
}

/// An HTTP proxy that makes a tunnel (CONNECT) to the service: `http://HOST[:PORT]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// A host name or an address; an IPv6 address without its brackets.
    pub host: String,
    port: u16,
}

impl HttpBase {
    /// The URL of a path below the base; the path begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

impl FromStr for Broker {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let right =
            "it is not a broker such as mqtt://broker.example:1883 or mqtts://broker.example:8883";
        let (uri, tls) = read(text, "mqtt", "mqtts", right)?;
        // The parser makes an absent path "/" here, so that both mean the same.
        if !matches!(uri.path(), "" | "/") {
            return Err(format!("a broker has no path: {right}"));
        }
        Ok(Broker {
            tls,
            host: bare_host(&uri).to_owned(),
            port: uri.port_u16().unwrap_or(if tls { 8883 } else { 1883 }),
        })
    }
}

impl FromStr for HttpBase {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let right = "it is not a service such as https://billing.example or https://billing.example:8443/base";
        let (uri, tls) = read(text, "http", "https", right)?;
        let url = text.trim_end_matches('/').to_owned();
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Ok(HttpBase { tls, host: bare_host(&uri).to_owned(), port, url })
    }
}

impl FromStr for Proxy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let right = "it is not a proxy such as http://proxy.example:3128";
        if text.contains('@') {
            return Err("a proxy that wants a user name and a password cannot be used".to_owned());
        }
        let (uri, _) = read(text, "http", "http", right)?;
        if !matches!(uri.path(), "" | "/") {
            return Err(format!("a proxy has no path: {right}"));
        }
        Ok(Proxy { host: bare_host(&uri).to_owned(), port: uri.port_u16().unwrap_or(80) })
    }
}

/// The host of a URL; an IPv6 address without its brackets.
fn bare_host(uri: &Uri) -> &str {
    let host = uri.host().unwrap_or_default();
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// Reads a URL of one of two schemes; whether it is the one over TLS.
fn read(text: &str, plain: &str, secure: &str, right: &str) -> Result<(Uri, bool), String> {
    let uri: Uri = text.parse().map_err(|why| format!("{right}: {why}"))?;
    let tls = match uri.scheme_str() {
        Some(scheme) if scheme == plain => false,
        Some(scheme) if scheme == secure => true,
        _ => return Err(right.to_owned()),
    };
    let authority = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
    if authority.contains('@') {
        return Err(format!(
            "the URL has a user name or password in it, which belong in settings of their own: {right}"
        ));
    }
    let host = uri.host().unwrap_or_default();
    // A port that is too large is none to the parser.
    let no_port = uri.port_u16().unwrap_or(0) == 0 && authority.len() > host.len();
    if uri.query().is_some() || text.contains('#') {
        return Err(format!("a `?` or `#` has no place in it: {right}"));
    }
    if no_port {
        return Err(format!("what follows the host is no port: {right}"));
    }
    // A link-local address has its interface after a `%`.
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let address = address.map(|address| address.split('%').next().unwrap_or_default());
    if address.is_some_and(|address| address.parse::<Ipv6Addr>().is_err()) {
        return Err(format!("what stands in the brackets is no IPv6 address: {right}"));
    }
    if host.is_empty() {
        return Err(right.to_owned());
    }
    Ok((uri, tls))
}

impl fmt::Display for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "mqtts" } else { "mqtt" };
        match self.host.contains(':') {
            true => write!(f, "{scheme}://[{}]:{}", self.host, self.port),
            false => write!(f, "{scheme}://{}:{}", self.host, self.port),
        }
    }
}

impl fmt::Display for HttpBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "http://[{}]:{}", self.host, self.port),
            false => write!(f, "http://{}:{}", self.host, self.port),
        }
    }
}
