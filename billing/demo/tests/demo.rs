//! The first thing that a newcomer runs.

#![allow(clippy::expect_used, reason = "how a test fails")]

use std::process::Command;

#[test]
fn the_demo_tells_the_change_to_its_end_and_nothing_else() {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_intercom-demo"));
    let done = demo.arg("--once").output().expect("it runs");
    let told = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{told}");
    assert_eq!(String::from_utf8_lossy(&done.stderr), "", "{told}");
    for line in ["new_serial_number", "auto-replace", "confirmed and durable"] {
        assert!(told.contains(line), "{line} is missing in\n{told}");
    }
}
