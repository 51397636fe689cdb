//! A client that does one thing after the other, and notices when the broker ends its connection.

use std::time::Instant;

use intercom_test_support::LIMIT;
use rumqttc::{
    ConnectReturnCode, Connection, ConnectionError, Event, MqttOptions, Packet, QoS,
    SubscribeReasonCode,
};

pub(crate) struct Client {
    client: rumqttc::Client,
    connection: Connection,
    /// Topics and payloads that have come.
    received: Vec<(String, String)>,
}

impl Client {
    pub(crate) fn connect(
        port: u16,
        client_id: &str,
        credentials: Option<(&str, &str)>,
    ) -> Result<Self, ConnectReturnCode> {
        let mut options = MqttOptions::new(client_id, "127.0.0.1", port);
        if let Some((user, password)) = credentials {
            options.set_credentials(user, password);
        }
        Self::connect_with(options)
    }

    /// To a session that outlives its connection.
    pub(crate) fn connect_to_session(
        port: u16,
        client_id: &str,
        (user, password): (&str, &str),
    ) -> Result<Self, ConnectReturnCode> {
        let mut options = MqttOptions::new(client_id, "127.0.0.1", port);
        options.set_credentials(user, password).set_clean_session(false);
        Self::connect_with(options)
    }

    fn connect_with(options: MqttOptions) -> Result<Self, ConnectReturnCode> {
        let (client, connection) = rumqttc::Client::new(options, 16);
        let mut client = Client { client, connection, received: Vec::new() };
        let end = Instant::now() + LIMIT;
        loop {
            match client.connection.recv_timeout(LIMIT).expect("in time") {
                Ok(Event::Incoming(Packet::ConnAck(_))) => return Ok(client),
                Err(ConnectionError::ConnectionRefused(code)) => return Err(code),
                // NATS lets a client ID that was taken over in again after a second.
                Ok(_) | Err(_) => assert!(Instant::now() < end, "no connection"),
            }
        }
    }

    /// The first packet that is picked; `None` if the broker ends the connection first.
    fn wait<T>(&mut self, pick: impl Fn(&Packet) -> Option<T>) -> Option<T> {
        loop {
            let event = self.connection.recv_timeout(LIMIT).expect("in time");
            let Event::Incoming(packet) = event.ok()? else { continue };
            if let Packet::Publish(publish) = &packet {
                let payload = String::from_utf8_lossy(&publish.payload).into_owned();
                self.received.push((publish.topic.clone(), payload));
            }
            if let Some(picked) = pick(&packet) {
                return Some(picked);
            }
        }
    }

    /// Whether the broker says that it grants a subscription.
    pub(crate) fn subscribe(&mut self, filter: &str, qos: QoS) -> bool {
        self.client.try_subscribe(filter, qos).expect("room");
        let codes = self.wait(|packet| match packet {
            Packet::SubAck(answer) => Some(answer.return_codes.clone()),
            _ => None,
        });
        codes.is_some_and(|codes| !codes.contains(&SubscribeReasonCode::Failure))
    }

    /// Publishes at QoS 1. When this returns, the broker has dealt with it; `false` if it ended the
    /// connection over it or before.
    pub(crate) fn publish(&mut self, topic: &str, payload: &str) -> bool {
        self.client.try_publish(topic, QoS::AtLeastOnce, false, payload).expect("room");
        self.wait(|packet| matches!(packet, Packet::PubAck(_)).then_some(())).is_some()
    }

    /// Whether a message came before this one, which is waited for. A connection that has ended hears
    /// nothing.
    pub(crate) fn hears(&mut self, topic: &str, payload: &str, before: &str) -> bool {
        let is_last = |text: &str| text == before;
        if !self.received.iter().any(|(_, text)| is_last(text)) {
            self.wait(|packet| match packet {
                Packet::Publish(publish) => {
                    is_last(&String::from_utf8_lossy(&publish.payload)).then_some(())
                }
                _ => None,
            });
        }
        self.received.iter().any(|(at, text)| at == topic && text == payload)
    }
}
