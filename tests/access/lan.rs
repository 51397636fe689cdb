//! What somebody on the way between the panel and the broker can do.

use std::sync::{Arc, Mutex};

use intercom_test_support::{Board, Broker, Fate, NEW, OLD, Relay, Watcher, request};

use crate::fleet::{Fleet, password, request_topic};

/// Makes a change through somebody who notes everything; what they have noted.
fn overheard(fleet: &Fleet, port: u16, scheme: &str) -> (Board, Vec<u8>) {
    let notes = Arc::new(Mutex::new(Vec::new()));
    let noting = notes.clone();
    let relay = Relay::start(("127.0.0.1".to_owned(), port), move |_, piece| {
        noting.lock().expect("nobody panics with it").extend_from_slice(piece);
        Fate::Pass
    });
    let url = format!("{scheme}://localhost:{}", relay.port);
    let board = fleet.panel_at("gate-1", OLD, &url);
    let mut daemon = board.start();
    board.wait_until_reached();
    let watcher = fleet.watcher();
    watcher.publish(&request_topic("r-1"), request("r-1").to_string());
    daemon.wait_for("the report has arrived");
    let notes = notes.lock().expect("nobody panics with it").clone();
    (board, notes)
}

fn holds(notes: &[u8], text: &str) -> bool {
    notes.windows(text.len()).any(|bytes| bytes == text.as_bytes())
}

#[test]
fn without_tls_the_lan_reads_the_password_and_the_requests() {
    let fleet = Fleet::start();
    let (_, port) = fleet.broker.address();
    let (_board, notes) = overheard(&fleet, port, "mqtt");
    assert!(holds(&notes, &password("gate-1")) && holds(&notes, NEW));
}

#[test]
fn over_tls_it_reads_neither() {
    let fleet = Fleet::start();
    let (board, notes) = overheard(&fleet, fleet.tls_port, "mqtts");
    assert_eq!(board.mac(), NEW);
    assert!(!notes.is_empty());
    assert!(!holds(&notes, &password("gate-1")) && !holds(&notes, NEW) && !holds(&notes, OLD));
}

/// Whoever answers for the broker's name (DHCP, DNS, ARP) is the broker to a panel without TLS.
#[test]
fn a_false_broker_without_tls_changes_a_panel_that_requires_no_signature() {
    let fleet = Fleet::start();
    let false_broker = Broker::start();
    let board = fleet.panel_at("gate-1", OLD, &false_broker.url());
    let mut daemon = board.start();
    board.wait_until_reached();
    let liar = Watcher::new(&false_broker);
    liar.publish(&request_topic("r-1"), request("r-1").to_string());
    daemon.wait_for("confirmed and durable");
    assert_eq!(board.mac(), NEW);
}
