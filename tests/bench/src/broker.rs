//! A mosquitto at the other end of the cable, and a subscriber beside it that also publishes.

use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use intercom_test_support::{Broker as Mosquitto, Directory, LAN};
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
use serde_json::Value;

use crate::Outcome;
use crate::lan::go_to_the_other_end;

const LIMIT: Duration = Duration::from_secs(30);

pub struct Broker {
    _broker: Mosquitto,
    client: Client,
    reports: Receiver<(Instant, Value)>,
}

impl Broker {
    pub fn start() -> Outcome<Self> {
        let settings = "allow_anonymous true\npersistence false\nset_tcp_nodelay true";
        let broker = Mosquitto::start_from_in(Directory::new(), "lan", LAN, settings);
        let mut options = MqttOptions::new("operator", LAN.to_string(), 1883);
        options.set_max_packet_size(1 << 20, 1 << 20);
        let (client, mut connection) = Client::new(options, 64);
        let (send, reports) = channel();
        let (subscribed, is_subscribed) = channel();
        thread::spawn(move || {
            if let Err(why) = go_to_the_other_end() {
                return eprintln!("the operator cannot get to the broker: {why}");
            }
            for event in connection.iter() {
                match event {
                    Ok(Event::Incoming(Packet::Publish(message))) => {
                        let now = Instant::now();
                        if let Ok(report) = serde_json::from_slice(&message.payload) {
                            let _ = send.send((now, report));
                        }
                    }
                    Ok(Event::Incoming(Packet::SubAck(_))) => {
                        let _ = subscribed.send(());
                    }
                    Ok(_) => {}
                    // Whoever waits for a report says that there is none.
                    Err(_) => return,
                }
            }
        });
        client.subscribe("intercoms/by-board/+/status", QoS::AtLeastOnce)?;
        is_subscribed.recv_timeout(LIMIT).map_err(|_| "mosquitto does not answer")?;
        Ok(Broker { _broker: broker, client, reports })
    }

    pub fn publish(&self, topic: &str, payload: &Value) -> Outcome<()> {
        Ok(self.client.publish(topic, QoS::AtLeastOnce, false, payload.to_string())?)
    }

    /// When the report of this request came. It must say `installed`.
    pub fn installed(&self, request_id: &str) -> Outcome<Instant> {
        loop {
            let (at, report) = self.reports.recv_timeout(LIMIT).map_err(|_| "no report")?;
            if report["request_id"] == request_id {
                return match report["status"] == "installed" {
                    true => Ok(at),
                    false => Err(format!("it ended otherwise: {report}").into()),
                };
            }
        }
    }
}
