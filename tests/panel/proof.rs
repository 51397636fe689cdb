//! `installed` is proven at both ends of `settle`, and never after the deadline.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use intercom_test_support::{
    Board, Broker, Fate, LIMIT, Listener, OLD, Process, Relay, Watcher, Way, request,
};

/// A board with little time to confirm a change.
fn in_a_hurry(url: &str, settle: u32) -> Board {
    let board = Board::sandboxed("gate-1", OLD);
    let config = board.read("etc/intercom-agent.toml");
    let config = config.replace("confirm_within = 60", "confirm_within = 10");
    let config = config.replace("settle = 1", &format!("settle = {settle}"));
    board.write("etc/intercom-agent.toml", config);
    board.with_mqtt(url)
}

/// The change was taken back for this reason, and was never confirmed.
fn is_rolled_back(board: &Board, daemon: &mut Process, why: &str) {
    let said = daemon.wait_for("rolling back");
    assert!(said.contains(why), "{said}");
    let said = daemon.said();
    assert!(!said.iter().any(|line| line.contains("confirmed and durable")), "{said:?}");
    let status = board.run(&["status", "--json"]).json();
    assert_eq!((board.mac().as_str(), &status["current"]["mac"]), (OLD, &OLD.into()));
    assert_eq!(status["outcomes"][0]["report"]["status"], "rolled_back");
}

#[test]
fn a_path_that_goes_silent_during_settle_confirms_nothing() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    // When the panel connected for the second time, under the new identity.
    let connects = Mutex::new(Vec::new());
    let relay = Relay::start(broker.address(), move |way, piece| {
        let mut connects = connects.lock().expect("nobody panics with it");
        // A CONNECT is the first packet on a connection, and a piece of its own.
        if way == Way::Up && piece.first() == Some(&0x10) {
            connects.push(Instant::now());
        }
        let second: Option<&Instant> = connects.get(1);
        match second.is_some_and(|at| at.elapsed() > Duration::from_secs(1)) {
            true => Fate::Swallowed,
            false => Fate::Pass,
        }
    });
    let board = in_a_hurry(&format!("mqtt://127.0.0.1:{}", relay.port), 3);
    let mut daemon = board.start();
    watcher.online(OLD, "gate-1");
    watcher.publish(&format!("intercoms/{OLD}/patch/r-1"), request("r-1").to_string());
    daemon.wait_for("watching it for");
    is_rolled_back(&board, &mut daemon, "the broker does not give the panel's own messages back");
}

/// The daemon is stopped during `settle` and woken after the deadline, when this long has passed.
fn woken_late(asleep: Duration, broker_stays: bool) {
    let mut broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let board = in_a_hurry(&broker.url(), 5);
    let mut daemon = board.start();
    watcher.online(OLD, "gate-1");
    watcher.publish(&format!("intercoms/{OLD}/patch/r-1"), request("r-1").to_string());
    daemon.wait_for("watching it for");
    daemon.stop();
    if !broker_stays {
        broker.kill();
    }
    // Only time can do this: the deadline is on the kernel's clock.
    thread::sleep(asleep);
    daemon.go_on();
    is_rolled_back(&board, &mut daemon, "could not be reached under the new identity in time");
    if broker_stays {
        daemon.wait_for("the report has arrived");
    }
}

#[test]
fn nothing_is_confirmed_after_the_deadline_however_late_the_process_is_woken() {
    thread::scope(|scope| {
        for (asleep, broker_stays) in [(18, true), (18, false), (62, false)] {
            scope.spawn(move || woken_late(Duration::from_secs(asleep), broker_stays));
        }
    });
}

#[test]
fn the_reason_says_what_went_wrong_last_on_the_way_upstream() {
    let mut broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let board = in_a_hurry(&broker.url(), 5);
    let mut daemon = board.start();
    watcher.online(OLD, "gate-1");
    watcher.publish(&format!("intercoms/{OLD}/patch/r-1"), request("r-1").to_string());
    daemon.wait_for("watching it for");
    broker.kill();
    let url = broker.url();
    let why = format!("over MQTT: {url}: at {}: nothing listens there", &url["mqtt://".len()..]);
    is_rolled_back(&board, &mut daemon, &why);
    let status = board.run(&["status", "--json"]).json();
    let reason = &status["outcomes"][0]["report"]["reason"];
    assert!(reason.as_str().is_some_and(|reason| reason.contains(&why)), "{reason}");
}

#[test]
fn a_broker_that_comes_back_in_time_is_asked_who_has_the_new_mac() {
    let mut broker = Broker::start();
    let service = Listener::start();
    let watcher = Watcher::new(&broker);
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url()).with_polling(&service.url);
    let mut daemon = board.start();
    watcher.online(OLD, "gate-1");
    watcher.publish(&format!("intercoms/{OLD}/patch/r-1"), request("r-1").to_string());
    daemon.wait_for("the board now carries");
    broker.kill();
    let until = Instant::now() + LIMIT;
    let proving = "proving that the new connection still works";
    while board.run(&["status", "--json"]).json()["change"]["stage"] != proving {
        assert!(Instant::now() < until, "the service does not confirm the change");
    }
    broker.start_again();
    daemon.wait_for("confirmed and durable");
}
