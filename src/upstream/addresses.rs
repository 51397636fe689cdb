//! The addresses of a server, in the order in which they are tried.

use std::io;
use std::net::SocketAddr;

use tokio::net::lookup_host;

use super::cause::NetworkCause;

/// How many addresses of one host are tried.
const MAX_ADDRESSES: usize = 8;

/// Looks up a host. `host` is a name or an address; an IPv6 address may have its brackets.
///
/// # Errors
/// The name cannot be resolved.
pub(super) async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, NetworkCause> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let unknown = |why: &io::Error| NetworkCause::of_resolver(host, why);
    let found = lookup_host((bare, port)).await.map_err(|why| unknown(&why))?;
    let found: Vec<SocketAddr> = found.collect();
    match found.is_empty() {
        true => Err(unknown(&io::ErrorKind::AddrNotAvailable.into())),
        false => Ok(interleaved(found)),
    }
}

/// The addresses of a host, without the port that they share.
pub(super) fn shown(found: &[SocketAddr]) -> String {
    found.iter().map(|at| at.ip().to_string()).collect::<Vec<_>>().join(", ")
}

/// IPv6 and IPv4 in turn, beginning with the family of the first (RFC 8305, section 4): a family that
/// leads nowhere delays the connection by one attempt.
fn interleaved(mut found: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_family = found.first().is_some_and(SocketAddr::is_ipv6);
    let mut counts = [0; 2];
    // A stable sort by the turn, and within a turn by the family.
    found.sort_by_cached_key(|address| {
        let other = usize::from(address.is_ipv6() != first_family);
        counts[other] += 1;
        (counts[other], other)
    });
    found.truncate(MAX_ADDRESSES);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interleaved(found: &str) -> String {
        let address = |text: &str| SocketAddr::new(text.parse().expect("an address"), 1);
        let found = super::interleaved(found.split(' ').map(address).collect());
        found.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_families_take_turns_and_the_order_within_each_stays() {
        assert_eq!(interleaved("::1 ::2 ::3 10.0.0.1"), "::1 10.0.0.1 ::2 ::3");
        assert_eq!(interleaved("10.0.0.1 10.0.0.2 ::1"), "10.0.0.1 ::1 10.0.0.2");
        assert_eq!(interleaved("10.0.0.1 10.0.0.2"), "10.0.0.1 10.0.0.2");
    }

    #[test]
    fn the_other_family_is_tried_however_many_addresses_the_first_has() {
        let many: Vec<String> = (1..=20).map(|number| format!("::{number}")).collect();
        let found = interleaved(&format!("{} 10.0.0.1", many.join(" ")));
        assert_eq!(found, "::1 10.0.0.1 ::2 ::3 ::4 ::5 ::6 ::7");
    }
}
