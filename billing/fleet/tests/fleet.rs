//! A small fleet, run as `intercom-fleet` runs a large one. Needs mosquitto, as
//! Debian packages it.

#![allow(clippy::panic, reason = "a test that cannot go on fails")]

use std::process::Command;

#[test]
fn a_small_fleet_is_replaced_and_comes_back_after_a_restart_of_its_broker() {
    let output = Command::new(env!("CARGO_BIN_EXE_intercom-fleet"))
        .args(["--panels", "200", "--replacements", "20", "--polling", "20"])
        .args(["--poll-for", "1", "--broker-away", "1", "--replace-at-once"])
        .output();
    let output = output.unwrap_or_else(|why| panic!("it does not start: {why}"));
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
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
}

#[test]
fn the_cost_of_each_call_is_measured_among_ended_and_pending_requests() {
    let output = Command::new(env!("CARGO_BIN_EXE_intercom-fleet"))
        .args(["cost", "--intercoms", "300", "--ended", "500", "--pending", "50"])
        .output();
    let output = output.unwrap_or_else(|why| panic!("it does not start: {why}"));
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    for call in ["show?mac", "PATCH new_mac", "pending", "POST status", "POST intercoms"] {
        assert!(out.lines().any(|line| line.contains(call) && line.contains("p50")), "{out}");
    }
}
