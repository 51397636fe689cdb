//! A small fleet, run as `intercom-fleet` runs a large one. Needs mosquitto, as Debian packages it.

#![allow(clippy::panic, reason = "a test that cannot go on fails")]

use std::process::Command;

/// Runs it to its end. Returns what it printed.
fn fleet(options: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_intercom-fleet"));
    let output = command.args(options.split_whitespace()).output();
    let output = output.unwrap_or_else(|why| panic!("it does not start: {why}"));
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    out.into_owned()
}

#[test]
fn a_small_fleet_is_replaced_and_comes_back_after_a_restart_of_its_broker() {
    let out = fleet(
        "--panels 200 --replacements 20 --polling 20 --poll-for 1 --broker-away 1 \
         --replace-at-once --count-messages",
    );
    for line in [
        "connected          200 panels",
        "replacements       18 of 18 installed",
        "20 panels",
        "all 200 panels back",
        "after the restart  2 of 2 installed",
    ] {
        assert!(out.contains(line), "`{line}` in {out}");
    }
    assert_eq!(out.matches("reports lost: 0").count(), 3, "{out}");
    assert!(delivered_for_each_replacement(&out) < 40.0, "not to each of the 200 panels: {out}");
}

/// How many messages the broker delivered for each replacement before its restart.
fn delivered_for_each_replacement(out: &str) -> f64 {
    let counts = out.split("messages for each replacement").nth(1);
    let all = counts.and_then(|counts| counts.lines().find(|line| line.trim().starts_with("all ")));
    let delivered = all.and_then(|all| all.split_whitespace().last()?.parse().ok());
    delivered.unwrap_or_else(|| panic!("no count in {out}"))
}

#[test]
fn a_small_fleet_is_replaced_over_the_built_in_broker() {
    let out = fleet(
        "--panels 50 --replacements 10 --polling 0 --broker-away 1 --replace-at-once --built-in",
    );
    assert_eq!(out.matches("reports lost: 0").count(), 2, "{out}");
}

#[test]
fn the_cost_of_each_call_is_measured_among_ended_and_pending_requests() {
    let out = fleet("cost --intercoms 300 --ended 500 --pending 50");
    for call in ["show?mac", "PATCH new_mac", "pending", "POST status", "POST intercoms"] {
        assert!(out.lines().any(|line| line.contains(call) && line.contains("p50")), "{out}");
    }
}
