//! `health`: asks a running service whether it lives, for the checks of containers and supervisors.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use url::Url;

/// A service that takes longer does not live.
const WITHIN: Duration = Duration::from_secs(5);

/// The options of `health`.
#[derive(Args)]
pub struct Health {
    /// Where the service is.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    url: Url,
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
        let config = ureq::Agent::config_builder()
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
        println!("{text}");
        Ok(())
    }
}
