//! A watcher on the broker: billing answers a report with an empty payload once it has stored it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use intercom_wire::topics::{EVERY_REQUEST, ToPanel};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::identities::number_of;

/// As whom the watcher connects.
pub(super) const CLIENT_ID: &str = "fleet-watch";

/// The reports that billing has answered, by the number of the panel.
pub(super) struct Watch {
    answered: mpsc::UnboundedReceiver<(usize, Instant)>,
    _polling: JoinSet<()>,
}

impl Watch {
    /// Returns when the broker has confirmed the subscription.
    pub(super) async fn start(broker: SocketAddr) -> Result<Self> {
        let mut options = MqttOptions::new(CLIENT_ID, broker.ip().to_string(), broker.port());
        options.set_max_packet_size(1024 * 1024, 1024 * 1024);
        let (client, mut events) = AsyncClient::new(options, 16);
        let [_, by_board] = EVERY_REQUEST;
        client.subscribe(by_board, QoS::AtLeastOnce).await?;
        let (answered_in, answered) = mpsc::unbounded_channel();
        loop {
            if matches!(events.poll().await?, Event::Incoming(Packet::SubAck(_))) {
                break;
            }
        }
        let mut polling = JoinSet::new();
        polling.spawn(async move {
            let _client = client;
            while let Ok(event) = events.poll().await {
                if let Event::Incoming(Packet::Publish(publish)) = event
                    && publish.payload.is_empty()
                    && let Some(ToPanel::Board(board)) = ToPanel::read(&publish.topic)
                    && let Some(number) = number_of(&board)
                {
                    // The receiver may have been dropped.
                    let _ = answered_in.send((number, Instant::now()));
                }
            }
        });
        Ok(Watch { answered, _polling: polling })
    }

    /// Waits until the reports of all these panels have been answered, or nothing has happened for
    /// `limit`. The panels whose reports were not answered are missing in the result.
    pub(super) async fn all_of(
        &mut self,
        numbers: std::ops::Range<usize>,
        limit: Duration,
    ) -> Result<HashMap<usize, Instant>> {
        let mut all = HashMap::new();
        while all.len() < numbers.len() {
            match tokio::time::timeout(limit, self.answered.recv()).await {
                Ok(Some((number, at))) if numbers.contains(&number) => {
                    all.entry(number).or_insert(at);
                }
                Ok(Some(_)) => {}
                Ok(None) => bail!("the watcher has lost the broker"),
                Err(_) => break,
            }
        }
        Ok(all)
    }
}

/// How many boards are connected to the broker, as billing knows.
pub(super) fn present(database: &std::path::Path) -> Result<usize> {
    use rusqlite::{Connection, OpenFlags};
    let database = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let count: i64 = database.query_row(
        "SELECT count(*) FROM boards WHERE present_until_ms = ?1",
        [intercom_billing::offer::UNTIL_FURTHER_NOTICE],
        |row| row.get(0),
    )?;
    usize::try_from(count).context("a negative count")
}
