//! A small fleet, run as `intercom-fleet` runs a large one. Needs mosquitto, as
//! Debian packages it.

#![allow(clippy::panic, reason = "a test that cannot go on fails")]

use std::process::Command;

#[test]
fn a_small_fleet_is_replaced_and_comes_back_after_a_restart_of_its_broker() {
    let output = Command::new(env!("CARGO_BIN_EXE_intercom-fleet"))
        .args(["--panels", "200", "--replacements", "20", "--polling", "20"])
        .args(["--poll-for", "1", "--broker-away", "1"])
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
