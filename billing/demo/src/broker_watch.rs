//! Tells what passes through the broker: who sends what to whom.

use std::net::SocketAddr;

use intercom_wire::BoardName;
use intercom_wire::topics::{
    EVERY_BOARD_PRESENCE, EVERY_BOARD_STATUS, EVERY_REQUEST, FromBoard, ToPanel,
};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, Publish, QoS, SubscribeFilter};
use serde_json::Value;

use crate::says::Says;

/// Watches until the broker ends.
pub(super) fn start(broker: SocketAddr, says: Says) {
    let mut options = MqttOptions::new("demo-watch", broker.ip().to_string(), broker.port());
    options.set_max_packet_size(128 * 1024, 128 * 1024);
    let (client, mut events) = AsyncClient::new(options, 8);
    tokio::spawn(async move {
        loop {
            match events.poll().await {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    if client.try_subscribe_many(everything()).is_err() {
                        return;
                    }
                }
                Ok(Event::Incoming(Packet::Publish(message))) => {
                    if says.send(("broker", in_words(&message))).await.is_err() {
                        return;
                    }
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
    });
}

fn everything() -> impl Iterator<Item = SubscribeFilter> {
    EVERY_REQUEST
        .into_iter()
        .chain([EVERY_BOARD_STATUS, EVERY_BOARD_PRESENCE])
        .map(|filter| SubscribeFilter::new(filter.to_owned(), QoS::AtMostOnce))
}

/// What the message is for, and its topic. docs/protocol.md shows the payloads.
fn in_words(message: &Publish) -> String {
    let topic = &message.topic;
    let payload: Value = serde_json::from_slice(&message.payload).unwrap_or_default();
    let what = match (ToPanel::read(topic), FromBoard::read(topic)) {
        (Some(to), _) => request_in_words(&to, &payload),
        (_, Some(FromBoard::Status(board))) => format!(
            "board {board} reports: status {}, MAC {}, serial number {}, source {}",
            text(&payload, "status"),
            text(&payload, "mac"),
            text(&payload, "serial_number"),
            text(&payload, "source")
        ),
        (_, Some(FromBoard::Presence(board))) => presence_in_words(&board, &payload),
        (None, None) => "a message".to_owned(),
    };
    format!("{what}\n{topic}")
}

fn request_in_words(to: &ToPanel, payload: &Value) -> String {
    let new_mac = text(payload, "new_mac");
    match to {
        ToPanel::Board(board) if payload.is_null() => {
            format!("billing has read the report of board {board}")
        }
        ToPanel::Board(board) => format!(
            "no board that is there has {new_mac}: billing asks the door's own board {board} to \
             take it"
        ),
        ToPanel::Mac(mac) => format!("somebody asks the panel with {mac}, by hand"),
    }
}

fn presence_in_words(board: &BoardName, payload: &Value) -> String {
    match (payload["changing"].as_bool(), payload["mac"].as_str()) {
        (Some(true), _) => format!("board {board} is changing, and claims no identity"),
        (_, Some(mac)) => format!("board {board} is there, and says that it has {mac}"),
        (_, None) => format!("board {board} is {}", text(payload, "state")),
    }
}

fn text<'a>(payload: &'a Value, field: &str) -> &'a str {
    payload[field].as_str().unwrap_or_default()
}
