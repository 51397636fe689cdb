//! Which site a call is meant for and comes from. A page of another site, which a browser on the
//! network shows, must not call this service.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use url::Url;

use super::answer;

/// The names and addresses that this service is known by.
#[derive(Debug, Clone)]
pub struct Hosts {
    /// Where it listens.
    pub listen: IpAddr,
    /// Its names besides `localhost`, and addresses that lead here (a forwarded port).
    pub names: Vec<String>,
}

impl Hosts {
    /// Whether a call for this host is meant for this service. Any name can be made to lead here by
    /// whoever owns it, for a browser that then takes that page and this service for one site. An
    /// address cannot: where the service listens on all of them, each one will do.
    fn know(&self, host: &str) -> bool {
        let mut names = self.names.iter().map(String::as_str).chain(["localhost"]);
        if names.any(|name| name.eq_ignore_ascii_case(host)) {
            return true;
        }
        host.trim_matches(['[', ']']).parse().is_ok_and(|address: IpAddr| {
            self.listen.is_unspecified()
                || address == self.listen
                || (address.is_loopback() && self.listen.is_loopback())
        })
    }
}

/// Refuses calls for another site, and calls from a page of another site.
pub(super) async fn require_own(
    State(hosts): State<Arc<Hosts>>,
    request: Request,
    next: Next,
) -> Response {
    let host = text(request.headers(), header::HOST);
    let own = host.and_then(|host| host.parse::<Authority>().ok());
    let Some(own) = own.filter(|own| hosts.know(own.host())) else {
        tracing::warn!("a call for another host, {}: refused; see --host", host.unwrap_or("none"));
        return answer::message(
            StatusCode::MISDIRECTED_REQUEST,
            "This service is not known by that host name: start it with --host.",
        );
    };
    if request.headers().contains_key(header::ORIGIN)
        && !text(request.headers(), header::ORIGIN).is_some_and(|origin| is_of(origin, &own))
    {
        return answer::message(
            StatusCode::FORBIDDEN,
            "A page of another site may not call this service.",
        );
    }
    next.run(request).await
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// Whether a page of this origin comes from the site that is called. A browser leaves the default
/// port out of both.
fn is_of(origin: &str, own: &Authority) -> bool {
    let Ok(origin) = Url::parse(origin) else { return false };
    origin.host_str().is_some_and(|host| host.eq_ignore_ascii_case(own.host()))
        && origin.port() == own.port_u16()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(listen: &str, host: &str) -> bool {
        let names = vec!["billing.example".to_owned()];
        Hosts { listen: listen.parse().expect("an address"), names }.know(host)
    }

    #[test]
    fn its_own_address_and_names_are_known_and_others_are_not() {
        for (listen, host, expected) in [
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "[::1]", true),
            ("127.0.0.1", "localhost", true),
            ("127.0.0.1", "LOCALHOST", true),
            ("127.0.0.1", "billing.example", true),
            ("127.0.0.1", "evil.example", false),
            ("127.0.0.1", "localhost.evil.example", false),
            ("127.0.0.1", "192.0.2.1", false),
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("0.0.0.0", "192.0.2.1", true),
            ("::", "[2001:db8::1]", true),
            ("0.0.0.0", "evil.example", false),
        ] {
            assert_eq!(known(listen, host), expected, "{host} at {listen}");
        }
    }

    #[test]
    fn an_origin_is_its_own_only_with_the_same_host_and_port() {
        let own: Authority = "localhost:8080".parse().expect("an authority");
        for (origin, expected) in [
            ("http://localhost:8080", true),
            ("http://localhost", false),
            ("http://localhost:3000", false),
            ("http://evil.example:8080", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(is_of(origin, &own), expected, "{origin}");
        }
        let by_name: Authority = "billing.example".parse().expect("an authority");
        assert!(is_of("https://billing.example", &by_name));
    }
}
