//! Where there are no passwords: what then holds by first sight, and what does not. On mosquitto, on
//! NATS, and on the built-in broker.

use std::any::Any;

use intercom_test_support::{Billing, Board, Broker, LIMIT, NEW, OLD, Watcher, free_port, request};
use serde_json::{Value, json};

use crate::fleet::request_topic;
use crate::nats::Nats;
use crate::neighbour::{installed, until_installed};
use crate::signer::Signer;

/// Billing with a broker that lets everybody do everything, and somebody on it.
struct Open {
    billing: Billing,
    stranger: Watcher,
    url: String,
    /// The server, which ends with this.
    _broker: Option<Box<dyn Any>>,
}

impl Open {
    /// One for each broker.
    fn all() -> [Self; 3] {
        let (mosquitto, nats) = (Broker::start(), Nats::start());
        [
            Self::on(mosquitto.address(), Box::new(mosquitto)),
            Self::on(nats.address(), Box::new(nats)),
            Self::built_in(),
        ]
    }

    fn on(address: (String, u16), broker: Box<dyn Any>) -> Self {
        let url = format!("mqtt://{}:{}", address.0, address.1);
        let stranger = Watcher::at(address);
        let billing = Billing::start_at(&url);
        // From now on it believes whichever board says that it is there.
        stranger.wait_for("billing's question", |message| message.topic == "intercoms/who");
        Open { billing, stranger, url, _broker: Some(broker) }
    }

    fn built_in() -> Self {
        let port = free_port();
        let billing = Billing::start_with_panels_at(port);
        let stranger = Watcher::at(("127.0.0.1".to_owned(), port));
        Open { billing, stranger, url: format!("mqtt://127.0.0.1:{port}"), _broker: None }
    }

    fn claims(&self, board: &str, mac: &str) {
        let presence = json!({"state": "online", "board": board, "mac": mac, "nonce": "n-1"});
        let topic = format!("intercoms/by-board/{board}/presence");
        self.stranger.publish(&topic, presence.to_string());
    }

    /// What billing offers to this board.
    fn offered_to(&self, board: &str) -> Value {
        let own = format!("intercoms/by-board/{board}/patch/");
        let offered = |payload: &[u8]| serde_json::from_slice(payload).ok();
        let message = self.stranger.wait_for("the request", |message| {
            message.topic.starts_with(&own)
                && offered(&message.payload).is_some_and(|_: Value| true)
        });
        offered(&message.payload).expect("JSON")
    }
}

#[test]
fn without_passwords_a_mac_address_stays_with_the_board_that_was_first_seen_with_it() {
    for mut site in Open::all() {
        site.billing.create_old();
        site.claims("gate-2", NEW);
        site.claims("thief", NEW);
        site.billing.replace_old();
        site.offered_to("gate-2");
        let listed = site.billing.call("GET", "/api/v1/agent/requests", json!(null)).1;
        assert_eq!(listed[0]["offered_to"], json!(["gate-2"]));
        let is_asked = site.billing.comes_to(LIMIT, |billing| {
            let waits = billing.call("GET", "/api/v1/agent/decisions", json!(null)).1;
            let text = waits[0]["text"].as_str().unwrap_or_default();
            text.starts_with("Board thief claims") && text.contains("first seen on board gate-2")
        });
        assert!(is_asked, "an operator is asked");
    }
}

/// A limit: a board's name is what its password would prove.
#[test]
fn without_passwords_whoever_names_another_board_speaks_as_it() {
    for site in Open::all() {
        site.billing.create_old();
        site.claims("gate-2", NEW);
        site.billing.replace_old();
        let request = site.offered_to("gate-2");
        site.stranger
            .publish("intercoms/by-board/gate-2/status", installed(&request["request_id"]));
        until_installed(&site.billing);
    }
}

/// A limit: the first claim of a MAC address that nobody has seen is believed, whoever makes it.
#[test]
fn without_passwords_the_first_who_claims_a_mac_address_that_nobody_has_seen_is_offered_it() {
    for site in Open::all() {
        site.billing.create_old();
        site.claims("thief", NEW);
        site.billing.replace_old();
        let request = site.offered_to("thief");
        assert_eq!(request["new_mac"], NEW);
    }
}

#[test]
fn without_passwords_a_panel_that_requires_signatures_is_still_changed_by_nobody() {
    for site in Open::all() {
        let key = Signer::new(1);
        let board = Board::sandboxed("gate-1", OLD).with_mqtt(&site.url);
        key.required_by(&board);
        let mut daemon = board.start();
        board.wait_until_reached();
        site.stranger.publish(&request_topic("r-1"), request("r-1").to_string());
        let mut other = request("r-2");
        other["seq"] = json!(1);
        site.stranger.publish(&request_topic("r-2"), Signer::new(2).sign(&other));
        daemon.wait_for("a request was ignored: it must be signed");
        daemon.wait_for("a request was ignored: it is signed badly");
        let status = board.run(&["status", "--json"]).json();
        let ignored = status["ignored"].to_string();
        assert_eq!(status["counters"]["begun"], 0);
        assert_eq!(status["counters"]["ignored"], 2, "{ignored}");
        assert_eq!(board.mac(), OLD);
    }
}
