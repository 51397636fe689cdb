//! What panels rely on in the built-in broker, with sessions that outlive their connections.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use rumqttc::mqttbytes::v4::Connect;
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, Publish, QoS};

use crate::common::panel::Panel;
use crate::common::{LIMIT, Running};

const FILTER: &str = "intercoms/22:0D:CE:38:E7:15/patch/#";
/// More than one flight of messages.
const MANY: usize = 250;

/// A connection of the same persistent session, which acknowledges only what the test says.
struct Connection {
    client: AsyncClient,
    events: EventLoop,
    session_present: bool,
}

impl Connection {
    async fn open(port: u16) -> Self {
        let mut options = MqttOptions::new("die-1", "127.0.0.1", port);
        options.set_clean_session(false).set_manual_acks(true);
        let (client, events) = AsyncClient::new(options, 2 * MANY);
        let mut connection = Connection { client, events, session_present: false };
        connection.session_present = connection
            .next("a connection", |packet| match packet {
                Packet::ConnAck(answer) => Some(answer.session_present),
                _ => None,
            })
            .await;
        connection
    }

    async fn next<T>(&mut self, what: &str, pick: impl Fn(Packet) -> Option<T>) -> T {
        let picked = async {
            loop {
                if let Event::Incoming(packet) = self.events.poll().await.expect("a connection")
                    && let Some(picked) = pick(packet)
                {
                    return picked;
                }
            }
        };
        tokio::time::timeout(LIMIT, picked).await.unwrap_or_else(|_| panic!("no {what} in time"))
    }

    async fn subscribe(&mut self) {
        self.client.subscribe(FILTER, QoS::AtLeastOnce).await.expect("room");
        self.next("subscription", |p| matches!(p, Packet::SubAck(_)).then_some(())).await;
    }

    async fn unsubscribe(&mut self) {
        self.client.unsubscribe(FILTER).await.expect("room");
        self.next("end of subscription", |p| matches!(p, Packet::UnsubAck(_)).then_some(())).await;
    }

    async fn publish(&mut self, topic: &str) {
        self.client.publish(topic, QoS::AtLeastOnce, false, "here").await.expect("room");
        self.next("acknowledgement", |p| matches!(p, Packet::PubAck(_)).then_some(())).await;
    }

    async fn receive(&mut self) -> Publish {
        self.next("message", |packet| match packet {
            Packet::Publish(publish) => Some(publish),
            _ => None,
        })
        .await
    }
}

/// A service, and retained requests on its broker.
fn with_requests(count: usize) -> Running {
    let billing = Running::start();
    let mut operator = operator(&billing);
    for number in 0..count {
        operator.publish(&topic(number), true, "{}");
    }
    billing
}

fn operator(billing: &Running) -> Panel {
    Panel::connect(billing.runtime.handle(), billing.mqtt_port(), "operator")
}

fn topic(number: usize) -> String {
    FILTER.replace('#', &format!("r-{number}"))
}

#[test]
fn a_retained_request_that_was_not_acknowledged_comes_again_when_the_session_is_resumed() {
    let billing = with_requests(1);
    billing.runtime.block_on(async {
        let mut first = Connection::open(billing.mqtt_port()).await;
        first.subscribe().await;
        assert_eq!(first.receive().await.topic, topic(0));
        drop(first);
        let mut second = Connection::open(billing.mqtt_port()).await;
        assert!(second.session_present);
        let again = second.receive().await;
        assert_eq!(again.topic, topic(0));
        second.client.ack(&again).await.expect("room");
        // Acknowledgements arrive in order, so the earlier ones have arrived too.
        second.publish("elsewhere").await;
        drop(second);
        let mut third = Connection::open(billing.mqtt_port()).await;
        third.client.publish(topic(1), QoS::AtLeastOnce, false, "{}").await.expect("room");
        assert_eq!(third.receive().await.topic, topic(1), "the first one is not repeated");
    });
}

