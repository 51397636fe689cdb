//! Tells what passes through the broker: who sends what to whom.

use std::collections::HashSet;
use std::net::SocketAddr;

use intercom_wire::topics::{
    EVERY_BOARD_PRESENCE, EVERY_BOARD_STATUS, EVERY_REQUEST, FromBoard, MAC_WHO, ToPanel,
};
use intercom_wire::{BoardName, Mac};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, Publish, QoS, SubscribeFilter};
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::say::say;

/// Watches until the broker ends, or it is aborted.
pub(super) fn start(broker: SocketAddr) -> JoinHandle<()> {
    let mut options = MqttOptions::new("demo-watch", broker.ip().to_string(), broker.port());
    options.set_max_packet_size(128 * 1024, 128 * 1024);
    let (client, mut events) = AsyncClient::new(options, 8);
    tokio::spawn(async move {
        let mut told = Told::default();
        loop {
            match events.poll().await {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    if client.try_subscribe_many(everything()).is_err() {
                        return;
                    }
                }
                Ok(Event::Incoming(Packet::Publish(message))) => told.tell(&message),
                Ok(_) => {}
                Err(_) => return,
            }
        }
    })
}

fn everything() -> impl Iterator<Item = SubscribeFilter> {
    EVERY_REQUEST
        .map(str::to_owned)
        .into_iter()
        .chain([EVERY_BOARD_STATUS, EVERY_BOARD_PRESENCE].map(str::to_owned))
        .chain([MAC_WHO.replace("{mac}", "+")])
        .map(|filter| SubscribeFilter::new(filter, QoS::AtMostOnce))
}

/// What was told since the last request. A panel repeats what may get lost, and proves itself twice.
#[derive(Default)]
struct Told(HashSet<String>);

impl Told {
    fn tell(&mut self, message: &Publish) {
        let payload: Value = serde_json::from_slice(&message.payload).unwrap_or_default();
        let to = ToPanel::read(&message.topic);
        if to.is_some() && !payload.is_null() {
            self.0.clear();
        }
        let line =
            format!("{}\n{}", in_words(&message.topic, to.as_ref(), &payload), message.topic);
        if !self.0.contains(&line) {
            say("broker", &line);
            self.0.insert(line);
        }
    }
}

/// What the message is for. docs/protocol.md shows the payloads.
fn in_words(topic: &str, to: Option<&ToPanel>, payload: &Value) -> String {
    if let Some(mac) = asked_for(topic) {
        return format!("a panel asks the others: who has {mac}?");
    }
    match (to, FromBoard::read(topic)) {
        (Some(to), _) => request_in_words(to, payload),
        (None, Some(FromBoard::Status(board))) => format!(
            "board {board} reports: {}, MAC {}, serial number {}, source {}",
            text(payload, "status"),
            text(payload, "mac"),
            text(payload, "serial_number"),
            text(payload, "source")
        ),
        (None, Some(FromBoard::Presence(board))) => presence_in_words(&board, payload),
        (None, None) => "a message".to_owned(),
    }
}

/// The MAC address whose owner is asked for on this topic.
fn asked_for(topic: &str) -> Option<Mac> {
    let (before, after) = MAC_WHO.split_once("{mac}")?;
    topic.strip_prefix(before)?.strip_suffix(after)?.parse().ok()
}

fn request_in_words(to: &ToPanel, payload: &Value) -> String {
    match to {
        ToPanel::Board(board) if payload.is_null() => {
            format!("billing has read the report of board {board}")
        }
        ToPanel::Board(board) => format!(
            "billing asks board {board}, which said nonce {}, to become MAC {}, serial number {}",
            text(payload, "nonce"),
            text(payload, "new_mac"),
            text(payload, "new_serial_number")
        ),
        ToPanel::Mac(mac) => format!("somebody asks the panel with {mac}, by hand"),
    }
}

fn presence_in_words(board: &BoardName, payload: &Value) -> String {
    match (payload["changing"].as_bool(), payload["mac"].as_str()) {
        (Some(true), _) => format!("board {board} is changing, and claims no identity"),
        (_, Some(mac)) => {
            format!("board {board} is there with {mac}, nonce {}", text(payload, "nonce"))
        }
        (_, None) => format!("board {board} is {}", text(payload, "state")),
    }
}

fn text<'a>(payload: &'a Value, field: &str) -> &'a str {
    payload[field].as_str().unwrap_or_default()
}
