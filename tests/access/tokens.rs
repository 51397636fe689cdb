//! Real panels with their tokens, and what one can do to another.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use intercom_test_support::{Billing, Board, NEW, OLD, free_port};

fn with_token(board: Board, token: &str) -> Board {
    board.write("etc/token", token);
    let secret = fs::Permissions::from_mode(0o600);
    fs::set_permissions(board.path("etc/token"), secret).expect("set");
    board.configure("token_file = \"/etc/token\"");
    board
}

fn shows(billing: &Billing, mac: &str, status: &str) -> bool {
    billing.show(mac).1["status"] == status
}

#[test]
fn a_panel_polls_and_reports_with_its_token() {
    let billing = Billing::start().with_tokens();
    billing.create_old();
    let token = billing.add_token(&["--role", "panel", "--board", "gate-1"]);
    let board = with_token(Board::sandboxed("gate-1", OLD).with_polling(&billing.url), &token);
    let mut daemon = board.start();
    billing.replace_old();
    daemon.wait_for("the report has arrived over HTTP");
    assert_eq!(board.mac(), NEW);
    assert!(shows(&billing, NEW, "installed"));
}

#[test]
fn a_panel_on_the_built_in_broker_is_reached_with_its_token_and_nothing_else() {
    let port = free_port();
    let billing = Billing::start_with_panels_at(port).with_tokens();
    billing.create_old();
    let token = billing.add_token(&["--role", "panel", "--board", "gate-1"]);
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&format!("mqtt://127.0.0.1:{port}"));
    board.write("etc/token", token);
    let secret = fs::Permissions::from_mode(0o600);
    fs::set_permissions(board.path("etc/token"), secret).expect("set");
    board.configure("username = \"gate-1\"\npassword_file = \"/etc/token\"");
    let mut daemon = board.start();
    board.wait_until_reached();
    let status = board.run(&["status", "--json"]).json();
    let topic = status["routes"][0]["refused_topic"].as_str().expect("it only knows boards");
    assert_eq!(topic, format!("intercoms/{OLD}/patch/#"));
    billing.replace_old();
    daemon.wait_for("the report has arrived over MQTT");
    assert_eq!(board.mac(), NEW);
    assert!(shows(&billing, NEW, "installed"));
}

#[test]
fn a_panel_with_the_token_of_another_is_refused_and_changes_nothing() {
    let billing = Billing::start().with_tokens();
    billing.create_old();
    billing.replace_old();
    let token = billing.add_token(&["--role", "panel", "--board", "gate-2"]);
    let board = with_token(Board::sandboxed("gate-1", OLD).with_polling(&billing.url), &token);
    let mut daemon = board.start_at_once();
    daemon.wait_for("403");
    assert_eq!(board.mac(), OLD);
    assert!(shows(&billing, NEW, "pending"));
}

#[test]
fn a_panel_reports_by_the_documented_patch_with_its_token() {
    let billing = Billing::start().with_tokens();
    billing.create_old();
    let token = billing.add_token(&["--role", "panel", "--board", "gate-1"]);
    let board = with_token(Board::sandboxed("gate-1", OLD).with_polling(&billing.url), &token);
    let url = &billing.url;
    board.configure(&format!("[billing]\nurl = \"{url}\"\ntoken_file = \"/etc/token\""));
    let mut daemon = board.start();
    billing.replace_old();
    daemon.wait_for("the report has arrived over billing");
    assert!(shows(&billing, NEW, "installed"));
}
