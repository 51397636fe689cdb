//! The metrics, as Prometheus reads them. The labels are bounded: routes, methods, statuses, outcomes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::prometheus_text::{CONTENT_TYPE, encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::health::Work;
use crate::operations::{Billing, Failure, Refusal};
use crate::store::{Store, figures};

const TEXT: (HeaderName, HeaderValue) =
    (header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));

/// From a call that only reads memory to one that waits for the database's lock, in seconds.
const BUCKETS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0];

/// The calls of a route, of whichever method.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    method: &'static str,
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

/// What is measured of HTTP. Cheap to clone.
#[derive(Clone)]
pub(super) struct Calls {
    answered: Family<Answered, Counter>,
    seconds: Family<Route, Histogram>,
}

/// The database, where it is a file.
struct File {
    database: PathBuf,
    wal: PathBuf,
    database_bytes: Gauge,
    wal_bytes: Gauge,
}

/// Everything that is shown.
pub(super) struct Metrics {
    registry: Registry,
    pending: Gauge,
    oldest_pending_seconds: Gauge<f64, AtomicU64>,
    boards_online: Gauge,
    broker_connected: Gauge,
    /// Where other processes share the database.
    leads: Option<Gauge>,
    file: Option<File>,
    work: Work,
}

impl Calls {
    pub(super) fn new() -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(BUCKETS);
        Calls { answered: Family::default(), seconds: Family::new_with_constructor(histogram) }
    }
}

impl Metrics {
    pub(super) fn new(store: &Store, calls: &Calls, work: Work) -> Self {
        let mut registry = Registry::with_prefix("intercom_billing");
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version that runs", version);
        store.counters().register(&mut registry);
        let (answered, seconds) = (calls.answered.clone(), calls.seconds.clone());
        registry.register("http_calls", "HTTP calls that were answered", answered);
        registry.register("http_call_seconds", "Time until an HTTP answer began", seconds);
        let mut gauge = |name, help| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let pending = gauge("requests_pending", "Requests that are pending");
        let boards_online = gauge("boards_online", "Boards that are connected or poll");
        let broker_connected = gauge("broker_connected", "1: panels are reached over MQTT");
        let leads =
            work.leads().map(|_| gauge("leads", "1: this process speaks to the broker for all"));
        let file = store.location().file().map(|database| {
            let mut wal = database.as_os_str().to_owned();
            wal.push("-wal");
            File {
                database: database.to_owned(),
                wal: wal.into(),
                database_bytes: gauge("database_bytes", "Size of the database file"),
                wal_bytes: gauge("database_wal_bytes", "Size of the database's write-ahead log"),
            }
        });
        let oldest_pending_seconds = Gauge::default();
        registry.register(
            "requests_oldest_pending_seconds",
            "Age of the oldest pending request; 0 without any",
            oldest_pending_seconds.clone(),
        );
        Metrics {
            registry,
            pending,
            oldest_pending_seconds,
            boards_online,
            broker_connected,
            leads,
            file,
            work,
        }
    }

    /// GET /metrics.
    pub(super) async fn show(&self, billing: &Billing) -> Result<Response, Refusal> {
        let figures = billing.store.read(|snapshot| Ok::<_, Refusal>(figures::read(snapshot)?));
        let figures = figures.await?;
        self.pending.set(figures.pending);
        #[expect(clippy::cast_precision_loss, reason = "an age is far below 2^52 milliseconds")]
        self.oldest_pending_seconds.set(figures.oldest_pending_ms as f64 / 1000.0);
        self.boards_online.set(figures.boards_online);
        self.broker_connected.set(i64::from(*self.work.up.borrow()));
        if let Some(leads) = &self.leads {
            leads.set(i64::from(self.work.leads() == Some(true)));
        }
        if let Some(file) = &self.file {
            file.database_bytes.set(size(&file.database));
            file.wal_bytes.set(size(&file.wal));
        }
        let mut text = String::new();
        encode(&mut text, &self.registry).map_err(|why| Refusal::Failed(Failure::Text(why)))?;
        Ok(([TEXT], text).into_response())
    }
}

/// Of a file, in bytes; 0 where there is none.
fn size(file: &Path) -> i64 {
    fs::metadata(file).map_or(0, |file| i64::try_from(file.len()).unwrap_or(i64::MAX))
}

/// Measures a call. What no route has is one route, whatever its path.
pub(super) async fn measure(State(calls): State<Calls>, request: Request, next: Next) -> Response {
    let method = match *request.method() {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    };
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("none", MatchedPath::as_str).to_owned();
    let begun = Instant::now();
    let answer = next.run(request).await;
    let seconds = begun.elapsed().as_secs_f64();
    let status = answer.status().as_u16();
    calls.seconds.get_or_create(&Route { method, route: route.clone() }).observe(seconds);
    calls.answered.get_or_create(&Answered { method, route, status }).inc();
    answer
}
