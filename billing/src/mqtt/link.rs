//! Our link to the broker. It connects again whenever the connection is lost.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, anyhow};
use rumqttc::mqttbytes::Error as PacketError;
use rumqttc::{ConnectionError, StateError};
use tokio::sync::{oneshot, watch};
use tokio::time::sleep;

use super::broker::{Broker, reserve};
use super::external::External;
use super::rounds::Rounds;
use super::session;
use crate::operations::Billing;
use crate::store::offers;

const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// A report is far smaller, but other programs may publish under the same topics.
const MAX_PACKET_BYTES: usize = 1024 * 1024;

/// Which broker the panels speak to.
#[derive(Debug, Clone)]
pub enum Choice {
    /// The built-in one, listening there.
    BuiltIn(SocketAddr),
    /// Another one.
    External(External),
}

/// The link, ready to run.
pub struct Link {
    choice: Choice,
    client_id: String,
    up: watch::Sender<bool>,
}

impl Link {
    /// Prepares the link. With the built-in broker the port is reserved here, so that the start
    /// fails if it is in use.
    ///
    /// # Errors
    /// The port is not free, or the database fails.
    pub async fn new(billing: &Billing, mut choice: Choice) -> Result<Self> {
        if let Choice::BuiltIn(listen) = &mut choice {
            *listen = reserve(*listen).await?;
        }
        let client_id = billing.store.read(offers::client_id).await?;
        Ok(Link { choice, client_id, up: watch::Sender::new(false) })
    }

    /// Whether reports of panels arrive now.
    pub fn up(&self) -> watch::Receiver<bool> {
        self.up.subscribe()
    }

    /// Where the built-in broker listens; `None` with another broker.
    pub fn listens_on(&self) -> Option<SocketAddr> {
        match &self.choice {
            Choice::BuiltIn(listen) => Some(*listen),
            Choice::External(_) => None,
        }
    }

    /// Connects, and connects again after each loss. `up` says no when this is dropped, too.
    pub async fn run(&self, billing: &Billing) {
        let _down = Down(&self.up);
        let mut rounds = Rounds::new(self.choice.count());
        let (mut turn, mut forget) = (0, false);
        loop {
            let (ready, is_ready) = oneshot::channel();
            let lost = self.hold(billing, turn, forget, ready, is_ready).await;
            let pause = rounds.pause(self.up.send_replace(false));
            let seconds = pause.as_secs_f32();
            tracing::warn!("lost {}: {lost:#}; trying again in {seconds} s", self.choice.at(turn));
            // The broker would deliver the message that is too large on each connection, so its
            // session is given up. A panel reports again when its request is published again.
            forget = is_too_large(&lost);
            if !forget {
                turn = turn.wrapping_add(1);
            }
            sleep(pause).await;
        }
    }

    /// One connection. The built-in broker is started anew for each.
    async fn hold(
        &self,
        billing: &Billing,
        turn: usize,
        forget: bool,
        ready: oneshot::Sender<()>,
        is_ready: oneshot::Receiver<()>,
    ) -> session::Lost {
        let (broker, tunnel, mut options) = match &self.choice {
            Choice::BuiltIn(listen) => {
                match Broker::start(*listen, &self.client_id, billing.store.clone()).await {
                    Ok(broker) => {
                        let options = broker.options();
                        (Some(broker), None, options)
                    }
                    Err(why) => return why,
                }
            }
            Choice::External(external) => match external.connection(turn, &self.client_id) {
                Ok((options, tunnel)) => (None, Some(tunnel), options),
                Err(why) => return why,
            },
        };
        let no_way = async {
            match tunnel {
                Some(tunnel) => tunnel.run().await,
                None => std::future::pending().await,
            }
        };
        options
            .set_keep_alive(KEEP_ALIVE)
            .set_clean_session(forget)
            .set_manual_acks(true)
            .set_max_packet_size(MAX_PACKET_BYTES, MAX_PACKET_BYTES);
        let up = async {
            if is_ready.await.is_ok() {
                if let Some(broker) = &broker {
                    broker.open();
                }
                self.up.send_replace(true);
                tracing::info!("connected to {}", self.choice.at(turn));
            }
            // The session says when the connection is lost.
            std::future::pending().await
        };
        let first_token = async {
            match &broker {
                Some(broker) => broker.first_token().await,
                None => std::future::pending().await,
            }
            anyhow!("the first token was made, and everybody has to connect with one")
        };
        tokio::select! {
            lost = no_way => lost,
            lost = session::run(billing, options, ready) => lost,
            lost = up => lost,
            lost = first_token => lost,
        }
    }
}

/// The link is down when this is dropped.
struct Down<'a>(&'a watch::Sender<bool>);

impl Drop for Down<'_> {
    fn drop(&mut self) {
        self.0.send_replace(false);
    }
}

fn is_too_large(lost: &session::Lost) -> bool {
    matches!(
        lost.downcast_ref(),
        Some(ConnectionError::MqttState(StateError::Deserialization(
            PacketError::PayloadSizeLimitExceeded(_)
        )))
    )
}

impl Choice {
    /// How many nodes the broker has.
    fn count(&self) -> usize {
        match self {
            Choice::BuiltIn(_) => 1,
            Choice::External(external) => external.count(),
        }
    }

    /// What the link connects to when it is this turn.
    fn at(&self, turn: usize) -> String {
        match self {
            Choice::BuiltIn(listen) => format!("the built-in broker on {listen}"),
            Choice::External(external) => external.node(turn).to_string(),
        }
    }
}
