//! Panels that poll over HTTP, each as fast as it is answered.

use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use hyper::{Method, StatusCode};
use intercom_agent::agent::seams::ConnectIdentity;
use intercom_wire::{Identity, Nonce, Request, SerialNumber};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::caller::Caller;
use crate::identities;
use crate::report::installed;
use crate::timings::Timings;

/// How long the polling panels waited for their answers.
#[derive(Default)]
pub(super) struct Polled {
    pub(super) pending: Timings,
    pub(super) status: Timings,
    pub(super) took: Duration,
}

/// Panels that poll until they are stopped.
pub(super) struct Pollers {
    panels: JoinSet<Result<Polled>>,
    stop: watch::Sender<bool>,
    begun: Instant,
}

impl Pollers {
    pub(super) fn start(billing: SocketAddr, numbers: std::ops::Range<usize>) -> Self {
        let stop = watch::Sender::new(false);
        let mut panels = JoinSet::new();
        for number in numbers {
            panels.spawn(poll(billing, number, stop.subscribe()));
        }
        Pollers { panels, stop, begun: Instant::now() }
    }

    pub(super) async fn stop(mut self) -> Result<Polled> {
        self.stop.send_replace(true);
        let mut all = Polled { took: self.begun.elapsed(), ..Polled::default() };
        while let Some(polled) = self.panels.join_next().await {
            let polled = polled??;
            all.pending.append(polled.pending);
            all.status.append(polled.status);
        }
        Ok(all)
    }
}

async fn poll(billing: SocketAddr, number: usize, stop: watch::Receiver<bool>) -> Result<Polled> {
    let mut panel = PollingPanel::new(number)?;
    let mut caller = Caller::connect(billing).await?;
    let mut polled = Polled::default();
    while !*stop.borrow() {
        let answer = caller.call(Method::GET, &panel.pending(), None).await?;
        ensure!(answer.status == StatusCode::OK, "pending: {}", answer.status);
        polled.pending.add(answer.took);
        for report in panel.carry_out(&answer.body)? {
            let answer = caller.call(Method::POST, "/api/v1/agent/status", Some(&report)).await?;
            // This is the answer to a report: it need not be sent again.
            ensure!(answer.status == StatusCode::NO_CONTENT, "status: {}", answer.status);
            polled.status.add(answer.took);
        }
    }
    Ok(polled)
}

/// A panel that polls, with an identity in memory in place of a board.
pub(super) struct PollingPanel {
    connect_as: ConnectIdentity,
    factory: Identity,
    /// Of this start; a request that does not name it was not meant for it.
    nonce: Nonce,
}

impl PollingPanel {
    pub(super) fn new(number: usize) -> Result<Self> {
        let factory = identities::old(number)?;
        Ok(PollingPanel {
            connect_as: identities::connect_as(number, factory.clone())?,
            factory,
            // Its keys are random.
            nonce: Nonce::of(RandomState::new().hash_one(number)),
        })
    }

    /// Where it polls.
    pub(super) fn pending(&self) -> String {
        let ConnectIdentity { identity, board, .. } = &self.connect_as;
        let serial_number = identity.serial_number.as_ref().map(SerialNumber::as_str);
        format!(
            "/api/v1/agent/pending?mac={}&serial_number={}&board={board}&nonce={}&poll_every=60",
            identity.mac,
            serial_number.unwrap_or_default(),
            self.nonce
        )
    }

    /// Carries out the requests in an answer. Returns the reports.
    pub(super) fn carry_out(&mut self, pending: &[u8]) -> Result<Vec<Value>> {
        let requests: Vec<Box<RawValue>> = serde_json::from_slice(pending)?;
        let mut reports = Vec::new();
        for request in requests {
            let request = Request::read(request.get().as_bytes());
            let request = request.map_err(|_| anyhow!("a request cannot be read"))?;
            ensure!(request.nonce.as_ref() == Some(&self.nonce), "a request for another start");
            let patch = request.content.as_ref().map_err(|why| anyhow!("{why}"))?;
            let to = Identity {
                mac: patch.new_mac.context("no new MAC address")?,
                serial_number: patch.new_serial_number.clone(),
            };
            let from = std::mem::replace(&mut self.connect_as.identity, to);
            let report = installed(&request, &self.connect_as, from, self.factory.clone());
            reports.push(serde_json::to_value(report)?);
        }
        Ok(reports)
    }
}
