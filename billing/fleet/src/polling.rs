//! Panels that poll over HTTP, each as fast as it is answered.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hyper::{Method, StatusCode};
use intercom_agent::agent::seams::ConnectIdentity;
use intercom_wire::{Identity, Request};
use serde_json::value::RawValue;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::caller::Caller;
use crate::identities::{self, MODEL};
use crate::panel::installed;
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
    let factory = identities::old(number)?;
    let mut connect_as = ConnectIdentity {
        has_mac: true,
        changing_from: None,
        new_record: false,
        identity: factory.clone(),
        board: identities::board(number)?,
        id: None,
        model: Some(MODEL.to_owned()),
    };
    let mut caller = Caller::connect(billing).await?;
    let mut polled = Polled::default();
    while !*stop.borrow() {
        let answer = caller.call(Method::GET, &path(&connect_as), None).await?;
        ensure!(answer.status == StatusCode::OK, "pending: {}", answer.status);
        polled.pending.add(answer.took);
        let requests: Vec<Box<RawValue>> = serde_json::from_slice(&answer.body)?;
        for request in requests {
            let request = Request::read(request.get().as_bytes());
            let request = request.map_err(|_| anyhow::anyhow!("a request cannot be read"))?;
            let request_id = request.id.context("a request without an ID")?;
            let patch = request.content.map_err(|why| anyhow::anyhow!("{why}"))?;
            let previous = std::mem::replace(
                &mut connect_as.identity,
                Identity {
                    mac: patch.new_mac.context("no new MAC address")?,
                    serial_number: patch.new_serial_number,
                },
            );
            let report = installed(request_id, &connect_as, previous, factory.clone());
            let report = serde_json::to_value(report)?;
            let answer = caller.call(Method::POST, "/api/v1/agent/status", Some(&report)).await?;
            ensure!(answer.status == StatusCode::NO_CONTENT, "status: {}", answer.status);
            polled.status.add(answer.took);
        }
    }
    Ok(polled)
}

fn path(connect_as: &ConnectIdentity) -> String {
    let serial_number = connect_as.identity.serial_number.as_ref();
    let serial_number = serial_number.map_or_else(String::new, ToString::to_string);
    let (mac, board) = (connect_as.identity.mac, &connect_as.board);
    format!("/api/v1/agent/pending?mac={mac}&serial_number={serial_number}&board={board}")
}
