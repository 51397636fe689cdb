//! The link loses, delays and swallows: real TCP over a real link, with the kernel's packet filter
//! as the fault. The machine's kernel need not have netem.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use intercom_test_support::certificates::{Authority, NOW};
use intercom_test_support::{
    Billing, Board, Broker, Directory, Fate, LAN, LIMIT, MacOwner, NEW, OLD, Relay, Watcher, Way,
    in_a_namespace, kernels_mac, lan, request,
};
use serde_json::json;

const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// How an acknowledgement begins.
const PUBACK: u8 = 0x40;

/// From now on packets that fit get lost at the far end of the panel's cable, both ways.
fn lose(fitting: &str) {
    nft("add table inet fault");
    for (hook, interface) in [("input", "iifname"), ("output", "oifname")] {
        nft(&format!("add chain inet fault {hook} {{ type filter hook {hook} priority 0; }}"));
        nft(&format!("add rule inet fault {hook} {interface} wall {fitting} drop"));
    }
}

fn heal() {
    nft("flush ruleset");
}

fn nft(command: &str) {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").expect("a PATH"));
    let done = Command::new("ip")
        .args(["netns", "exec", "lan", "nft", command])
        .env("PATH", path)
        .output()
        .expect("ip runs");
    let why = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "nft {command}: {why}; tests/run installs nftables");
}

fn board_with_a_short_keep_alive(broker: &Broker) -> Board {
    let board = Board::on_the_kernels_link("gate-1").with_mqtt(&broker.url());
    board.configure(&format!("keep_alive = {}", KEEP_ALIVE.as_secs()));
    board
}

#[test]
fn with_a_third_of_all_packets_lost_the_change_is_made_once() {
    in_a_namespace("link::with_a_third_of_all_packets_lost_the_change_is_made_once", || {
        lan();
        let broker = Broker::start_in("lan", LAN);
        let board = Board::on_the_kernels_link("gate-1").with_mqtt(&broker.url());
        lose("numgen random mod 100 < 30");
        let mut daemon = board.start();
        publish_from_the_lan(&broker);
        daemon.wait_for("the report has arrived");
        assert_eq!(kernels_mac(), NEW);
        let status = board.run(&["status", "--json"]).json();
        let counters = &status["counters"];
        assert_eq!(
            json!([counters["begun"], counters["installed"], counters["rolled_back"]]),
            json!([1, 1, 0])
        );
    });
}

/// Over the broker's own loopback, where nothing gets lost.
fn publish_from_the_lan(broker: &Broker) {
    let (host, port) = broker.address();
    let done = Command::new("ip")
        .args(["netns", "exec", "lan", "mosquitto_pub", "-h", &host, "-p", &port.to_string()])
        .args(["-q", "1", "-r", "-t", &format!("intercoms/{OLD}/patch/r-1")])
        .args(["-m", &request("r-1").to_string()])
        .status();
    assert!(done.expect("mosquitto_pub; tests/run installs it").success());
}

#[test]
fn a_broker_that_falls_silent_is_noticed_within_two_keep_alives_and_found_again() {
    in_a_namespace(
        "link::a_broker_that_falls_silent_is_noticed_within_two_keep_alives_and_found_again",
        || {
            lan();
            let broker = Broker::start_in("lan", LAN);
            let board = board_with_a_short_keep_alive(&broker);
            let mut daemon = board.start();
            board.wait_until_reached();
            lose("");
            let since = Instant::now();
            publish_from_the_lan(&broker);
            daemon.wait_for("connecting again");
            let took = since.elapsed();
            assert!(took <= 2 * KEEP_ALIVE + Duration::from_secs(1), "noticed after {took:?}");
            heal();
            daemon.wait_for("the report has arrived");
            assert_eq!(kernels_mac(), NEW);
        },
    );
}

#[test]
fn a_broker_that_vanished_without_a_word_is_noticed_within_two_keep_alives() {
    in_a_namespace(
        "link::a_broker_that_vanished_without_a_word_is_noticed_within_two_keep_alives",
        || {
            lan();
            let mut broker = Broker::start_in("lan", LAN);
            let board = board_with_a_short_keep_alive(&broker);
            let mut daemon = board.start();
            board.wait_until_reached();
            // Its machine loses power and starts again: the panel hears no FIN, and its end of the
            // connection stays open.
            lose("");
            broker.kill();
            broker.start_again();
            heal();
            let since = Instant::now();
            daemon.wait_for("connecting again");
            let took = since.elapsed();
            assert!(took <= 2 * KEEP_ALIVE + Duration::from_secs(1), "noticed after {took:?}");
            broker.process().wait_for("as gate-1");
            publish_from_the_lan(&broker);
            daemon.wait_for("the report has arrived");
        },
    );
}

