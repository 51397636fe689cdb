//! The operator's side of the API: plain HTTP calls.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// The most that any step of the demo may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// Calls one service.
#[derive(Clone)]
pub(super) struct Caller {
    url: String,
    agent: ureq::Agent,
}

impl Caller {
    pub(super) fn new(url: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(LIMIT))
            .build();
        Caller { url: format!("{url}/api/v1/billing/intercoms"), agent: config.into() }
    }

    pub(super) async fn post(&self, body: &Value) -> Result<Value> {
        let request = self.agent.post(&self.url).content_type("application/json");
        call(body.to_string(), move |body| request.send(body)).await
    }

    pub(super) async fn patch(&self, body: &Value) -> Result<Value> {
        let request = self.agent.patch(&self.url).content_type("application/json");
        call(body.to_string(), move |body| request.send(body)).await
    }

    pub(super) async fn show(&self, mac: &str) -> Result<Value> {
        let request = self.agent.get(format!("{}/show", self.url)).query("mac", mac);
        call(String::new(), move |_| request.call()).await
    }
}

async fn call(
    body: String,
    send: impl FnOnce(String) -> Result<ureq::http::Response<ureq::Body>, ureq::Error> + Send + 'static,
) -> Result<Value> {
    let text = tokio::task::spawn_blocking(move || -> Result<String> {
        let mut answer = send(body)?;
        let text = answer.body_mut().read_to_string()?;
        ensure!(answer.status().is_success(), "billing answers {}: {text}", answer.status());
        Ok(text)
    })
    .await??;
    serde_json::from_str(&text).context("billing's answer is not JSON")
}
