//! A broker whose name has two addresses, the first of which leads nowhere.

use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{io, thread};

use intercom_test_support::{Billing, Board, Broker, OLD, curl, in_a_namespace, ip};

fn run(program: &str, arguments: &[&str]) {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").expect("a PATH"));
    let done = Command::new(program).args(arguments).env("PATH", path).output().expect("it runs");
    let why = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{program} {arguments:?}: {why}");
}

/// `broker.example` has these addresses, in this namespace alone.
fn name(addresses: &[&str]) {
    let lines: String =
        addresses.iter().map(|address| format!("{address} broker.example\n")).collect();
    std::fs::write("/run/hosts", lines).expect("/run is this namespace's own");
    run("mount", &["--bind", "/run/hosts", "/etc/hosts"]);
}

/// What goes there gets lost.
fn silence(address: &str, port: u16) {
    run("nft", &["add table inet fault"]);
    run("nft", &["add chain inet fault out { type filter hook output priority 0; }"]);
    let rule = format!("add rule inet fault out ip daddr {address} tcp dport {port} drop");
    run("nft", &[&rule]);
}

/// The broker at this address too; at which port.
fn at(address: &str, broker: &Broker) -> u16 {
    let listener = TcpListener::bind((address, 0)).expect("a port");
    let (port, broker) = (listener.local_addr().expect("an address").port(), broker.address());
    thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let far = TcpStream::connect(&broker).expect("a broker");
            for (mut from, mut to) in
                [(near.try_clone().expect("a copy"), far.try_clone().expect("a copy")), (far, near)]
            {
                thread::spawn(move || io::copy(&mut from, &mut to));
            }
        }
    });
    port
}

/// A broker at the second address of its name, whose first one does not answer; its port.
fn behind_a_silent_address(broker: &Broker) -> u16 {
    let port = at("127.0.0.2", broker);
    // The resolver puts 127.0.0.1 first, whose prefix is its source's.
    name(&["127.0.0.1", "127.0.0.2"]);
    silence("127.0.0.1", port);
    port
}

fn board(port: u16, limit: Duration) -> Board {
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&format!("mqtt://broker.example:{port}"));
    board.configure(&format!("connect_timeout = {}", limit.as_secs()));
    board
}

#[test]
fn a_silent_address_delays_the_connection_by_a_quarter_of_a_second() {
    let test = "addresses::a_silent_address_delays_the_connection_by_a_quarter_of_a_second";
    in_a_namespace(test, || {
        ip("link set lo up");
        let broker = Broker::start();
        let port = behind_a_silent_address(&broker);
        let board = board(port, Duration::from_secs(30));
        let since = Instant::now();
        let mut daemon = board.start();
        board.wait_until_reached();
        let took = since.elapsed();
        let delay = Duration::from_millis(250);
        assert!(delay <= took && took < delay + Duration::from_secs(5), "{took:?}");
        let said = daemon.said().join("\n");
        assert!(!said.contains("connecting again"), "{said}");
    });
}

#[test]
fn a_silent_address_does_not_keep_billing_from_its_broker() {
    let test = "addresses::a_silent_address_does_not_keep_billing_from_its_broker";
    in_a_namespace(test, || {
        ip("link set lo up");
        let broker = Broker::start();
        let port = behind_a_silent_address(&broker);
        let mut billing = Billing::start_at(&format!("mqtt://broker.example:{port}"));
        let ready = |billing: &Billing| curl("GET", &format!("{}/readyz", billing.url), b"");
        let is_ready = |billing: &Billing| ready(billing).0 == 200;
        assert!(billing.comes_to(Duration::from_secs(5), is_ready), "{:?}", ready(&billing));
    });
}

/// The first address of the host, as the resolver orders them, is of the other family.
#[test]
fn a_family_that_leads_nowhere_delays_the_connection_by_a_quarter_of_a_second() {
    let test =
        "addresses::a_family_that_leads_nowhere_delays_the_connection_by_a_quarter_of_a_second";
    in_a_namespace(test, || {
        ip("link set lo up");
        ip("address add fd00::1/64 dev lo nodad");
        let broker = Broker::start();
        let port = at("127.0.0.2", &broker);
        name(&["fd00::1", "127.0.0.2"]);
        run("nft", &["add table inet fault"]);
        run("nft", &["add chain inet fault out { type filter hook output priority 0; }"]);
        run("nft", &["add rule inet fault out ip6 daddr fd00::1 tcp dport 1-65535 drop"]);
        let board = board(port, Duration::from_secs(30));
        let since = Instant::now();
        let _daemon = board.start();
        board.wait_until_reached();
        assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    });
}

#[test]
fn each_address_that_does_not_answer_is_named_with_its_cause() {
    let test = "addresses::each_address_that_does_not_answer_is_named_with_its_cause";
    in_a_namespace(test, || {
        ip("link set lo up");
        name(&["127.0.0.2", "127.0.0.3"]);
        silence("127.0.0.2", 1883);
        let mut daemon = board(1883, Duration::from_secs(5)).start();
        let line = daemon.wait_for("connecting again");
        for part in [
            "at 127.0.0.2:1883: it did not answer in time",
            "at 127.0.0.3:1883: nothing listens there",
        ] {
            assert!(line.contains(part), "{line}");
        }
    });
}

#[test]
fn an_address_that_is_connected_to_and_says_nothing_is_not_the_first_the_next_time() {
    let test = "addresses::an_address_that_is_connected_to_and_says_nothing_is_not_the_first_the_next_time";
    in_a_namespace(test, || {
        ip("link set lo up");
        let broker = Broker::start();
        let port = at("127.0.0.2", &broker);
        name(&["127.0.0.1", "127.0.0.2"]);
        let _mute = TcpListener::bind(("127.0.0.1", port)).expect("a port");
        let board = board(port, Duration::from_secs(5));
        let _daemon = board.start();
        board.wait_until_reached();
    });
}