#[test]
fn every_retained_request_reaches_its_subscriber() {
    let billing = with_requests(MANY);
    let expected: BTreeSet<String> = (0..MANY).map(topic).collect();
    let received = billing.runtime.block_on(async {
        let mut panel = Connection::open(billing.mqtt_port()).await;
        panel.subscribe().await;
        let mut received = BTreeSet::new();
        while received.len() < MANY {
            let publish = panel.receive().await;
            panel.client.ack(&publish).await.expect("room");
            received.insert(publish.topic);
        }
        received
    });
    assert_eq!(received, expected);
}

#[test]
fn a_message_for_a_panel_that_is_away_waits_for_it() {
    let billing = Running::start();
    billing.runtime.block_on(async {
        let mut panel = Connection::open(billing.mqtt_port()).await;
        assert!(!panel.session_present);
        panel.subscribe().await;
    });
    operator(&billing).publish(&topic(7), false, "{}");
    billing.runtime.block_on(async {
        let mut panel = Connection::open(billing.mqtt_port()).await;
        assert_eq!(panel.receive().await.topic, topic(7));
    });
}

#[test]
fn a_subscription_that_was_given_up_in_a_resumed_session_stays_given_up() {
    let billing = Running::start();
    billing.runtime.block_on(async {
        let mut panel = Connection::open(billing.mqtt_port()).await;
        panel.subscribe().await;
        drop(panel);
        let mut panel = Connection::open(billing.mqtt_port()).await;
        assert!(panel.session_present);
        panel.unsubscribe().await;
        panel.client.subscribe("marks", QoS::AtLeastOnce).await.expect("room");
        for topic in [&topic(8), "marks"] {
            panel.client.publish(topic, QoS::AtLeastOnce, false, "{}").await.expect("room");
        }
        assert_eq!(panel.receive().await.topic, "marks", "and nothing before it");
    });
}

#[test]
fn a_panel_that_vanishes_leaves_its_last_will() {
    let billing = Running::start();
    let mut watcher = operator(&billing);
    watcher.subscribe("intercoms/+/presence");
    let topic = "intercoms/22:0D:CE:38:E7:15/presence";
    billing.runtime.block_on(async {
        let mut options = MqttOptions::new("die-1", "127.0.0.1", billing.mqtt_port());
        options.set_last_will(rumqttc::LastWill::new(topic, "gone", QoS::AtLeastOnce, true));
        let (_client, mut events) = AsyncClient::new(options, 10);
        events.poll().await.expect("a connection");
    });
    assert_eq!(watcher.receive(topic).payload, "gone");
    let mut late = Panel::connect(billing.runtime.handle(), billing.mqtt_port(), "late");
    late.subscribe(topic);
    let retained = late.receive(topic);
    assert!(retained.retain && retained.payload == "gone");
}

#[test]
fn clients_that_break_off_or_send_garbage_lock_no_other_out() {
    let billing = Running::start();
    let address = ("127.0.0.1", billing.mqtt_port());
    let mut bad_name = bytes::BytesMut::new();
    Connect::new("not/allowed").write(&mut bad_name).expect("a packet");
    for sent in [&bad_name[..], &bad_name[..], &bad_name[..9], &bad_name[..1], b"GET / HTTP/1.1"] {
        let mut stream = TcpStream::connect(address).expect("a connection");
        stream.write_all(sent).expect("sent");
        if sent.len() == bad_name.len() {
            stream.set_read_timeout(Some(Duration::from_secs(1))).expect("a limit");
            // The answer does not matter: the connection is dropped.
            let _ = stream.read(&mut [0; 4]);
        }
    }
    let mut stream = TcpStream::connect(address).expect("a connection");
    let mut packet = bytes::BytesMut::new();
    Connect::new("a-well-behaved-one").write(&mut packet).expect("a packet");
    stream.write_all(&packet).expect("sent");
    stream.set_read_timeout(Some(Duration::from_secs(2))).expect("a limit");
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).expect("an answer at once");
    assert_eq!(answer, [0x20, 2, 0, 0]);
}
