//! A broker with several URLs: they are tried in turn, and a panel goes on at the next one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use intercom_test_support::certificates::Authority;
use intercom_test_support::{Board, Broker, Directory, NEW, OLD, Watcher, free_port, request};
use serde_json::json;

/// Waits while a change is applied.
const HOOK: &str = "#!/bin/sh\n[ \"$INTERCOM_PHASE\" != ready ] || exit 0\n";

fn nobody() -> String {
    format!("mqtt://127.0.0.1:{}", free_port())
}

fn on(brokers: &[&Broker]) -> Board {
    let urls: Vec<String> = brokers.iter().map(|broker| broker.url()).collect();
    Board::sandboxed("gate-1", OLD).with_brokers(&urls)
}

/// Where the panel is connected to.
fn server(board: &Board) -> String {
    board.wait_until_reached();
    let status = board.run(&["status", "--json"]).json();
    status["routes"][0]["server"].as_str().expect("a URL").to_owned()
}

#[test]
fn a_url_where_nobody_listens_costs_a_short_pause_and_is_named() {
    let broker = Broker::start();
    let urls = [nobody(), nobody(), broker.url()];
    let board = Board::sandboxed("gate-1", OLD).with_brokers(&urls);
    let since = Instant::now();
    let mut daemon = board.start();
    assert_eq!(server(&board), broker.url());
    assert!(since.elapsed() < Duration::from_secs(6), "{:?}", since.elapsed());
    for url in &urls[..2] {
        let line = daemon.wait_for("connecting again");
        assert!(line.contains(&format!("{url}: at ")), "{line}");
    }
    let words = board.run(&["status"]).out;
    let reached = format!(" at {}; ", broker.url());
    let missed = format!(" s ago: {}: at ", urls[1]);
    assert!(words.contains(&reached) && words.contains(&missed), "{words}");
}

#[test]
fn a_panel_goes_to_the_next_broker_in_mid_change_and_reports_there() {
    let (mut first, second) = (Broker::start(), Broker::start());
    let (asks, hears) = (Watcher::new(&first), Watcher::new(&second));
    let board = on(&[&first, &second]);
    let go = board.path("go").display().to_string();
    board.write("hooks/10-wait", format!("{HOOK}until [ -e {go} ]; do sleep 0.1; done\n"));
    let executable = fs::Permissions::from_mode(0o700);
    fs::set_permissions(board.path("hooks/10-wait"), executable).expect("an executable");
    let mut daemon = board.start();
    assert_eq!(server(&board), first.url());
    asks.publish("intercoms/by-board/gate-1/patch/r-1", request("r-1").to_string());
    daemon.wait_for("changing from");
    first.kill();
    board.write("go", "");
    let report = hears.report(NEW);
    assert_eq!(json!([report["status"], report["request_id"]]), json!(["installed", "r-1"]));
    daemon.wait_for("the report has arrived");
    assert_eq!((server(&board), board.mac()), (second.url(), NEW.to_owned()));
}

#[test]
fn behind_the_last_broker_comes_the_first_again() {
    let (mut first, mut second) = (Broker::start(), Broker::start());
    let board = on(&[&first, &second]);
    let _daemon = board.start();
    assert_eq!(server(&board), first.url());
    first.kill();
    second.process().wait_for("as gate-1");
    first.start_again();
    second.kill();
    first.process().wait_for("as gate-1");
    assert_eq!(server(&board), first.url());
}

#[test]
fn the_certificate_of_each_broker_is_for_the_host_of_its_own_url() {
    let ours = Authority::new("ours");
    let start = |host: &str| {
        let dir = Directory::new();
        ours.issue(host, (2000, 2100), &dir.path().join("server"));
        let settings = "allow_anonymous true\ncertfile DIR/server.pem\nkeyfile DIR/server.key\n";
        let broker = Broker::start_from(dir, settings);
        let url = format!("mqtts://{host}:{}", broker.address().1);
        (broker, url)
    };
    let ((mut first, localhost), (_second, address)) = (start("localhost"), start("127.0.0.1"));
    let urls = [localhost, address];
    let board = Board::sandboxed("gate-1", OLD).with_brokers(&urls);
    ours.save(&board.path("ca.pem"));
    board.configure("ca_file = \"/ca.pem\"");
    let mut daemon = board.start();
    assert_eq!(server(&board), urls[0]);
    first.kill();
    daemon.wait_for("connecting again");
    assert_eq!(server(&board), urls[1]);
}

#[test]
fn netcheck_and_doctor_go_the_way_to_each_broker() {
    let broker = Broker::start();
    let urls = [nobody(), broker.url()];
    let board = Board::sandboxed("gate-1", OLD).with_brokers(&urls);
    let worst_of = |answer: intercom_test_support::Answer| {
        let told = answer.json();
        let ways = told["routes"].as_array().expect("ways").clone();
        let ends = ways.iter().map(|way| {
            let last = way["legs"].as_array().and_then(|legs| legs.last()).expect("a leg");
            json!([way["server"], last["leg"], last["state"]])
        });
        (answer.code, ends.collect::<Vec<_>>())
    };
    let (dead, alive) = (&urls[0], &urls[1]);
    let alone = worst_of(board.run(&["netcheck", "--json"]));
    assert_eq!(alone, (5, vec![json!([dead, "tcp", "failed"]), json!([alive, "topics", "ok"])]));
    let doctor = board.run(&["doctor"]).out;
    assert!(
        doctor.contains(&format!("can be reached over MQTT at {alive}; not over MQTT at")),
        "{doctor}"
    );
    let _daemon = board.start();
    board.wait_until_reached();
    let beside = worst_of(board.run(&["netcheck", "--json"]));
    assert_eq!(beside, (5, vec![json!([dead, "tcp", "failed"]), json!([alive, "daemon", "ok"])]));
    let doctor = board.run(&["doctor"]).out;
    assert!(doctor.contains(&format!("reached over MQTT at {alive}")), "{doctor}");
}
