//! One delivery over HTTP, in the headers of "Standard Webhooks".

use std::fs;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::task::spawn_blocking;
use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use crate::operations::{Attempt, Billing};
use crate::store::deliveries::Due;
use crate::store::webhooks::Receiver;

const USER_AGENT: &str = concat!("intercom-billing/", env!("CARGO_PKG_VERSION"));
/// A receiver that needs longer is in trouble.
const TIME_LIMIT: Duration = Duration::from_secs(15);
/// Where systems keep the authorities that they trust.
const SYSTEM_ROOTS: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem", "/etc/pki/tls/certs/ca-bundle.crt"];
/// How much is kept of why an attempt has failed.
const MAX_TROUBLE_CHARS: usize = 300;

/// The HTTP client of all webhooks.
pub(super) struct Client {
    agent: Agent,
}

impl Client {
    /// It trusts the authorities that the system trusts.
    pub(super) fn new() -> Result<Self> {
        let roots = RootCerts::Specific(Arc::new(
            system_roots().context("the system's trusted authorities cannot be read")?,
        ));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = TlsConfig::builder()
            .root_certs(roots)
            .unversioned_rustls_crypto_provider(provider)
            .build();
        let config = Agent::config_builder()
            .user_agent(USER_AGENT)
            .http_status_as_error(false)
            // What is signed for one receiver is not for another.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_global(Some(TIME_LIMIT))
            .tls_config(tls)
            .build();
        Ok(Client { agent: config.into() })
    }

    /// Posts a delivery.
    pub(super) async fn post(&self, billing: &Billing, receiver: &Receiver, due: &Due) -> Attempt {
        let id = billing.delivery_id(due.number);
        let timestamp = billing.store.now_ms() / 1000;
        let signature = receiver.secret.sign(&id, timestamp, &due.body);
        let request = self
            .agent
            .post(&receiver.url)
            .content_type("application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", timestamp.to_string())
            .header("webhook-signature", signature);
        let body = due.body.clone();
        let sent = spawn_blocking(move || request.send(body).map(|answer| answer.status()));
        let attempt = match sent.await {
            Ok(Ok(status)) => Attempt::answered(status),
            Ok(Err(why)) => {
                Attempt::NotReached(why.to_string().chars().take(MAX_TROUBLE_CHARS).collect())
            }
            Err(_) => Attempt::NotReached("the attempt was interrupted".to_owned()),
        };
        match attempt.trouble() {
            None => tracing::debug!("webhook {}: {id} delivered", receiver.id),
            Some(why) => tracing::warn!("webhook {}: {id}: {why}", receiver.id),
        }
        attempt
    }
}

/// None where the system has no such file: only receivers by http are reached then.
fn system_roots() -> io::Result<Vec<Certificate<'static>>> {
    for file in SYSTEM_ROOTS {
        match fs::read(file) {
            Ok(text) => {
                let items = parse_pem(&text).filter_map(Result::ok);
                return Ok(items
                    .filter_map(|item| match item {
                        PemItem::Certificate(certificate) => Some(certificate),
                        _ => None,
                    })
                    .collect());
            }
            Err(why) if why.kind() == io::ErrorKind::NotFound => {}
            Err(why) => return Err(why),
        }
    }
    tracing::warn!(
        "webhooks: the system has no list of trusted authorities, so none is reached by https"
    );
    Ok(Vec::new())
}
