//! The broker is killed in every phase of a change and comes back, once with what it had saved and
//! once with nothing. Billing and the panel must come to the same end all the same.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use intercom_test_support::{Billing, Board, Broker, Fate, LIMIT, NEW, OLD, Process, Relay, Way};
use serde_json::{Value, json};

/// It saves every change at once: what it loses all the same it had not acknowledged.
const SAVING: &str = "allow_anonymous true\nlog_type all\npersistence true\npersistence_location DIR/\n\
                      autosave_on_changes true\nautosave_interval 1\n";

/// Notes each run, and goes on when it may.
const HOOK: &str = "#!/bin/sh\n[ \"$INTERCOM_PHASE\" != ready ] || exit 0\necho \"$INTERCOM_PHASE $INTERCOM_NEW_MAC\" >>DIR/hook-runs\n\
                    n=0\nuntil [ -e DIR/go ] || [ $n -ge 200 ]; do n=$((n + 1)); sleep 0.1; done\n";

/// There are two cores for all of this.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

struct Scene {
    broker: Broker,
    billing: Billing,
    board: Board,
    daemon: Process,
}

impl Scene {
    /// A PATCH was sent, and the panel is about to hear of it.
    fn new() -> Self {
        Self::behind(|_, _| Fate::Pass)
    }

    /// The same, with somebody between the panel and the broker.
    fn behind(fate: impl Fn(Way, &[u8]) -> Fate + Send + Sync + 'static) -> Self {
        let mut broker = Broker::start_with(SAVING);
        let billing = Billing::start_on(&broker);
        billing.create_old();
        let url = format!("mqtt://127.0.0.1:{}", Relay::start(broker.address(), fate).port);
        let board = Board::sandboxed("gate-1", OLD).with_mqtt(&url);
        let dir = board.path("").display().to_string();
        board.write("hooks/10-note", HOOK.replace("DIR", dir.trim_end_matches('/')));
        let executable = fs::Permissions::from_mode(0o700);
        fs::set_permissions(board.path("hooks/10-note"), executable).expect("an executable");
        let daemon = board.start();
        broker.process().wait_for(
            "Received PUBLISH from gate-1 (d0, q1, r1, m2, 'intercoms/by-board/gate-1/presence",
        );
        billing.replace_old();
        Scene { broker, billing, board, daemon }
    }

    fn let_the_hook_end(&self) {
        self.board.write("go", "");
    }

    fn comes_back(&mut self, with: Saved) {
        if with == Saved::Lost {
            fs::remove_file(self.broker.directory().join("mosquitto.db")).expect("it had saved");
        }
        self.broker.start_again();
    }

    /// Nothing was lost and nothing was done twice.
    fn ends_well(mut self) {
        self.let_the_hook_end();
        let end = Instant::now() + LIMIT;
        loop {
            let (_, shown) = self.billing.show(NEW);
            let status = self.board.run(&["status", "--json"]).json();
            if shown["status"] == "installed"
                && status["unreported"] == 0
                && status["reached"] != json!([])
            {
                assert_eq!((&status["change"], &status["waiting"]), (&Value::Null, &json!(0)));
                let counters = &status["counters"];
                assert_eq!(
                    json!([counters["begun"], counters["installed"], counters["rolled_back"]]),
                    json!([1, 1, 0]),
                    "{status}"
                );
                break;
            }
            assert!(Instant::now() < end, "billing shows {shown}, the panel {status}");
            thread::sleep(BETWEEN_LOOKS);
        }
        assert_eq!(self.board.mac(), NEW);
        assert_eq!(self.board.read("hook-runs"), format!("apply {NEW}\n"));
        assert!(self.daemon.is_running());
    }
}

/// What the broker has left of what it had saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Saved {
    Kept,
    Lost,
}

/// Both, side by side.
fn whatever_it_had_saved(run: impl Fn(Saved) + Sync) {
    thread::scope(|scope| {
        scope.spawn(|| run(Saved::Kept));
        scope.spawn(|| run(Saved::Lost));
    });
}

