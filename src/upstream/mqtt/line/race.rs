//! TCP connections to the addresses of one host, of which the first to answer is used (RFC 8305).
//!
//! tokio tries one address after the other, each for as long as TCP does.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use std::vec::IntoIter;

use tokio::net::TcpStream;
use tokio::select;
use tokio::time::{Instant, sleep_until};

/// How long one address is waited for before the next is tried beside it (section 8).
const DELAY: Duration = Duration::from_millis(250);

/// How an attempt ends.
type Connected = io::Result<TcpStream>;
type Attempt = Pin<Box<dyn Future<Output = Connected> + Send>>;

/// Attempts to connect. The next one begins when the last one has failed, or has not ended for a while.
pub(super) struct Race {
    waiting: IntoIter<SocketAddr>,
    running: Vec<(SocketAddr, Attempt)>,
    next_at: Instant,
}

impl Race {
    /// To these addresses, in this order.
    pub(super) fn new(addresses: Vec<SocketAddr>) -> Self {
        Race { waiting: addresses.into_iter(), running: Vec::new(), next_at: Instant::now() }
    }

    /// The next attempt that ends; `None` once all have.
    pub(super) async fn next(&mut self) -> Option<(SocketAddr, Connected)> {
        loop {
            if self.running.is_empty() || self.next_at <= Instant::now() {
                match self.waiting.next() {
                    Some(address) => {
                        self.running.push((address, Box::pin(TcpStream::connect(address))));
                        self.next_at = Instant::now() + DELAY;
                    }
                    None if self.running.is_empty() => return None,
                    None => {}
                }
            }
            let first_end = poll_fn(|context| {
                for at in 0..self.running.len() {
                    if let Poll::Ready(end) = self.running[at].1.as_mut().poll(context) {
                        return Poll::Ready((self.running.swap_remove(at).0, end));
                    }
                }
                Poll::Pending
            });
            select! {
                ended = first_end => {
                    self.next_at = Instant::now();
                    return Some(ended);
                }
                () = sleep_until(self.next_at), if self.waiting.len() > 0 => {}
            }
        }
    }

    /// The addresses of the attempts that have not ended.
    pub(super) fn running(&self) -> impl Iterator<Item = SocketAddr> {
        self.running.iter().map(|(address, _)| *address)
    }

    /// How many addresses have not ended.
    pub(super) fn left(&self) -> usize {
        self.running.len() + self.waiting.len()
    }
}
