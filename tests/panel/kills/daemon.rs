//! The daemon on the kernel's own link, while a request from the broker is carried out.

use std::env;

use intercom_test_support::{Fault, at_every, in_a_namespace};

use super::veth_panel::{Restart, Site};

/// Kills the daemon at every such call; restarts by turns the daemon and the whole board.
fn killed_at_every(call: &'static str) {
    let mut site = Site::new();
    let points = at_every(call, |number| {
        let panel = site.next_asked_panel();
        let context = format!("killed at {call} number {number}");
        let strace = panel.strace(call, number, Fault::Kill);
        let killed = panel.runs_until_reported(&strace).is_none();
        let restart = if number % 2 == 0 { Restart::Daemon } else { Restart::Board };
        let daemon = panel.starts_again(restart, &context);
        assert_eq!(panel.ends_as_reported(daemon, &context), "installed", "{context}");
        panel.environment_follows("installed", &context);
        killed
    });
    println!("the daemon was killed at {points} calls of {call}");
    assert!(points > 0, "{call}: the daemon makes such calls");
}

/// Fails every such call in turn; whatever the outcome is told to be, the board is. One way to fail
/// for each call, by turns; every way with `INTERCOM_TESTS_LONG=1`.
fn failed_by_every(call: &'static str, faults: &[&'static str]) {
    let long = env::var_os("INTERCOM_TESTS_LONG").is_some();
    let mut site = Site::new();
    let points = at_every(call, |number| {
        let turn = &faults[number % faults.len()..][..1];
        let faults = if long { faults } else { turn };
        faults.iter().fold(false, |reached, fault| {
            let panel = site.next_asked_panel();
            let context = format!("{call} number {number} fails with {fault}");
            let strace = panel.strace(call, number, Fault::Error(fault));
            let mut daemon = panel.runs_until_reported(&strace).expect("a fault does not end it");
            // Each reading is a thread of its own, and strace counts the calls of each: the board cannot
            // be read as long as it is traced.
            if panel.awaits_its_board() {
                daemon.kill();
                daemon = panel.starts_again(Restart::Daemon, &context);
            }
            let mut outcome = panel.ends_as_reported(daemon, &context);
            let daemon = panel.starts_again(Restart::Board, &context);
            // Reported from memory alone, so the broker delivers the request again.
            if outcome == "failed" {
                outcome = panel.ends_as_reported(daemon, &context);
            } else {
                panel.is_as_told(&outcome, &context);
            }
            panel.environment_follows(&outcome, &context);
            reached | strace.has_failed_it()
        })
    });
    println!("{call} failed in {points} places with {}", faults.join(", "));
    assert!(points > 0, "{call}: the daemon makes such calls");
}

macro_rules! at_every_call {
    ($($name:ident: $what:expr;)*) => {$(
        #[test]
        fn $name() {
            in_a_namespace(concat!("kills::daemon::", stringify!($name)), || $what);
        }
    )*};
}

at_every_call! {
    killed_at_every_open: killed_at_every("openat");
    killed_at_every_write: killed_at_every("write");
    killed_at_every_fsync: killed_at_every("fsync");
    killed_at_every_rename: killed_at_every("rename");
    killed_at_every_link: killed_at_every("linkat");
    killed_at_every_unlink: killed_at_every("unlink");
    killed_at_every_ioctl: killed_at_every("ioctl");
    failed_by_every_open: failed_by_every("openat", &super::FAULTS);
    failed_by_every_write: failed_by_every("write", &super::FAULTS);
    failed_by_every_fsync: failed_by_every("fsync", &super::FAULTS);
    failed_by_every_rename: failed_by_every("rename", &super::FAULTS);
    failed_by_every_link: failed_by_every("linkat", &super::FAULTS);
    failed_by_every_unlink: failed_by_every("unlink", &super::FAULTS);
    failed_by_every_ioctl: failed_by_every("ioctl", &["EBUSY", "EIO"]);
}
