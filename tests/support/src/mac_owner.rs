//! Another panel that has MAC addresses, as far as the others see it.

use std::thread;

use rumqttc::{Client, Event, MqttOptions, Packet, QoS};

use crate::Broker;

/// Answers whoever asks for one of its MAC addresses.
pub struct MacOwner(Client);

impl MacOwner {
    /// A board of this name has these addresses, from now on.
    pub fn start(broker: &Broker, board: &'static str, macs: Vec<String>) -> Self {
        let (host, port) = broker.address();
        let (client, mut connection) = Client::new(MqttOptions::new(board, host, port), 1024);
        client.subscribe("intercoms/+/who", QoS::AtMostOnce).expect("asked");
        let answering = client.clone();
        let (subscribed, is_subscribed) = std::sync::mpsc::channel();
        thread::spawn(move || {
            for event in connection.iter() {
                let message = match event {
                    Ok(Event::Incoming(Packet::Publish(message))) => message,
                    Ok(Event::Incoming(Packet::SubAck(_))) => {
                        let _ = subscribed.send(());
                        continue;
                    }
                    Ok(_) => continue,
                    Err(_) => return,
                };
                let asked = message.topic.split('/').nth(1).unwrap_or_default();
                if macs.iter().any(|mac| mac == asked) {
                    let here = format!("intercoms/{asked}/here/{board}");
                    let _ = answering.try_publish(here, QoS::AtMostOnce, false, "");
                }
            }
        });
        is_subscribed.recv_timeout(crate::LIMIT).expect("subscribed");
        MacOwner(client)
    }
}

/// It is gone, and answers no more.
impl Drop for MacOwner {
    fn drop(&mut self) {
        let _ = self.0.disconnect();
    }
}
