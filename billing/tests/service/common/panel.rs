//! A client on the broker, as a panel is one.

use std::time::Duration;

use rumqttc::{AsyncClient, Event, MqttOptions, Packet, Publish, QoS, SubscribeReasonCode};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::LIMIT;

/// More than anybody should send.
const BIG: usize = 4 * 1024 * 1024;

pub(crate) struct Panel {
    runtime: Handle,
    client: AsyncClient,
    packets: UnboundedReceiver<Packet>,
    unread: Vec<Publish>,
    polling: tokio::task::JoinHandle<()>,
}

impl Panel {
    /// Connects; the client tries again for as long as a test may take.
    pub(crate) fn connect(runtime: &Handle, port: u16, client_id: &str) -> Self {
        Self::connect_with(runtime, MqttOptions::new(client_id, "127.0.0.1", port))
    }

    /// The same, with a token.
    pub(crate) fn with_token(runtime: &Handle, port: u16, board: &str, token: &str) -> Self {
        let mut options = MqttOptions::new(board, "127.0.0.1", port);
        options.set_credentials(board, token);
        Self::connect_with(runtime, options)
    }

    /// The same, in its own way.
    pub(crate) fn connect_with(runtime: &Handle, mut options: MqttOptions) -> Self {
        options.set_keep_alive(Duration::from_secs(30)).set_max_packet_size(BIG, BIG);
        let (client, mut eventloop) = AsyncClient::new(options, 100);
        let (packets_in, packets) = unbounded_channel();
        let polling = runtime.spawn(async move {
            loop {
                match eventloop.poll().await {
                    Ok(Event::Incoming(packet)) => drop(packets_in.send(packet)),
                    Ok(Event::Outgoing(_)) => {}
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        });
        let mut panel =
            Panel { runtime: runtime.clone(), client, packets, unread: Vec::new(), polling };
        panel.wait("a connection", |packet| matches!(packet, Packet::ConnAck(_)).then_some(()));
        panel
    }

    /// The first packet that is picked. Messages that are not picked stay unread.
    fn wait<T>(&mut self, what: &str, pick: impl Fn(&Packet) -> Option<T>) -> T {
        let (packets, unread) = (&mut self.packets, &mut self.unread);
        let wanted = async {
            loop {
                let packet = packets.recv().await.expect("a live client");
                match (pick(&packet), packet) {
                    (Some(picked), _) => return picked,
                    (None, Packet::Publish(publish)) => unread.push(publish),
                    _ => {}
                }
            }
        };
        let limited = async { tokio::time::timeout(LIMIT, wanted).await };
        self.runtime.block_on(limited).unwrap_or_else(|_| panic!("no {what} in time"))
    }

    pub(crate) fn subscribe(&mut self, filter: &str) {
        self.client.try_subscribe(filter, QoS::AtLeastOnce).expect("room");
        self.wait("subscription", |packet| matches!(packet, Packet::SubAck(_)).then_some(()));
    }

    /// Whether the broker grants a subscription.
    pub(crate) fn is_granted(&mut self, filter: &str) -> bool {
        self.client.try_subscribe(filter, QoS::AtLeastOnce).expect("room");
        self.wait("subscription", |packet| match packet {
            Packet::SubAck(answer) => {
                Some(!answer.return_codes.contains(&SubscribeReasonCode::Failure))
            }
            _ => None,
        })
    }

    /// Publishes without waiting for the acknowledgement.
    pub(crate) fn send(&self, topic: &str, retain: bool, payload: impl Into<Vec<u8>>) {
        let sent = self.client.try_publish(topic, QoS::AtLeastOnce, retain, payload);
        sent.expect("room");
    }

    pub(crate) fn publish(&mut self, topic: &str, retain: bool, payload: impl Into<Vec<u8>>) {
        self.send(topic, retain, payload);
        self.wait("acknowledgement", |packet| matches!(packet, Packet::PubAck(_)).then_some(()));
    }

    /// The topics of the messages that have come and are not read yet.
    pub(crate) fn unread(&self) -> Vec<&str> {
        self.unread.iter().map(|publish| publish.topic.as_str()).collect()
    }

    /// Whether a message has come on exactly that topic; it is taken.
    pub(crate) fn has_come(&mut self, topic: &str) -> bool {
        while let Ok(packet) = self.packets.try_recv() {
            if let Packet::Publish(publish) = packet {
                self.unread.push(publish);
            }
        }
        let at = self.unread.iter().position(|publish| publish.topic == topic);
        at.map(|at| self.unread.remove(at)).is_some()
    }

    /// The next message on any topic.
    pub(crate) fn next(&mut self) -> Publish {
        if !self.unread.is_empty() {
            return self.unread.remove(0);
        }
        self.wait("message", |packet| match packet {
            Packet::Publish(publish) => Some(publish.clone()),
            _ => None,
        })
    }

    /// The next message on exactly that topic.
    pub(crate) fn receive(&mut self, topic: &str) -> Publish {
        if let Some(at) = self.unread.iter().position(|publish| publish.topic == topic) {
            return self.unread.remove(at);
        }
        self.wait(&format!("message on {topic}"), |packet| match packet {
            Packet::Publish(publish) if publish.topic == topic => Some(publish.clone()),
            _ => None,
        })
    }
}

impl Drop for Panel {
    fn drop(&mut self) {
        self.polling.abort();
    }
}
