//! Tells what passes through the broker: who sends what to whom.

use std::net::SocketAddr;

use intercom_wire::topics::{EVERY_PRESENCE, EVERY_REQUEST, EVERY_STATUS, FromPanel, ToPanel};
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
        .chain([EVERY_STATUS, EVERY_PRESENCE])
        .map(|filter| SubscribeFilter::new(filter.to_owned(), QoS::AtMostOnce))
}

/// What the message is for, and its topic. docs/protocol.md shows the payloads.
fn in_words(message: &Publish) -> String {
    let topic = &message.topic;
    let payload: Value = serde_json::from_slice(&message.payload).unwrap_or_default();
    let what = match (ToPanel::read(topic), FromPanel::read(topic)) {
        (Some(to), _) => request_in_words(&to, &payload),
        (_, Some(FromPanel::Status)) => format!(
            "the panel reports: status {}, MAC {}, serial number {}, source {}",
            text(&payload, "status"),
            text(&payload, "mac"),
            text(&payload, "serial_number"),
            text(&payload, "source")
        ),
        (_, Some(FromPanel::Presence(_))) if payload.is_null() => {
            "the panel gives up the old MAC".to_owned()
        }
        (_, Some(FromPanel::Presence(_))) => {
            format!("the panel tells everybody that it is {}", text(&payload, "state"))
        }
        (None, None) => "a message".to_owned(),
    };
    format!("{what}\n{topic}")
}

fn request_in_words(to: &ToPanel, payload: &Value) -> String {
    let (mac, new_mac) = (text(payload, "mac"), text(payload, "new_mac"));
    match to {
        _ if payload.is_null() => "billing takes the request back from the broker".to_owned(),
        ToPanel::Mac(at) if new_mac == at.to_string() => {
            format!("billing asks the board that already has {at}, if there is one")
        }
        ToPanel::Mac(_) => {
            format!("no board has {new_mac} yet: billing asks the panel with {mac} to take it")
        }
        ToPanel::Board(board) => format!("billing sends the same to board {board} by its name"),
    }
}

fn text<'a>(payload: &'a Value, field: &str) -> &'a str {
    payload[field].as_str().unwrap_or_default()
}
