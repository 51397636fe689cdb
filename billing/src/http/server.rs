//! The HTTP server and its limits: clients that connect and send nothing cannot stop the service.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use nix::sys::resource::{Resource, getrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// The head of a request arrives within this time, or its connection is closed.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// The largest head, in bytes; the rest of a request has its own bound.
const MAX_HEAD: usize = 16 * 1024;
/// Upper bound on the open connections, where the process may have that many files.
const MAX_CONNECTIONS: u64 = 4096;
/// The pause after a failed accept: the kernel has no memory or no descriptor for now.
const PAUSE: Duration = Duration::from_millis(200);

/// Serves until it is dropped; then every connection ends.
pub async fn serve(listener: TcpListener, router: Router) {
    let room = Arc::new(Semaphore::new(max_connections()));
    let mut connections = JoinSet::new();
    loop {
        let Ok(permit) = room.clone().acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(why) => {
                log::warn!("HTTP: a connection cannot be accepted: {why}");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let router = router.clone();
        connections.spawn(async move {
            connection(stream, router).await;
            drop(permit);
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(stream: TcpStream, router: Router) {
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .await;
    if let Err(why) = served {
        log::debug!("HTTP: a connection has ended: {why}");
    }
}

/// The database, the broker and everything else need descriptors too: half of them are for HTTP.
fn max_connections() -> usize {
    let files = getrlimit(Resource::RLIMIT_NOFILE).map_or(MAX_CONNECTIONS, |(soft, _)| soft);
    usize::try_from((files / 2).clamp(16, MAX_CONNECTIONS)).unwrap_or(16)
}
