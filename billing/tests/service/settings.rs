//! The settings of a running service: by the commands and on the page.

use std::process::{Command, Output};

use serde_json::json;
use ureq::http::Method;

use crate::common::Running;

/// `intercom-billing …` on the database of the running service.
fn command(billing: &Running, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_intercom-billing"))
        .args(arguments)
        .arg("--database")
        .arg(billing.dir.path().join("billing.sqlite"))
        .output()
        .expect("it runs")
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("text")
}

/// What a command that fails says.
fn refused(output: &Output) -> String {
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr.clone()).expect("text")
}

fn set_quiet_hours(billing: &Running, group: &str, zone: &str, hours: [&str; 2]) -> Output {
    let [begins, ends] = hours;
    let options = ["--time-zone", zone, "--begins", begins, "--ends", ends];
    command(billing, &[&["quiet-hours", "set", group][..], &options].concat())
}

#[test]
fn the_command_sets_lists_and_removes_quiet_hours() {
    let billing = Running::start();
    billing.old_intercom();
    let night = ["22:00", "07:00"];
    assert_eq!(printed(&set_quiet_hours(&billing, "6", "Europe/Berlin", night)), "");
    let listed = billing.call(Method::GET, "/api/v1/quiet-hours", None).body;
    let expected = json!({
        "group_id": 6, "time_zone": "Europe/Berlin", "begins": "22:00", "ends": "07:00"
    });
    assert_eq!(listed, json!([expected]));
    let list = |b: &Running| printed(&command(b, &["quiet-hours", "list"]));
    assert_eq!(list(&billing), "6\t22:00\t07:00\tEurope/Berlin\n");
    for (group, zone, hours, says) in [
        ("7", "Europe/Berlin", night, "there is no group 7"),
        ("6", "Nowhere/Here", night, "must be a time zone such as Europe/Berlin"),
        ("6", "Etc/UTC", ["22", "07:00"], "must be a time of day such as 22:30"),
        ("6", "Etc/UTC", ["22:00", "22:00"], "must be different"),
    ] {
        let said = refused(&set_quiet_hours(&billing, group, zone, hours));
        assert!(said.contains(says), "{said}");
    }
    let remove = ["quiet-hours", "remove", "6"];
    printed(&command(&billing, &remove));
    assert_eq!(list(&billing), "");
    let said = refused(&command(&billing, &remove));
    assert!(said.contains("group 6 has no quiet hours"), "{said}");
}

#[test]
fn the_command_shows_and_sets_how_long_requests_are_kept() {
    let billing = Running::start();
    let shown = |b: &Running| printed(&command(b, &["retention", "show"]));
    assert_eq!(shown(&billing), "90\n");
    printed(&command(&billing, &["retention", "set", "30"]));
    assert_eq!(shown(&billing), "30\n");
    let answer = billing.call(Method::GET, "/api/v1/retention", None).body;
    assert_eq!(answer["ended_requests_days"], 30);
    for wrong in ["0", "36501", "month"] {
        refused(&command(&billing, &["retention", "set", wrong]));
    }
    assert_eq!(shown(&billing), "30\n");
}