#[test]
fn a_tls_handshake_that_is_swallowed_in_its_middle_ends_in_time() {
    in_a_namespace("link::a_tls_handshake_that_is_swallowed_in_its_middle_ends_in_time", || {
        lan();
        let (ours, dir) = (Authority::new("ours"), Directory::new());
        ours.issue(&LAN.to_string(), NOW, &dir.path().join("server"));
        let settings = "allow_anonymous true\ncertfile DIR/server.pem\nkeyfile DIR/server.key\n";
        let broker = Broker::start_from_in(dir, "lan", LAN, settings);
        let board =
            Board::on_the_kernels_link("gate-1").with_mqtt(&broker.url().replace("mqtt", "mqtts"));
        ours.save(&board.path("ca.pem"));
        let ca_file = board.path("ca.pem").display().to_string();
        board.configure(&format!("ca_file = \"{ca_file}\"\nconnect_timeout = 5"));
        // The client's hello passes; the certificate is larger and does not.
        lose("meta length > 600");
        let since = Instant::now();
        let mut daemon = board.start();
        daemon.wait_for("it did not answer in time");
        let took = since.elapsed();
        let limit = Duration::from_secs(5);
        assert!(limit <= took && took <= limit + Duration::from_secs(2), "after {took:?}");
        heal();
        board.wait_until_reached();
    });
}

#[test]
fn a_delay_of_two_seconds_each_way_is_borne_and_another_panel_is_still_noticed() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let late = Duration::from_secs(2);
    let relay = Relay::start(broker.address(), move |_, _| Fate::Late(late));
    let other = MacOwner::start(&broker, "gate-2", vec![NEW.to_owned()]);
    let url = format!("mqtt://127.0.0.1:{}", relay.port);
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&url);
    let mut daemon = board.start();
    let request = |id: &str, seq: u64| {
        let mut request = request(id);
        request["seq"] = seq.into();
        request.to_string()
    };
    watcher.retain(&format!("intercoms/{OLD}/patch/r-1"), request("r-1", 1));
    daemon.wait_for("deferred");
    assert_eq!(board.mac(), OLD);

    // Its higher `seq` ends the one that waits: it would be decided after it otherwise.
    drop(other);
    watcher.retain(&format!("intercoms/{OLD}/patch/r-1"), "");
    watcher.retain(&format!("intercoms/{OLD}/patch/r-2"), request("r-2", 2));
    while watcher.report(NEW)["request_id"] != "r-2" {}
    assert_eq!(board.mac(), NEW);
}

#[test]
fn a_delay_of_two_seconds_does_not_keep_billing_from_its_report() {
    let broker = Broker::start();
    let billing = Billing::start_on(&broker);
    billing.create_old();
    let late = Duration::from_secs(2);
    let relay = Relay::start(broker.address(), move |_, _| Fate::Late(late));
    let url = format!("mqtt://127.0.0.1:{}", relay.port);
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&url);
    let mut daemon = board.start();
    billing.replace_old();
    daemon.wait_for("the report has arrived");
    assert_eq!(billing.show(NEW).1["status"], "installed");
}

fn holds(piece: &[u8], part: &[u8]) -> bool {
    piece.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_report_that_a_broker_takes_and_never_acknowledges_goes_out_again_over_a_new_connection() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let (seen, lost) = (AtomicBool::new(false), AtomicBool::new(true));
    // Only the first report's acknowledgement is lost: nothing goes out while the presence waits for
    // its own. Pings are answered, so that the connection looks alive.
    let relay = Relay::start(broker.address(), move |way, piece| match way {
        Way::Up if holds(piece, b"rejected") && !seen.swap(true, Relaxed) => {
            lost.store(false, Relaxed);
            Fate::Pass
        }
        Way::Down if piece[0] == PUBACK && !lost.swap(true, Relaxed) => Fate::Swallowed,
        Way::Up | Way::Down => Fate::Pass,
    });
    let board = Board::sandboxed("gate-1", OLD);
    let board = board.with_mqtt(&format!("mqtt://127.0.0.1:{}", relay.port));
    board.configure("keep_alive = 5\nconnect_timeout = 5");
    let mut daemon = board.start();
    board.wait_until_reached();
    let wrong = json!({"request_id": "r-1", "mac": OLD, "new_mac": NEW, "model": "another"});
    watcher.publish(&format!("intercoms/{OLD}/patch/r-1"), wrong.to_string());
    assert_eq!(watcher.report(OLD)["status"], "rejected");
    daemon.wait_for("has not acknowledged a message within 15 s");
    assert_eq!(watcher.report(OLD)["status"], "rejected", "told again");
    let end = Instant::now() + LIMIT;
    while board.run(&["status", "--json"]).json()["unreported"] != 0 {
        assert!(Instant::now() < end, "the report is never done with");
    }
}
