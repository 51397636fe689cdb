//! The HTTP client: small buffers, a limit on everything, and no redirects.

use std::time::Duration;

use tokio::runtime::Handle;
use ureq::Agent;
use ureq::unversioned::transport::Connector;

use super::addresses::EachAddress;
use super::resolver::RuntimeResolver;
use super::secure::TlsConnector;
use super::tunnel::Tunnel;
use crate::config::HttpSettings;
use crate::upstream::{Health, Place};

const USER_AGENT: &str = concat!("intercom-agent/", env!("CARGO_PKG_VERSION"));
/// Must hold the whole head of an answer.
const INPUT_BUFFER: usize = 8 * 1024;
const OUTPUT_BUFFER: usize = 4 * 1024;
const MAX_RESPONSE_HEAD: usize = 6 * 1024;
/// Long enough for several reports in a row. Shorter than any server keeps an idle connection, so that
/// no request is sent on one that the server is closing.
const MAX_IDLE: Duration = Duration::from_secs(3);

/// How long each phase of a call may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeLimits {
    /// The name lookup.
    pub(super) resolve: Duration,
    /// TCP and TLS together.
    pub(super) connect: Duration,
    /// The head or the body of a request.
    pub(super) send: Duration,
    /// From the request to the head of the answer.
    pub(super) answer: Duration,
    /// Between two bytes.
    pub(super) silence: Duration,
    /// The whole call. A list of a million requests over a slow line fits in it.
    pub(super) whole: Duration,
}

impl TimeLimits {
    /// Somebody waits for the answer.
    pub(super) fn for_a_look() -> Self {
        let step = Duration::from_secs(10);
        TimeLimits {
            resolve: step,
            connect: step,
            send: step,
            answer: step,
            silence: step,
            whole: 4 * step,
        }
    }
}

impl Default for TimeLimits {
    fn default() -> Self {
        TimeLimits {
            resolve: Duration::from_secs(15),
            connect: Duration::from_secs(20),
            send: Duration::from_secs(20),
            answer: Duration::from_secs(30),
            silence: Duration::from_secs(30),
            whole: Duration::from_secs(20 * 60),
        }
    }
}

/// A client with its own connections. It looks up names on `runtime`.
///
/// # Errors
/// The library does not accept the proxy.
pub(super) fn client(
    settings: &HttpSettings,
    place: &Place,
    limits: TimeLimits,
    runtime: Handle,
    health: Health,
) -> Result<Agent, ureq::Error> {
    let proxy = settings.proxy.as_ref().map(|proxy| ureq::Proxy::new(&proxy.to_string()));
    let config = Agent::config_builder()
        .user_agent(USER_AGENT)
        .accept("application/json")
        .http_status_as_error(false)
        // A redirect must not pass the token on, nor send the panel to another server.
        .max_redirects(0)
        .max_redirects_will_error(false)
        // From the configuration only, not from the environment variables.
        .proxy(proxy.transpose()?)
        .input_buffer_size(INPUT_BUFFER)
        .output_buffer_size(OUTPUT_BUFFER)
        .max_response_header_size(MAX_RESPONSE_HEAD)
        .max_idle_connections(1)
        .max_idle_connections_per_host(1)
        .max_idle_age(MAX_IDLE)
        .timeout_resolve(Some(limits.resolve))
        .timeout_connect(Some(limits.connect))
        .timeout_send_request(Some(limits.send))
        .timeout_send_body(Some(limits.send))
        .timeout_recv_response(Some(limits.answer))
        .timeout_per_read(Some(limits.silence))
        .timeout_per_write(Some(limits.silence))
        .timeout_recv_body(Some(limits.whole))
        .timeout_global(Some(limits.whole))
        .build();
    let tunnel = Tunnel::through(settings.proxy.clone());
    let connector = Connector::<()>::chain(tunnel, EachAddress::new(health.clone()));
    let connector = connector.chain(TlsConnector::new(&settings.tls, place, health.clone()));
    Ok(Agent::with_parts(config, connector, RuntimeResolver::new(runtime, health)))
}
