//! `health`: asks a running service whether it lives, for the checks of containers and supervisors.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};
use url::Url;

use crate::{program, tls};

/// A service that takes longer does not live.
const WITHIN: Duration = Duration::from_secs(5);

/// The options of `health`.
#[derive(Args)]
pub struct Health {
    /// Where the service is.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    url: Url,
    /// The authorities that may have certified an https:// service, as PEM; those of the system
    /// without it.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Also whether it can do its work: the database and the broker.
    #[arg(long)]
    ready: bool,
}

impl Health {
    /// Prints the answer.
    ///
    /// # Errors
    /// There is none, or it is not a good one.
    pub fn run(self) -> Result<()> {
        let url = self.url.join(if self.ready { "/readyz" } else { "/healthz" })?;
        let authorities = match url.scheme() {
            "https" => tls::authorities(self.ca.as_deref())?,
            _ => Vec::new(),
        };
        let authorities = authorities.iter().map(|der| Certificate::from_der(der).to_owned());
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(tls::provider())
            .root_certs(RootCerts::Specific(Arc::new(authorities.collect())))
            .build();
        let config = ureq::Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(WITHIN))
            .build();
        let mut answer = ureq::Agent::from(config)
            .get(url.as_str())
            .call()
            .with_context(|| format!("no answer from {url}"))?;
        let status = answer.status();
        let text = answer.body_mut().read_to_string().with_context(|| format!("from {url}"))?;
        ensure!(status.is_success(), "{url} answers {status}: {text}");
        program::print(text)
    }
}
