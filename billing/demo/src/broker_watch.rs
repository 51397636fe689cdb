//! Tells what passes through the broker: who sent what to whom.

use std::net::SocketAddr;

use rumqttc::{AsyncClient, Event, MqttOptions, Packet, Publish, QoS};
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
                    if client.try_subscribe("intercoms/#", QoS::AtMostOnce).is_err() {
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

/// The topic, and what the message is for; the payload in full is what the API page and docs/protocol.md show.
fn in_words(message: &Publish) -> String {
    let topic = &message.topic;
    let levels: Vec<_> = topic.split('/').collect();
    let payload: Value = serde_json::from_slice(&message.payload).unwrap_or_default();
    let text = |field: &str| payload[field].as_str().unwrap_or_default().to_owned();
    let what = match (levels.as_slice(), message.payload.is_empty()) {
        ([.., "patch", _], true) => "billing takes the request back from the broker".to_owned(),
        (["intercoms", mac, "patch", _], false) if text("new_mac") == *mac => {
            format!("billing asks the board that has {mac} already, if there is one")
        }
        (["intercoms", "by-board", board, "patch", _], false) => {
            format!("billing sends the same to board {board} by its name")
        }
        ([.., "patch", _], false) => {
            let (mac, new_mac) = (text("mac"), text("new_mac"));
            format!("nobody has it yet: billing asks the panel with {mac} to become {new_mac}")
        }
        ([.., "status"], _) => format!(
            "the panel reports: status {}, MAC {}, serial number {}, source {}",
            text("status"),
            text("mac"),
            text("serial_number"),
            text("source")
        ),
        ([.., "presence"], true) => "the panel gives up the old MAC".to_owned(),
        ([.., "presence"], false) => {
            format!("the panel tells everybody that it is {}", text("state"))
        }
        (_, _) => "a message".to_owned(),
    };
    format!("{what}\n{topic}")
}
