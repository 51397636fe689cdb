//! The same by polling, with the broker out of the picture.

use intercom_test_support::{
    Billing, Board, FACTORY_SERIAL, LAN, Listener, NEW, OLD, in_a_namespace, ip, kernels_mac, lan,
    request,
};
use serde_json::{Value, json};

#[test]
fn a_patched_panel_is_found_by_polling_and_billing_shows_it_installed() {
    in_a_namespace(
        "http::a_patched_panel_is_found_by_polling_and_billing_shows_it_installed",
        || {
            lan();
            let billing = Billing::start_in("lan", LAN);
            let id = billing.create_old();
            let board = Board::on_the_kernels_link("gate-1").with_polling(&billing.url);
            // Before the first poll: the next one comes a minute later.
            billing.replace_old();
            let mut daemon = board.start();
            daemon.wait_for("the report has arrived over HTTP");
            assert_eq!(kernels_mac(), NEW);
            let (status, shown) = billing.show(NEW);
            assert_eq!(status, 200);
            assert_eq!(
                json!([
                    shown["id"],
                    shown["mac"],
                    shown["serial_number"],
                    shown["status"],
                    shown["source"]
                ]),
                json!([id, NEW, "NEW-1", "installed", "auto-replace"])
            );
            assert_eq!(billing.show(OLD).0, 404);
            let record = board.read("state/record.json");

            assert!(daemon.terminate().success());
            ip(&format!("link set eth0 address {OLD}"));
            let _daemon = board.start();
            assert_eq!(kernels_mac(), NEW);
            board.wait_until_reached();
            assert_eq!(board.read("state/record.json"), record, "there was nothing to write down");
            assert_eq!(billing.show(NEW).1, shown);
        },
    );
}

#[test]
fn a_request_that_stays_in_the_list_is_applied_once_and_reported_again() {
    let service = Listener::start();
    let board = Board::sandboxed("gate-1", OLD).with_polling(&service.url);
    service.offer(json!([request("r-1")]).to_string());
    let daemon = board.start();
    let first = service.report(|_| true);
    assert_eq!(first["status"], "installed");
    assert_eq!(first["previous"], json!({"mac": OLD, "serial_number": FACTORY_SERIAL}));
    // The second of them comes after the record has been told that the first report has arrived.
    for _ in 0..2 {
        assert_eq!(service.report(|_| true), first);
    }
    let record = board.read("state/record.json");
    let files = board.files();
    assert_eq!(service.report(|_| true), first);
    assert!(daemon.terminate().success());
    assert_eq!(board.read("state/record.json"), record, "a repeat is not written down");
    assert_eq!(board.files(), files);

    let _daemon = board.start();
    assert_eq!(service.report(|_| true), first, "a restart has not forgotten it");
    assert_eq!(board.mac(), NEW);
    let status = board.run(&["status", "--json"]).json();
    assert_eq!((&status["counters"]["begun"], &status["change"]), (&json!(1), &Value::Null));
}