#[test]
fn the_broker_dies_when_it_has_sent_the_request_and_nobody_has_acknowledged_it() {
    whatever_it_had_saved(|saved| {
        let mut scene = Scene::new();
        scene.let_the_hook_end();
        let broker = scene.broker.process();
        broker.wait_for("'intercoms/by-board/gate-1/patch/");
        broker.wait_for("Sending PUBLISH to gate-1");
        scene.broker.kill();
        scene.comes_back(saved);
        scene.ends_well();
    });
}

#[test]
fn the_broker_dies_when_the_change_begins() {
    whatever_it_had_saved(|saved| {
        let mut scene = Scene::new();
        scene.let_the_hook_end();
        scene.daemon.wait_for("changing from");
        scene.broker.kill();
        scene.comes_back(saved);
        scene.ends_well();
    });
}

#[test]
fn the_broker_dies_and_comes_back_while_a_hook_runs() {
    whatever_it_had_saved(|saved| {
        let mut scene = Scene::new();
        scene.daemon.wait_for("the board now carries");
        scene.broker.kill();
        scene.comes_back(saved);
        scene.ends_well();
    });
}

#[test]
fn the_broker_is_away_when_the_panel_wants_to_confirm() {
    whatever_it_had_saved(|saved| {
        let mut scene = Scene::new();
        scene.daemon.wait_for("the board now carries");
        scene.broker.kill();
        scene.let_the_hook_end();
        // The first is the old connection's end, the second a new one's.
        scene.daemon.wait_for("connecting again");
        scene.daemon.wait_for("connecting again");
        scene.comes_back(saved);
        scene.ends_well();
    });
}

#[test]
fn the_broker_dies_while_the_new_connection_is_watched() {
    whatever_it_had_saved(|saved| {
        let mut scene = Scene::new();
        scene.let_the_hook_end();
        scene.daemon.wait_for("watching it for");
        scene.broker.kill();
        scene.daemon.wait_for("the new connection over MQTT was lost");
        scene.comes_back(saved);
        scene.ends_well();
    });
}

#[test]
fn the_broker_dies_when_the_change_is_durable() {
    whatever_it_had_saved(|saved| {
        let mut scene = Scene::new();
        scene.let_the_hook_end();
        scene.daemon.wait_for("confirmed and durable");
        scene.broker.kill();
        scene.comes_back(saved);
        scene.ends_well();
    });
}

#[test]
fn the_broker_dies_when_it_has_the_report_and_its_acknowledgement_is_on_the_way() {
    whatever_it_had_saved(|saved| {
        let holding = Arc::new(AtomicBool::new(false));
        let (holds, seen) = (holding.clone(), AtomicBool::new(false));
        let mut scene = Scene::behind(move |way, piece| {
            let report = "intercoms/by-board/gate-1/status";
            let has_it = piece.windows(report.len()).any(|bytes| bytes == report.as_bytes());
            if way == Way::Up && has_it && !seen.swap(true, Ordering::Relaxed) {
                holds.store(true, Ordering::Relaxed);
            }
            match (way, holds.load(Ordering::Relaxed)) {
                (Way::Down, true) => Fate::Swallowed,
                _ => Fate::Pass,
            }
        });
        scene.let_the_hook_end();
        let broker = scene.broker.process();
        broker.wait_for("'intercoms/by-board/gate-1/status'");
        broker.wait_for("Sending PUBACK to gate-1");
        scene.broker.kill();
        scene.daemon.wait_for("connecting again");
        holding.store(false, Ordering::Relaxed);
        scene.comes_back(saved);
        // In this order: not before the connection was lost.
        scene.daemon.wait_for("the report has arrived");
        scene.ends_well();
    });
}

#[test]
fn the_broker_dies_when_it_has_acknowledged_the_report() {
    whatever_it_had_saved(|saved| {
        let mut scene = Scene::new();
        scene.let_the_hook_end();
        scene.daemon.wait_for("the report has arrived");
        scene.broker.kill();
        scene.comes_back(saved);
        scene.ends_well();
    });
}
