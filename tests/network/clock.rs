//! A clock that starts in 1970, as a board without a battery has it: the agent under libfaketime.

use std::fs;

use intercom_test_support::certificates::{Authority, NOW};
use intercom_test_support::{Board, Process, request};

use crate::tls_end::{End, Kind, Terms};

/// Seconds since 1970 at the start of 2028.
const YEAR_2028: u64 = 1_830_297_600;

fn started_in_1970(board: &Board) -> Process {
    started_at(board, "1970-01-01 00:00:10")
}

fn started_at(board: &Board, time: &str) -> Process {
    let mut libraries = fs::read_dir("/usr/lib").expect("readable").filter_map(|entry| {
        Some(entry.ok()?.path().join("faketime/libfaketime.so.1")).filter(|file| file.exists())
    });
    let library = libraries.next().expect("libfaketime; tests/run installs it");
    board.start_with(&[
        ("LD_PRELOAD", library.to_str().expect("text")),
        ("FAKETIME", &format!("@{time}")),
        ("DONT_FAKE_MONOTONIC", "1"),
        ("TZ", "UTC"),
    ])
}

fn end(authority: &Authority, years: (i32, i32)) -> End {
    End::start(Kind::Mosquitto, &Terms { years, ..Terms::good(authority) })
}

#[test]
fn a_panel_in_1970_trusts_a_certificate_that_was_valid_when_the_agent_was_made() {
    let ours = Authority::new("ours");
    let end = end(&ours, NOW);
    let board = end.board(&ours);
    let mut daemon = started_in_1970(&board);
    board.wait_until_reached();
    assert!(daemon.said().iter().all(|line| line.starts_with("1970-01-01")), "{:?}", daemon.said());
}

#[test]
fn a_panel_in_1970_still_refuses_a_certificate_that_ended_before_the_agent_was_made() {
    let ours = Authority::new("ours");
    let end = end(&ours, (2001, 2002));
    let board = end.board(&ours);
    let mut daemon = started_in_1970(&board);
    daemon.wait_for("its certificate ended at 2002-01-01");
}

#[test]
fn a_certificate_younger_than_the_agent_needs_a_clock_or_a_firmware_that_is_younger_too() {
    let ours = Authority::new("ours");
    let end = end(&ours, (2027, 2200));
    let board = end.board(&ours);
    let mut daemon = started_in_1970(&board);
    let line = daemon.wait_for("its certificate begins at 2027-01-01");
    assert!(
        line.contains("the panel's clock says 2026-") && line.contains("set the clock"),
        "{line}"
    );
    daemon.kill();

    board.write("etc/os-release", format!("NAME=OpenIPC\nTIME_STAMP={YEAR_2028}\n"));
    let _daemon = started_in_1970(&board);
    board.wait_until_reached();
}

#[test]
fn a_panel_in_1970_goes_on_from_the_last_good_time_that_it_wrote_down_with_a_change() {
    let ours = Authority::new("ours");
    let end = end(&ours, (2027, 2200));
    let board = end.board(&ours);
    let daemon = started_at(&board, "2028-01-01 00:00:00");
    board.wait_until_reached();
    board.write("request.json", request("r-1").to_string());
    let file = board.path("request.json");
    let applied = board.run(&["apply", file.to_str().expect("text")]);
    assert_eq!(applied.code, 0, "{applied:?}");
    daemon.kill();

    let _daemon = started_in_1970(&board);
    board.wait_until_reached();
}
