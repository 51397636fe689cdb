//! The replacement on the wall: a board that already is what billing wants, while the old panel is
//! still powered somewhere.

use std::collections::BTreeMap;
use std::time::Instant;

use intercom_test_support::{Billing, Board, Broker, LIMIT, NEW, OLD, Watcher};
use serde_json::json;

fn without_runtime_files(
    board: &Board,
) -> BTreeMap<std::path::PathBuf, impl PartialEq + std::fmt::Debug + use<>> {
    let mut files = board.files();
    // On a panel these are in memory; they tell the ID, which the request has taught.
    files.retain(|path, _| !path.starts_with(board.path("run")));
    files
}

#[test]
fn the_spare_is_already_installed_and_the_old_panel_keeps_its_mac() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let billing = Billing::start_on(&broker);
    let id = billing.create_old();
    let old = Board::sandboxed("old-board", OLD).with_mqtt(&broker.url());
    let mut old_daemon = old.start();
    watcher.online(OLD, "old-board");
    let spare = Board::sandboxed("spare-board", NEW).with_mqtt(&broker.url());
    spare.write("etc/serial", "NEW-1\n");
    let mut daemon = spare.start();
    watcher.online(NEW, "spare-board");
    let before = without_runtime_files(&spare);

    billing.replace_old();
    let report = watcher.report(NEW);
    assert_eq!(
        json!([
            report["status"],
            report["source"],
            report["mac"],
            report["serial_number"],
            report["board"]
        ]),
        json!(["installed", "auto-replace", NEW, "NEW-1", "spare-board"])
    );
    assert_eq!(report["previous"], json!({"mac": NEW, "serial_number": "NEW-1"}));
    daemon.wait_for("the report has arrived");
    assert_eq!(without_runtime_files(&spare), before, "nothing was written to the board");
    let status = spare.run(&["status", "--json"]).json();
    assert_eq!(
        (&status["counters"]["begun"], &status["counters"]["confirmed"]),
        (&json!(0), &json!(1))
    );

    // An empty payload says that billing has the report.
    let of_spare = "intercoms/by-board/spare-board/patch/";
    watcher.wait_for("the end of the request", |message| {
        message.topic.starts_with(of_spare) && message.payload.is_empty()
    });
    let (_, shown) = billing.show(NEW);
    assert_eq!(json!([shown["id"], shown["status"]]), json!([id, "installed"]));
    let offered = watcher
        .so_far()
        .into_iter()
        .find(|m| m.topic.starts_with("intercoms/by-board/old-board/patch/"));
    assert!(offered.is_none(), "{offered:?}");
    assert!(old_daemon.is_running());
    assert_eq!(old.mac(), OLD);
    assert_eq!(old.run(&["status", "--json"]).json()["counters"]["delivered"], 0);
}

#[test]
fn without_a_spare_the_old_panel_becomes_the_new_one() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let billing = Billing::start_on(&broker);
    billing.create_old();
    let board = Board::sandboxed("old-board", OLD).with_mqtt(&broker.url());
    let _daemon = board.start();
    watcher.online(OLD, "old-board");
    billing.replace_old();
    assert_eq!(watcher.report(NEW)["status"], "installed");
    assert_eq!(board.mac(), NEW);
}

#[test]
fn the_wrong_spare_is_found_out_and_billing_says_why() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let billing = Billing::start_on(&broker);
    billing.create_old();
    let spare = Board::sandboxed("spare-board", NEW).with_mqtt(&broker.url());
    spare.write("etc/serial", "ANOTHER-1\n");
    let _daemon = spare.start();
    watcher.online(NEW, "spare-board");
    billing.replace_old();
    let end = Instant::now() + LIMIT;
    loop {
        let (_, requests) = billing.call("GET", "/api/v1/agent/requests", json!({}));
        let whom = requests[0]["waits_for"].as_str().expect("whom it waits for");
        if whom.contains("spare-board") && whom.contains("serial number") {
            break;
        }
        assert!(Instant::now() < end, "it waits for {whom}");
    }
    assert_eq!(spare.mac(), NEW);
    assert_eq!(spare.run(&["status", "--json"]).json()["counters"]["delivered"], 0);
}
