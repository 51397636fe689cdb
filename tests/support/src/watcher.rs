//! Somebody who sees everything that goes through the broker, and can publish.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Instant;

use rumqttc::{Client, Event, MqttOptions, Packet, Publish, QoS, SubscribeReasonCode};
use serde_json::Value;

use crate::{Broker, LIMIT};

/// So that a watcher sees when it has seen everything that came before.
const MARK: &str = "watcher/mark";
const MAX_PACKET: usize = 32 << 20;

/// A client that is subscribed to everything.
pub struct Watcher {
    client: Client,
    messages: Receiver<Publish>,
}

impl Watcher {
    /// Sees what is retained, and then everything that is published. At once.
    pub fn new(broker: &Broker) -> Self {
        Self::at(broker.address())
    }

    /// The same on the broker that listens there.
    pub fn at((host, port): (String, u16)) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self::connect(MqttOptions::new(format!("watcher-{number}"), host, port))
    }

    /// The same as a user of the broker: sees what that user may.
    pub fn with_credentials(broker: &Broker, client_id: &str, user: &str, password: &str) -> Self {
        let (host, port) = broker.address();
        let mut options = MqttOptions::new(client_id, host, port);
        options.set_credentials(user, password);
        Self::connect(options)
    }

    fn connect(mut options: MqttOptions) -> Self {
        options.set_max_packet_size(MAX_PACKET, MAX_PACKET);
        let (client, mut connection) = Client::new(options, 64);
        let (send, messages) = channel();
        let (subscribed, is_subscribed) = channel();
        let (subscribing, end) = (client.clone(), Instant::now() + LIMIT);
        thread::spawn(move || {
            let mut is_starting = true;
            for event in connection.iter() {
                match event {
                    Ok(Event::Incoming(Packet::Publish(message))) => {
                        if send.send(message).is_err() {
                            return;
                        }
                    }
                    // NATS refuses what its JetStream could not do within four seconds, as happens when
                    // others disconnect at that moment, and grants it the next time.
                    Ok(Event::Incoming(Packet::SubAck(answer)))
                        if answer.return_codes.contains(&SubscribeReasonCode::Failure) =>
                    {
                        if Instant::now() > end || everything(&subscribing).is_err() {
                            return;
                        }
                    }
                    Ok(Event::Incoming(Packet::SubAck(_))) => {
                        is_starting = false;
                        let _ = subscribed.send(());
                    }
                    Ok(_) => {}
                    // A cluster takes nobody before it has chosen its leader.
                    Err(_) if is_starting => {}
                    Err(why) => return eprintln!("watcher: {why}"),
                }
            }
        });
        everything(&client).expect("asked");
        is_subscribed.recv_timeout(LIMIT).expect("subscribed");
        Watcher { client, messages }
    }

    /// Publishes a message that is not retained.
    pub fn publish(&self, topic: &str, payload: impl Into<Vec<u8>>) {
        self.client.publish(topic, QoS::AtLeastOnce, false, payload).expect("published");
    }

    /// Publishes a message that the broker retains.
    pub fn retain(&self, topic: &str, payload: impl Into<Vec<u8>>) {
        self.client.publish(topic, QoS::AtLeastOnce, true, payload).expect("published");
    }

    /// Waits for the next message that fits.
    pub fn wait_for(&self, what: &str, fits: impl Fn(&Publish) -> bool) -> Publish {
        let end = Instant::now() + LIMIT;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let message =
                self.messages.recv_timeout(left).unwrap_or_else(|why| panic!("no {what}: {why}"));
            if fits(&message) {
                return message;
            }
        }
    }

    /// Waits for the next report of a panel that has this MAC.
    pub fn report(&self, mac: &str) -> Value {
        let is_report =
            |topic: &str| topic.starts_with("intercoms/by-board/") && topic.ends_with("/status");
        let has_mac = |message: &Publish| json(message).is_some_and(|report| report["mac"] == mac);
        let message = self.wait_for(&format!("a report from {mac}"), |message| {
            is_report(&message.topic) && has_mac(message)
        });
        json(&message).expect("JSON")
    }

    /// Waits until a board says that it is there and has this MAC. Gives back what it said.
    pub fn online(&self, mac: &str, board: &str) -> Value {
        self.presence(board, |said| said["state"] == "online" && said["mac"] == mac)
    }

    /// Waits until the broker says for a board that it is gone.
    pub fn offline(&self, board: &str) {
        self.presence(board, |said| said["state"] == "offline");
    }

    /// Waits until a board says something of itself that fits.
    pub fn presence(&self, board: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let topic = format!("intercoms/by-board/{board}/presence");
        let message = self.wait_for(&topic, |message| {
            let said =
                json(message).filter(|said| message.topic == topic && said["board"] == board);
            said.is_some_and(|said| fits(&said))
        });
        json(&message).expect("JSON")
    }

    /// Everything that has been published up to now and was not waited for.
    pub fn so_far(&self) -> Vec<Publish> {
        self.publish(MARK, "");
        let mut seen = Vec::new();
        loop {
            let message = self.messages.recv_timeout(LIMIT).expect("the mark");
            if message.topic == MARK {
                return seen;
            }
            seen.push(message);
        }
    }

    /// What the broker retains.
    pub fn retained(broker: &Broker) -> BTreeMap<String, Vec<u8>> {
        let messages = Watcher::new(broker).so_far();
        messages
            .into_iter()
            .filter(|message| message.retain)
            .map(|message| (message.topic, message.payload.to_vec()))
            .collect()
    }
}

/// Asks for a subscription to everything.
fn everything(client: &Client) -> Result<(), rumqttc::ClientError> {
    client.try_subscribe("#", QoS::AtLeastOnce)
}

fn json(message: &Publish) -> Option<Value> {
    serde_json::from_slice(&message.payload).ok()
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.client.disconnect();
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_subscription_that_the_broker_refuses_once_is_asked_for_again() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            // CONNECT comes alone, since CONNACK is waited for.
            let _ = stream.read(&mut [0; 128]).expect("CONNECT");
            stream.write_all(&[0x20, 2, 0, 0]).expect("CONNACK");
            for code in [0x80, 1] {
                // SUBSCRIBE: the head, the packet ID, the filter `#` after its length, the QoS.
                let mut subscribe = [0; 8];
                stream.read_exact(&mut subscribe).expect("SUBSCRIBE");
                let [_, _, high, low, ..] = subscribe;
                stream.write_all(&[0x90, 3, high, low, code]).expect("SUBACK");
            }
            stream.write_all(b"\x30\x09\x00\x05topic42").expect("PUBLISH");
            // Until the client goes.
            let _ = stream.read(&mut [0; 128]);
        });
        let watcher = Watcher::at(("127.0.0.1".to_owned(), port));
        assert_eq!(watcher.wait_for("a message", |_| true).payload, "42");
    }
}
