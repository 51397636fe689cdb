//! A TCP connection to the first address of a host that answers (RFC 8305).

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::net::{TcpStream, lookup_host};
use tokio::select;
use tokio::time::sleep;

/// How long one address is waited for before the next is tried beside it (section 8).
const DELAY: Duration = Duration::from_millis(250);

/// Tries the next address when one has failed, or when none has answered for a while.
///
/// # Errors
/// The name cannot be resolved, or why each of its addresses cannot be connected to.
pub(super) async fn connect(host: &str, port: u16) -> Result<TcpStream> {
    let found = lookup_host((host, port)).await;
    let found = found.with_context(|| format!("the name {host} cannot be resolved"))?;
    let mut waiting = interleaved(found.collect()).into_iter();
    let mut running = FuturesUnordered::new();
    let mut failed = Vec::new();
    loop {
        if let Some(address) = waiting.next() {
            running.push(async move { (address, TcpStream::connect(address).await) });
        }
        select! {
            Some((address, ended)) = running.next() => match ended {
                Ok(tcp) => return Ok(tcp),
                Err(why) => failed.push(format!("at {address}: {why}")),
            },
            () = sleep(DELAY), if waiting.len() > 0 => {}
            else => bail!("{}", failed.join("; ")),
        }
    }
}

/// IPv6 and IPv4 in turn, beginning with the family of the first (section 4).
fn interleaved(mut found: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_family = found.first().is_some_and(SocketAddr::is_ipv6);
    let mut counts = [0; 2];
    // A stable sort by the turn, and within a turn by the family.
    found.sort_by_cached_key(|address| {
        let other = usize::from(address.is_ipv6() != first_family);
        counts[other] += 1;
        (counts[other], other)
    });
    found
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn the_families_take_turns_and_the_order_within_each_stays() {
        let [a, b, c, d] = ["[::1]:1", "[::2]:1", "[::3]:1", "10.0.0.1:1"];
        let parsed = |texts: [&str; 4]| texts.map(|text| text.parse().expect("an address"));
        assert_eq!(interleaved(parsed([a, b, c, d]).to_vec()), parsed([a, d, b, c]));
    }

    #[tokio::test]
    async fn each_address_that_fails_is_named() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let why = connect("127.0.0.1", port).await.expect_err("nobody listens").to_string();
        assert!(why.starts_with(&format!("at 127.0.0.1:{port}: ")), "{why}");
    }
}
