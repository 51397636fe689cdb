//! The HTTP server and its limits: clients that send nothing or read nothing cannot stop the service.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{Extensions, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use nix::sys::resource::{Resource, getrlimit};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;

use crate::tls;

/// The head of a request arrives within this time, or its connection is closed. So does a TLS
/// handshake.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// A client takes a part of its answer within this time, or its connection is closed.
const PROGRESS_WITHIN: Duration = Duration::from_secs(30);
/// The largest head, in bytes; the rest of a request has its own bound.
const MAX_HEAD: usize = 16 * 1024;
/// Upper bound on the open connections, where the process may have that many files.
const MAX_CONNECTIONS: u64 = 4096;
/// The pause after a failed accept: the kernel has no memory or no descriptor for now.
const PAUSE: Duration = Duration::from_millis(200);

/// The address that a call comes from.
#[derive(Clone, Copy)]
struct Peer(IpAddr);

/// From where the call with these extensions comes: behind a proxy, the proxy's address.
pub(super) fn address(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<Peer>().map(|Peer(address)| *address)
}

/// Serves until it is dropped; then every connection ends.
pub async fn serve(listener: TcpListener, tls: Option<Arc<tls::Server>>, router: Router) {
    let room = Arc::new(Semaphore::new(max_connections()));
    let mut connections = JoinSet::new();
    loop {
        let Ok(permit) = room.clone().acquire_owned().await else { return };
        let (stream, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(why) => {
                tracing::warn!("HTTP: a connection cannot be accepted: {why}");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let (peer, router) = (Peer(address.ip().to_canonical()), router.clone());
        let tls = tls.as_ref().map(|tls| tls.acceptor());
        connections.spawn(async move {
            match tls {
                None => connection(stream, peer, router).await,
                Some(tls) => match timeout(HEAD_WITHIN, tls.accept(stream)).await {
                    Ok(Ok(stream)) => connection(stream, peer, router).await,
                    Ok(Err(why)) => tracing::debug!("HTTP: no TLS connection: {why}"),
                    Err(_) => tracing::debug!("HTTP: no TLS connection: it takes too long"),
                },
            }
            drop(permit);
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin, peer: Peer, router: Router) {
    let router = TowerToHyperService::new(router);
    let served_to_peer = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        router.call(request)
    });
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(PROGRESS_WITHIN));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(Box::pin(stream)), served_to_peer)
        .await;
    if let Err(why) = served {
        tracing::debug!("HTTP: a connection has ended: {why}");
    }
}

/// The database, the broker and everything else need descriptors too: half of them are for HTTP.
fn max_connections() -> usize {
    let files = getrlimit(Resource::RLIMIT_NOFILE).map_or(MAX_CONNECTIONS, |(soft, _)| soft);
    usize::try_from((files / 2).clamp(16, MAX_CONNECTIONS)).unwrap_or(16)
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, Bytes};
    use axum::routing::get;
    use futures_util::stream::unfold;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::task::JoinHandle;
    use tokio::time::sleep;

    use super::*;

    fn connected(router: Router) -> (DuplexStream, JoinHandle<()>) {
        let (client, server) = duplex(1024);
        let peer = Peer(IpAddr::from([192, 0, 2, 1]));
        (client, tokio::spawn(connection(server, peer, router)))
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_its_answers_is_dropped() {
        let router = Router::new().route("/", get(async || "long ".repeat(100_000)));
        let (mut client, served) = connected(router);
        client.write_all(b"GET / HTTP/1.1\r\nHost: b\r\n\r\n").await.expect("sent");
        timeout(2 * PROGRESS_WITHIN, served).await.expect("dropped").expect("no panic");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_whose_body_goes_on_for_long_is_not_cut_off() {
        let seldom = || {
            let body = unfold((), async |()| {
                sleep(3 * PROGRESS_WITHIN).await;
                Some((Ok::<_, std::io::Error>(Bytes::from_static(b"event")), ()))
            });
            async { Body::from_stream(body) }
        };
        let (mut client, _served) = connected(Router::new().route("/", get(seldom)));
        client.write_all(b"GET / HTTP/1.1\r\nHost: b\r\n\r\n").await.expect("sent");
        let mut read = Vec::new();
        while read.windows(5).filter(|bytes| bytes == b"event").count() < 3 {
            assert_ne!(client.read_buf(&mut read).await.expect("readable"), 0, "it goes on");
        }
    }
}
